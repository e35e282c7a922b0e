package main

import (
	"context"
	"sort"

	v1 "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
)

// How often two candidates are put before SelectCandidate to learn whether chance decides between them. Go begins a
// walk over a small map at one of eight places, so that the less likely of two orders comes once in eight walks.
const tries = 200

// nominator tells a framework of nominated pods, by node. Like the snapshot, it outlives one question.
type nominator map[string][]fwk.PodInfo

func (n nominator) AddNominatedPod(klog.Logger, fwk.PodInfo, *fwk.NominatingInfo) {}
func (n nominator) DeleteNominatedPodIfExists(*v1.Pod)                            {}
func (n nominator) UpdateNominatedPod(klog.Logger, *v1.Pod, fwk.PodInfo)          {}
func (n nominator) NominatedPodsForNode(name string) []fwk.PodInfo                { return n[name] }

func (n nominator) set(pods []*v1.Pod) error {
	clear(n)
	for _, pod := range pods {
		info, err := framework.NewPodInfo(pod)
		if err != nil {
			return err
		}
		n[pod.Status.NominatedNodeName] = append(n[pod.Status.NominatedNodeName], info)
	}
	return nil
}

// lonely lists the one pod that is asked about: the evaluator looks it up again.
type lonely struct{ pod *v1.Pod }

func (l lonely) List(labels.Selector) ([]*v1.Pod, error)    { return []*v1.Pod{l.pod}, nil }
func (l lonely) Pods(string) corelisters.PodNamespaceLister { return l }
func (l lonely) Get(string) (*v1.Pod, error)                { return l.pod, nil }

// room is what DefaultPreemption says about making room for a pod.
type room struct {
	Candidates map[string]sacrifice `json:"candidates"`
	// Chosen is the node that Message names; empty where there is none.
	Chosen string `json:"chosen"`
	// Best are the candidates between which chance decides.
	Best []string `json:"best"`
}

// sacrifice is who has to leave a node.
type sacrifice struct {
	// Victims are uids, in kube-scheduler's order.
	Victims    []string `json:"victims"`
	Violations int64    `json:"violations"`
}

// newPreemption makes a plugin that decides and deletes nothing.
func newPreemption(
	ctx context.Context, profile config.KubeSchedulerProfile, together framework.Framework,
) (*defaultpreemption.DefaultPreemption, error) {
	features := feature.NewSchedulerFeaturesFromGates(utilfeature.DefaultFeatureGate)
	// Deleting in the background, or not, is not what is asked.
	features.EnableAsyncPreemption = false
	for _, plugin := range profile.PluginConfig {
		if plugin.Name == defaultpreemption.Name {
			made, err := defaultpreemption.New(ctx, plugin.Args, together, features)
			if err != nil {
				return nil, err
			}
			made.Executor.PreemptPod = func(
				context.Context, preemption.Candidate, preemption.ExecutorPreemptor, *v1.Pod, string,
			) (bool, error) {
				return false, nil
			}
			return made, nil
		}
	}
	return nil, nil
}

// makeRoom runs DefaultPreemption as PostFilter, and tells what it weighed. The text returned is its part of the
// FailedScheduling text.
func (p *panel) makeRoom(
	ctx context.Context, state fwk.CycleState, pod *v1.Pod, statuses *framework.NodeToStatus,
) (*room, string, error) {
	evaluator := p.preemption.Evaluator
	evaluator.PodLister = lonely{pod}
	said := &room{Candidates: map[string]sacrifice{}, Best: []string{}}
	result, status := p.preemption.PostFilter(ctx, state, pod, statuses)
	if status.Code() == fwk.Error {
		return said, "", status.AsError()
	}
	if !status.IsSuccess() {
		return said, status.Message(), nil
	}
	said.Chosen = result.NominatedNodeName
	nodes, err := statuses.NodesForStatusCode(p.snapshot.NodeInfos(), fwk.Unschedulable)
	if err != nil {
		return said, "", err
	}
	budgets, err := evaluator.PdbLister.List(labels.Everything())
	if err != nil {
		return said, "", err
	}
	return said, status.Message(), p.weigh(ctx, state, pod, nodes, budgets, said)
}

func (p *panel) weigh(
	ctx context.Context,
	state fwk.CycleState,
	pod *v1.Pod,
	nodes []fwk.NodeInfo,
	budgets []*policy.PodDisruptionBudget,
	said *room,
) error {
	evaluator := p.preemption.Evaluator
	_, wanted := p.preemption.GetOffsetAndNumCandidates(int32(len(nodes)))
	candidates, _, err := evaluator.DryRunPreemption(ctx, state, pod, nodes, budgets, 0, wanted)
	if err != nil {
		return err
	}
	var chosen preemption.Candidate
	for _, candidate := range candidates {
		victims := []string{}
		for _, victim := range candidate.Victims().Pods {
			victims = append(victims, string(victim.UID))
		}
		said.Candidates[candidate.Name()] = sacrifice{victims, candidate.Victims().NumPDBViolations}
		if candidate.Name() == said.Chosen {
			chosen = candidate
		}
	}
	for _, candidate := range candidates {
		if candidate == chosen || mayWin(ctx, evaluator, candidate, chosen) {
			said.Best = append(said.Best, candidate.Name())
		}
	}
	sort.Strings(said.Best)
	return nil
}

func mayWin(ctx context.Context, evaluator *preemption.Evaluator, one, other preemption.Candidate) bool {
	for range tries {
		if evaluator.SelectCandidate(ctx, []preemption.Candidate{one, other}).Name() == one.Name() {
			return true
		}
	}
	return false
}
