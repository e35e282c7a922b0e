"""Which plugins run, in kube-scheduler's order (kubernetes pkg/scheduler/apis/config/v1/default_plugins.go)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hydatis.scheduler.hinting import QueueingHints
from hydatis.scheduler.permitting import PermitPlugin
from hydatis.scheduler.plugin_args import PluginArgs, ScoringStrategy, ScoringStrategyType
from hydatis.scheduler.plugins import (
    FilterPlugin,
    NeighbourFilterPlugin,
    NeighbourScorePlugin,
    PreFilterPlugin,
    ReservePlugin,
    ScorePlugin,
)
from hydatis.scheduler.plugins.image_locality import ImageLocality
from hydatis.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from hydatis.scheduler.plugins.node_affinity import NodeAffinity
from hydatis.scheduler.plugins.node_declared_features import NodeDeclaredFeatures
from hydatis.scheduler.plugins.node_name import NodeName
from hydatis.scheduler.plugins.node_ports import NodePorts
from hydatis.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.plugins.node_unschedulable import NodeUnschedulable
from hydatis.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from hydatis.scheduler.plugins.pod_topology_spread import PodTopologySpread
from hydatis.scheduler.plugins.taint_toleration import TaintToleration
from hydatis.scheduler.plugins.volume_binding import VolumeBinding
from hydatis.scheduler.plugins.volume_restrictions import VolumeRestrictions
from hydatis.scheduler.plugins.volume_zone import VolumeZone
from hydatis.scheduler.policy import Heuristic, Policy


@dataclass(frozen=True, slots=True)
class WeightedPlugin:
    """A score plugin and what its 0-100 count for."""

    plugin: ScorePlugin
    weight: int


@dataclass(frozen=True, slots=True)
class WeightedNeighbourPlugin:
    """A score plugin that looks across nodes and what its 0-100 count for."""

    plugin: NeighbourScorePlugin
    weight: int


@dataclass(frozen=True, slots=True)
class PluginSet:
    """The filter and score plugins under one policy, in the order in which they run."""

    filters: Sequence[FilterPlugin]
    neighbour_filters: Sequence[NeighbourFilterPlugin]
    scores: Sequence[WeightedPlugin]
    neighbour_scores: Sequence[WeightedNeighbourPlugin]


@dataclass(frozen=True)
class Profile:
    """The plugins of each extension point, in the order in which they run."""

    prefilters: Sequence[PreFilterPlugin] = (
        NodeName(),
        NodeAffinity(),
        VolumeRestrictions(),
        VolumeBinding(),
        VolumeZone(),
    )
    filters: Sequence[FilterPlugin] = (
        NodeName(),
        NodeUnschedulable(),
        TaintToleration(),
        NodeAffinity(),
        NodePorts(),
        NodeResourcesFit(),
        VolumeRestrictions(),
        NodeVolumeLimits(),
        VolumeBinding(),
        VolumeZone(),
    )
    neighbour_filters: Sequence[NeighbourFilterPlugin] = (PodTopologySpread(), InterPodAffinity())
    """These run after `filters`."""
    last_filters: Sequence[FilterPlugin] = (NodeDeclaredFeatures(),)
    """These run after `neighbour_filters`; which plugin rejects a node first shows only in what is told of it."""
    scores: Sequence[ScorePlugin] = (
        TaintToleration(),
        NodeAffinity(),
        NodeResourcesFit(),
        VolumeBinding(),
        NodeResourcesBalancedAllocation(),
        ImageLocality(),
    )
    neighbour_scores: Sequence[NeighbourScorePlugin] = (PodTopologySpread(), InterPodAffinity())
    reserves: Sequence[ReservePlugin] = (VolumeBinding(),)
    permits: Sequence[PermitPlugin] = ()

    @property
    def row_filters(self) -> tuple[FilterPlugin, ...]:
        """All filters that judge each node by itself."""
        return (*self.filters, *self.last_filters)

    @cached_property
    def hints(self) -> QueueingHints:
        """What can help a pod that plugins of this profile rejected."""
        return QueueingHints(self.prefilters, self.row_filters, self.neighbour_filters, self.permits)

    def under(self, policy: Policy) -> PluginSet:
        """Return the plugins under a policy. Filters are the same under all; the fallback heuristic picks the scores.

        Without any score plugin all feasible nodes are equal.
        """
        if policy.heuristic is Heuristic.LEAST_ALLOCATED:
            return self._with_scores(WeightedPlugin(NodeResourcesFit(), 1))
        if policy.heuristic is Heuristic.MOST_ALLOCATED:
            most = NodeResourcesFit(ScoringStrategy(ScoringStrategyType.MOST_ALLOCATED))
            return self._with_scores(WeightedPlugin(most, 1))
        weights = policy.plugin_weights
        scores = [_with_args(plugin, policy.plugin_args) for plugin in self.scores if weights.get(plugin.name)]
        return PluginSet(
            self.row_filters,
            self.neighbour_filters,
            [WeightedPlugin(plugin, weights[plugin.name]) for plugin in scores],
            [
                WeightedNeighbourPlugin(plugin, weights[plugin.name])
                for plugin in self.neighbour_scores
                if weights.get(plugin.name)
            ],
        )

    def _with_scores(self, *scores: WeightedPlugin) -> PluginSet:
        return PluginSet(self.row_filters, self.neighbour_filters, scores, ())


def _with_args(plugin: ScorePlugin, args: PluginArgs) -> ScorePlugin:
    """Return the plugin with the arguments that a policy gives it, if it gives any."""
    if plugin.name == NodeResourcesFit.name and args.scoring_strategy is not None:
        return NodeResourcesFit(args.scoring_strategy)
    if plugin.name == NodeResourcesBalancedAllocation.name and args.balanced_resources is not None:
        return NodeResourcesBalancedAllocation(args.balanced_resources)
    return plugin
