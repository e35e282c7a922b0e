"""Which plugins run, in kube-scheduler's order (kubernetes pkg/scheduler/apis/config/v1/default_plugins.go)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydatis.scheduler.permitting import PermitPlugin
from hydatis.scheduler.plugins import FilterPlugin, PreFilterPlugin, ScorePlugin
from hydatis.scheduler.plugins.node_affinity import NodeAffinity
from hydatis.scheduler.plugins.node_name import NodeName
from hydatis.scheduler.plugins.node_ports import NodePorts
from hydatis.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.plugins.node_unschedulable import NodeUnschedulable
from hydatis.scheduler.plugins.taint_toleration import TaintToleration
from hydatis.scheduler.policy import Heuristic, Policy


@dataclass(frozen=True, slots=True)
class WeightedPlugin:
    """A score plugin and what its 0-100 count for."""

    plugin: ScorePlugin
    weight: int


@dataclass(frozen=True)
class Profile:
    """The plugins of each extension point, in the order in which they run."""

    prefilters: Sequence[PreFilterPlugin] = (NodeName(), NodeAffinity())
    filters: Sequence[FilterPlugin] = (
        NodeName(),
        NodeUnschedulable(),
        TaintToleration(),
        NodeAffinity(),
        NodePorts(),
        NodeResourcesFit(),
    )
    scores: Sequence[ScorePlugin] = (
        TaintToleration(),
        NodeAffinity(),
        NodeResourcesFit(),
        NodeResourcesBalancedAllocation(),
    )
    permits: Sequence[PermitPlugin] = ()

    def weighted_scores(self, policy: Policy) -> tuple[WeightedPlugin, ...]:
        """Return the score plugins that the policy's fallback heuristic uses; without any, all feasible nodes are
        equal.
        """
        if policy.heuristic is Heuristic.LEAST_ALLOCATED:
            return (WeightedPlugin(NodeResourcesFit(), 1),)
        if policy.heuristic is Heuristic.MOST_ALLOCATED:
            return (WeightedPlugin(NodeResourcesFit(most_allocated=True), 1),)
        weighted = (WeightedPlugin(plugin, policy.plugin_weights.get(plugin.name, 0)) for plugin in self.scores)
        return tuple(entry for entry in weighted if entry.weight)
