package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	resourceslicetracker "k8s.io/dynamic-resource-allocation/resourceslice/tracker"
	"k8s.io/klog/v2"
	configv1 "k8s.io/kube-scheduler/config/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/features"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodevolumelimits"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
	"k8s.io/kubernetes/pkg/scheduler/util/assumecache"
)

// current lets frameworks outlive the snapshot they look at: making a framework takes longer than judging a pod.
type current struct{ *cache.Snapshot }

// member is a framework that runs a single plugin.
type member struct {
	name      string
	framework framework.Framework
}

// panel judges on one set of API objects: all plugins together, and each of them alone.
type panel struct {
	snapshot *current
	together framework.Framework
	alone    []member
	weights  map[string]int64
	// nominated are the pods that a node is kept for.
	nominated nominator
	// preemption is nil where nobody asked for it.
	preemption *defaultpreemption.DefaultPreemption
}

// These frame a profile; they neither filter nor score.
var framing = map[string]bool{names.PrioritySort: true, names.DefaultBinder: true}
var silent = map[string]bool{names.SchedulingGates: true}

func init() { metrics.InitMetrics() }

// newPanel makes the frameworks; the informers behind them hold `objects` and end with the context.
func newPanel(ctx context.Context, asked *request, objects []runtime.Object) (*panel, error) {
	profile, err := profileWith(asked.Arguments)
	if err != nil {
		return nil, err
	}
	made := &panel{
		snapshot: &current{cache.NewEmptySnapshot()}, weights: map[string]int64{}, nominated: nominator{},
	}
	options, start, err := surroundings(ctx, made.snapshot, objects)
	if err != nil {
		return nil, err
	}
	options = append(options, frameworkruntime.WithPodNominator(made.nominated))
	chosen, err := choose(profile.Plugins.MultiPoint.Enabled, asked.Plugins)
	if err != nil {
		return nil, err
	}
	if made.together, err = newFramework(ctx, profile, "together", chosen, options); err != nil {
		return nil, err
	}
	if preempting(asked.Plugins) {
		if made.preemption, err = newPreemption(ctx, profile, made.together); err != nil {
			return nil, err
		}
	}
	for _, plugin := range chosen {
		alone, err := newFramework(ctx, profile, plugin.Name, []config.Plugin{plugin}, options)
		if err != nil {
			return nil, err
		}
		made.alone = append(made.alone, member{plugin.Name, alone})
		made.weights[plugin.Name] = int64(max(plugin.Weight, 1))
	}
	start()
	return made, nil
}

// profileWith is the profile that kube-scheduler has without a configuration, but for the arguments of some plugins.
func profileWith(arguments map[string]json.RawMessage) (config.KubeSchedulerProfile, error) {
	var versioned configv1.KubeSchedulerConfiguration
	scheme.Scheme.Default(&versioned)
	var configuration config.KubeSchedulerConfiguration
	if err := scheme.Scheme.Convert(&versioned, &configuration, nil); err != nil {
		return config.KubeSchedulerProfile{}, err
	}
	profile := configuration.Profiles[0]
	everyNode := int32(100)
	profile.PercentageOfNodesToScore = &everyNode
	for position, plugin := range profile.PluginConfig {
		if raw, ok := arguments[plugin.Name]; ok {
			given, _, err := scheme.Codecs.UniversalDecoder().Decode(raw, nil, nil)
			if err != nil {
				return profile, fmt.Errorf("arguments of %s: %w", plugin.Name, err)
			}
			profile.PluginConfig[position].Args = given
		}
	}
	return profile, nil
}

func choose(enabled []config.Plugin, wanted []string) ([]config.Plugin, error) {
	known := map[string]bool{}
	asked := map[string]bool{}
	for _, name := range wanted {
		asked[name] = true
	}
	var chosen []config.Plugin
	for _, plugin := range enabled {
		if framing[plugin.Name] || silent[plugin.Name] {
			continue
		}
		known[plugin.Name] = true
		if plugin.Name == names.DefaultPreemption {
			// It runs after all others, when they leave no node.
			continue
		}
		if len(wanted) == 0 || asked[plugin.Name] {
			chosen = append(chosen, plugin)
		}
	}
	for _, name := range wanted {
		if !known[name] {
			return nil, fmt.Errorf("plugin %s neither filters nor scores in the default profile", name)
		}
	}
	return chosen, nil
}

func preempting(wanted []string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, names.DefaultPreemption)
}

// newFramework names each profile, since some plugins file under that name what they add to a shared informer.
func newFramework(
	ctx context.Context,
	profile config.KubeSchedulerProfile,
	name string,
	chosen []config.Plugin,
	options []frameworkruntime.Option,
) (framework.Framework, error) {
	profile.SchedulerName = name
	enabled := append([]config.Plugin{{Name: names.PrioritySort}, {Name: names.DefaultBinder}}, chosen...)
	profile.Plugins = &config.Plugins{MultiPoint: config.PluginSet{Enabled: enabled}}
	return frameworkruntime.NewFramework(ctx, plugins.NewInTreeRegistry(), &profile, options...)
}

// surroundings are what plugins reach through their handle, made as scheduler.New makes them. The function returned
// starts the informers: after the plugins have said which ones they need.
func surroundings(
	ctx context.Context, snapshot *current, objects []runtime.Object,
) ([]frameworkruntime.Option, func(), error) {
	client := fake.NewClientset(objects...)
	factory := informers.NewSharedInformerFactory(client, 0)
	options := []frameworkruntime.Option{
		frameworkruntime.WithClientSet(client),
		frameworkruntime.WithInformerFactory(factory),
		frameworkruntime.WithSnapshotSharedLister(snapshot),
		frameworkruntime.WithMutableSnapshotLister(snapshot),
		frameworkruntime.WithParallelism(1),
		frameworkruntime.WithWaitingPods(frameworkruntime.NewWaitingPodsMap()),
		frameworkruntime.WithPodsInPreBind(frameworkruntime.NewPodsInPreBindMap()),
		frameworkruntime.WithSharedCSIManager(nodevolumelimits.NewCSIManager(factory.Storage().V1().CSINodes().Lister())),
	}
	if utilfeature.DefaultFeatureGate.Enabled(features.DynamicResourceAllocation) {
		claims := factory.Resource().V1().ResourceClaims().Informer()
		slices, err := resourceslicetracker.StartTracker(ctx, resourceslicetracker.Options{
			EnableDeviceTaintRules:   utilfeature.DefaultFeatureGate.Enabled(features.DRADeviceTaintRules),
			EnableConsumableCapacity: utilfeature.DefaultFeatureGate.Enabled(features.DRAConsumableCapacity),
			SliceInformer:            factory.Resource().V1().ResourceSlices(),
			TaintInformer:            factory.Resource().V1().DeviceTaintRules(),
			KubeClient:               client,
		})
		if err != nil {
			return nil, nil, err
		}
		assumed := assumecache.NewAssumeCache(klog.FromContext(ctx), claims, "ResourceClaim", "", nil)
		manager := dynamicresources.NewDRAManager(ctx, assumed, slices, factory)
		options = append(options, frameworkruntime.WithSharedDRAManager(manager))
	}
	start := func() {
		if len(objects) > 0 {
			factory.Start(ctx.Done())
			factory.WaitForCacheSync(ctx.Done())
		}
	}
	return options, start, nil
}

var _ fwk.SharedLister = &current{}
