// Package upstream is Kubernetes' own end-to-end suite for schedulers, as a test binary of its own.
//
// It adds nothing to the tests and takes nothing from them, but lets each begin on a clean slate: the `[sig-scheduling]` tests register themselves when their
// package is imported, and Kubernetes' framework reads the flags that say which cluster they run against. Kubernetes'
// whole end-to-end binary holds them too, among thousands of others and with all they depend on.
package upstream

import (
	"flag"
	"os"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"k8s.io/component-base/logs"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/test/e2e/framework"
	"k8s.io/kubernetes/test/e2e/framework/config"

	// The tests.
	_ "k8s.io/kubernetes/test/e2e/scheduling"

	// What Kubernetes' own binary adds to the framework: after a failure Events are dumped, and nodes are awaited.
	_ "k8s.io/kubernetes/test/e2e/framework/debug/init"
	_ "k8s.io/kubernetes/test/e2e/framework/node/init"
	_ "k8s.io/kubernetes/test/utils/ktesting/format"
)

func TestMain(m *testing.M) {
	config.CopyFlags(config.Flags, flag.CommandLine)
	framework.RegisterCommonFlags(flag.CommandLine)
	framework.RegisterClusterFlags(flag.CommandLine)
	flag.Parse()
	framework.AfterReadingAllFlags(&framework.TestContext)
	os.Exit(m.Run())
}

func TestScheduling(t *testing.T) {
	logs.InitLogs()
	defer logs.FlushLogs()
	klog.EnableContextualLogging(true)
	gomega.RegisterFailHandler(framework.Fail)
	suite, reporter := framework.CreateGinkgoConfig()
	awaitCleanSlate()
	tellProgress()
	ginkgo.RunSpecs(t, "sig-scheduling", suite, reporter)
}
