package main

import (
	"context"
	"errors"
	"fmt"
	"sort"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// kube-scheduler's own text where there is no node at all (scheduler.ErrNoNodesAvailable, which is in a package that
// would bring the whole scheduler along).
var errNoNodes = errors.New("no nodes available to schedule pods")

// judge answers requests. A panel serves every request that names the same plugins and the same API objects.
type judge struct {
	ctx    context.Context
	panels map[string]*panel
	// release ends the informers of the panels.
	release context.CancelFunc
}

// mostPanels bounds the memory that panels take; each runs informers of its own.
const mostPanels = 64

func newJudge(ctx context.Context) *judge {
	made := &judge{ctx: ctx}
	made.start()
	return made
}

func (j *judge) start() {
	j.panels = map[string]*panel{}
	j.ctx, j.release = context.WithCancel(context.WithoutCancel(j.ctx))
}

func (j *judge) panel(asked *request, objects []runtime.Object) (*panel, error) {
	key := asked.seating()
	for _, object := range asked.Objects {
		key += "\n" + string(object)
	}
	if known := j.panels[key]; known != nil {
		return known, nil
	}
	if len(j.panels) >= mostPanels {
		j.release()
		j.start()
	}
	made, err := newPanel(j.ctx, asked, objects)
	if err == nil {
		j.panels[key] = made
	}
	return made, err
}

func (j *judge) answer(line []byte) (given answer) {
	asked, objects, err := parse(line)
	given.ID = asked.ID
	given.Answers = []verdict{}
	// A plugin that panics on odd objects is told like any other failure; the next cluster is judged all the same.
	defer func() {
		if fault := recover(); fault != nil {
			given.Error = fmt.Sprintf("a plugin panicked: %v", fault)
		}
	}()
	if err != nil {
		given.Error = err.Error()
		return given
	}
	seat, err := j.panel(asked, objects)
	if err != nil {
		given.Error = err.Error()
		return given
	}
	seat.snapshot.Snapshot = cache.NewSnapshot(asked.Pods, asked.Nodes)
	if err := seat.nominated.set(asked.Nominated); err != nil {
		given.Error = err.Error()
		return given
	}
	for _, candidate := range asked.Candidates {
		said, err := seat.judge(j.ctx, candidate)
		if err != nil {
			said.Error = err.Error()
		}
		given.Answers = append(given.Answers, said)
	}
	return given
}

// judge follows Scheduler.schedulingAlgorithm, schedulePod and findNodesThatFitPod of kube-scheduler's schedule_one.go,
// without extenders.
func (p *panel) judge(ctx context.Context, pod *v1.Pod) (verdict, error) {
	said := verdict{Space: []string{}, Feasible: []string{}, Best: []string{}}
	nodes, err := p.snapshot.NodeInfos().List()
	if err != nil {
		return said, err
	}
	if len(nodes) == 0 {
		said.Message = errNoNodes.Error()
		return said, nil
	}
	diagnosis := framework.Diagnosis{NodeToStatus: framework.NewDefaultNodeToStatus()}
	state := framework.NewCycleState()
	allowed, status, narrowing := p.together.RunPreFilterPlugins(ctx, state, pod)
	if !status.IsSuccess() {
		if !status.IsRejected() {
			return said, status.AsError()
		}
		diagnosis.PreFilterMsg = status.Message()
		diagnosis.NodeToStatus.SetAbsentNodesStatus(status)
		said.PreFilter = &rejection{status.Code().String(), status.Reasons()}
		if err := p.fail(ctx, state, pod, len(nodes), diagnosis, &said); err != nil {
			return said, err
		}
		return said, p.filterAlone(ctx, pod, nodes, nil, &said)
	}
	searched := nodes
	if !allowed.AllNodes() {
		searched = within(nodes, allowed.NodeNames)
		missing := fmt.Sprintf("node(s) didn't satisfy plugin(s) %v", sets.List(narrowing))
		diagnosis.NodeToStatus.SetAbsentNodesStatus(fwk.NewStatus(fwk.UnschedulableAndUnresolvable, missing))
	}
	said.Space = nodeNames(searched)
	if err := p.filterAlone(ctx, pod, nodes, searched, &said); err != nil {
		return said, err
	}
	var feasible []fwk.NodeInfo
	if kept, err := p.snapshot.NodeInfos().Get(pod.Status.NominatedNodeName); err == nil {
		if p.together.RunFilterPluginsWithNominatedPods(ctx, state, pod, kept).IsSuccess() {
			feasible = append(feasible, kept)
			searched = nil
		}
	}
	for _, node := range searched {
		status := p.together.RunFilterPluginsWithNominatedPods(ctx, state, pod, node)
		switch {
		case status.IsSuccess():
			feasible = append(feasible, node)
		case status.IsRejected():
			diagnosis.NodeToStatus.Set(node.Node().Name, status)
		default:
			return said, status.AsError()
		}
	}
	said.Feasible = nodeNames(feasible)
	if len(feasible) == 0 {
		return said, p.fail(ctx, state, pod, len(nodes), diagnosis, &said)
	}
	return said, p.score(ctx, state, pod, feasible, &said)
}

// filterAlone asks each plugin about each of `nodes`, out of all, as if it were the only plugin there is.
func (p *panel) filterAlone(ctx context.Context, pod *v1.Pod, all, nodes []fwk.NodeInfo, said *verdict) error {
	said.Filters = map[string]map[string]rejection{}
	said.PreFilters = map[string]rejection{}
	said.Narrowed = map[string]int{}
	for _, plugin := range p.alone {
		state := framework.NewCycleState()
		allowed, status, _ := plugin.framework.RunPreFilterPlugins(ctx, state, pod)
		if !status.IsSuccess() {
			if !status.IsRejected() {
				return status.AsError()
			}
			said.PreFilters[plugin.name] = rejection{status.Code().String(), status.Reasons()}
			continue
		}
		if !allowed.AllNodes() {
			said.Narrowed[plugin.name] = len(all) - len(within(all, allowed.NodeNames))
		}
		rejected := map[string]rejection{}
		for _, node := range nodes {
			status := plugin.framework.RunFilterPlugins(ctx, state, pod, node)
			if status.IsSuccess() {
				continue
			}
			if !status.IsRejected() {
				return status.AsError()
			}
			rejected[node.Node().Name] = rejection{status.Code().String(), status.Reasons()}
		}
		if len(rejected) > 0 {
			said.Filters[plugin.name] = rejected
		}
	}
	return nil
}

func (p *panel) score(
	ctx context.Context, state fwk.CycleState, pod *v1.Pod, feasible []fwk.NodeInfo, said *verdict,
) error {
	if status := p.together.RunPreScorePlugins(ctx, state, pod, feasible); !status.IsSuccess() {
		return status.AsError()
	}
	scored, status := p.together.RunScorePlugins(ctx, state, pod, feasible)
	if !status.IsSuccess() {
		return status.AsError()
	}
	said.Scores = map[string]map[string][3]int64{}
	said.Totals = map[string]int64{}
	highest := scored[0].TotalScore
	for _, node := range scored {
		said.Totals[node.Name] = node.TotalScore
		highest = max(highest, node.TotalScore)
		for position, raw := range node.RawScores {
			weighted := node.Scores[position].Score
			if said.Scores[raw.Name] == nil {
				said.Scores[raw.Name] = map[string][3]int64{}
			}
			said.Scores[raw.Name][node.Name] = [3]int64{raw.Score, weighted / p.weights[raw.Name], weighted}
		}
	}
	for _, node := range scored {
		if node.TotalScore == highest {
			said.Best = append(said.Best, node.Name)
		}
	}
	sort.Strings(said.Best)
	return nil
}

// fail says why there is no node, and tries to make room.
func (p *panel) fail(
	ctx context.Context, state fwk.CycleState, pod *v1.Pod, nodes int, diagnosis framework.Diagnosis, said *verdict,
) error {
	// A pod that names its node is not scheduled; it is asked about only.
	if p.preemption != nil && pod.Spec.NodeName == "" {
		preemption, text, err := p.makeRoom(ctx, state, pod, diagnosis.NodeToStatus)
		if err != nil {
			return err
		}
		said.Preemption = preemption
		diagnosis.PostFilterMsg = text
	}
	said.Message = fitError(pod, nodes, diagnosis)
	return nil
}

func fitError(pod *v1.Pod, nodes int, diagnosis framework.Diagnosis) string {
	return (&framework.FitError{Pod: pod, NumAllNodes: nodes, Diagnosis: diagnosis}).Error()
}

func within(nodes []fwk.NodeInfo, allowed sets.Set[string]) []fwk.NodeInfo {
	var kept []fwk.NodeInfo
	for _, node := range nodes {
		if allowed.Has(node.Node().Name) {
			kept = append(kept, node)
		}
	}
	return kept
}

func nodeNames(nodes []fwk.NodeInfo) []string {
	listed := make([]string, 0, len(nodes))
	for _, node := range nodes {
		listed = append(listed, node.Node().Name)
	}
	sort.Strings(listed)
	return listed
}
