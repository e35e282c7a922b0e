package upstream

import (
	"context"
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubernetes/test/e2e/framework"
)

const (
	slatePause   = 100 * time.Millisecond
	slateTimeout = 2 * time.Minute
)

// awaitCleanSlate begins each test when the namespaces of earlier ones are gone, and their pods with them.
//
// Kubernetes' tests of preemption fill every node and mean to wait for that first
// (framework.CheckTestingNSDeletedExcept), but what they wait for are namespaces named e2e-tests-…, which none is any
// more. Without it a pod that should fit finds pods of the last test in its place and displaces another one for it.
func awaitCleanSlate() {
	ginkgo.BeforeEach(func(ctx context.Context) {
		config, err := framework.LoadConfig()
		framework.ExpectNoError(err)
		client, err := kubernetes.NewForConfig(config)
		framework.ExpectNoError(err)
		var left []string
		err = wait.PollUntilContextTimeout(ctx, slatePause, slateTimeout, true, func(ctx context.Context) (bool, error) {
			namespaces, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
			if err != nil {
				return false, err
			}
			left = nil
			for _, namespace := range namespaces.Items {
				if namespace.Status.Phase == v1.NamespaceTerminating {
					left = append(left, namespace.Name)
				}
			}
			return len(left) == 0, nil
		})
		framework.ExpectNoError(err, fmt.Sprintf("namespaces of earlier tests are still there: %v", left))
	})
}
