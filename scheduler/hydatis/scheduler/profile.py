"""Which plugins run, in kube-scheduler's order (kubernetes pkg/scheduler/apis/config/v1/default_plugins.go)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from hydatis.scheduler.filter_args import NO_FILTER_ARGS, FilterArgs
from hydatis.scheduler.hinting import QueueingHints
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.permitting import PermitPlugin
from hydatis.scheduler.plugin_args import PluginArgs, ScoringStrategy, ScoringStrategyType
from hydatis.scheduler.plugins import (
    FilterPlugin,
    NeighbourFilterPlugin,
    NeighbourScorePlugin,
    OwnerAware,
    PreFilterPlugin,
    ReservePlugin,
    Scope,
    ScorePlugin,
    for_owner,
)
from hydatis.scheduler.plugins.default_preemption import DefaultPreemption
from hydatis.scheduler.plugins.ensemble import Ensemble
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
from hydatis.scheduler.policy import Heuristic, Policy, PolicyMode
from hydatis.scheduler.spread_constraints import SYSTEM_DEFAULTS, SpreadDefaults

PREFERENCE_POINTS = 10
"""Hundredths of a point of the ensemble's 0-100 that one of a preference's 0-100 counts for, times its plugin's weight:
with PodTopologySpread's weight of 2, at most 20 points.
"""
_BY_REQUESTS = frozenset({NodeResourcesFit.name, NodeResourcesBalancedAllocation.name})
"""What the ensemble replaces."""
_VARIANTS_KEPT = 64
"""Most arguments for which the plugins are kept; more than there are policies in force."""

NO_MODELS: Mapping[str, Model] = MappingProxyType({})


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

    def for_owner(self, owner: Owner) -> "PluginSet":
        """Return the plugins as they answer for pods of this owner."""
        return PluginSet(
            [for_owner(plugin, owner) for plugin in self.filters],
            self.neighbour_filters,
            [WeightedPlugin(for_owner(entry.plugin, owner), entry.weight) for entry in self.scores],
            self.neighbour_scores,
        )


_DEFAULT_PREEMPTION = DefaultPreemption()


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
    preemption: DefaultPreemption | None = _DEFAULT_PREEMPTION
    """What is tried when no node passes; None: nothing."""
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
    spread_defaults: SpreadDefaults = SYSTEM_DEFAULTS
    """How PodTopologySpread spreads pods that state no constraint."""

    @property
    def row_filters(self) -> tuple[FilterPlugin, ...]:
        """All filters that judge each node by itself."""
        return (*self.filters, *self.last_filters)

    @property
    def every_score(self) -> tuple[ScorePlugin, ...]:
        """All score plugins that judge each node by itself, whatever the policy."""
        return tuple(self.scores)

    @cached_property
    def filters_by_load(self) -> bool:
        """Whether a filter looks at what is measured."""
        return any(plugin.scope is Scope.LOAD for plugin in self.row_filters)

    @cached_property
    def by_class(self) -> bool:
        """Whether any answer depends on who the pod belongs to."""
        plugins: tuple[object, ...] = (*self.row_filters, *self.every_score)
        return any(isinstance(plugin, OwnerAware) and plugin.by_class for plugin in plugins)

    @cached_property
    def hints(self) -> QueueingHints:
        """What can help a pod that plugins of this profile rejected."""
        return QueueingHints(self.prefilters, self.row_filters, self.neighbour_filters, self.permits)

    def with_filter_args(self, args: FilterArgs) -> "Profile":
        """Return the profile with these arguments of plugins that filter; the same object for the same arguments."""
        if args is NO_FILTER_ARGS or args == NO_FILTER_ARGS:
            return self
        known = self._with_filter_args.get(args)
        if known is None:
            if len(self._with_filter_args) >= _VARIANTS_KEPT:
                self._with_filter_args.clear()
            known = self._with_filter_args[args] = replace(
                self,
                filters=[_filtering_with(plugin, args) for plugin in self.filters],
                scores=[_scoring_with(plugin, PluginArgs(filters=args)) for plugin in self.scores],
                spread_defaults=args.spread_defaults or self.spread_defaults,
            )
        return known

    @cached_property
    def _with_filter_args(self) -> dict[FilterArgs, "Profile"]:
        return {}

    def tells_owners_apart(self, policy: Policy, models: Mapping[str, Model]) -> bool:
        """Whether any answer under the policy depends on who the pod belongs to."""
        return self.by_class or policy.mode_with(models) is PolicyMode.ENSEMBLE

    def under(self, policy: Policy, models: Mapping[str, Model] = NO_MODELS) -> PluginSet:
        """Return the plugins under a policy. Its arguments say what filters ask for; its ensemble picks the scores as
        far as its models are loaded, or else the fallback heuristic.

        Without any score plugin all feasible nodes are equal.
        """
        if policy.plugin_args.filters != NO_FILTER_ARGS:
            without = replace(policy, plugin_args=replace(policy.plugin_args, filters=NO_FILTER_ARGS))
            return self.with_filter_args(policy.plugin_args.filters).under(without, models)
        if policy.mode_with(models) is PolicyMode.ENSEMBLE:
            return self._with_ensemble(policy, models)
        if policy.heuristic is Heuristic.LEAST_ALLOCATED:
            return self._with_scores(WeightedPlugin(NodeResourcesFit(), 1))
        if policy.heuristic is Heuristic.MOST_ALLOCATED:
            most = NodeResourcesFit(ScoringStrategy(ScoringStrategyType.MOST_ALLOCATED))
            return self._with_scores(WeightedPlugin(most, 1))
        weights = policy.plugin_weights
        scores = [_scoring_with(plugin, policy.plugin_args) for plugin in self.scores if weights.get(plugin.name)]
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

    def _with_ensemble(self, policy: Policy, models: Mapping[str, Model]) -> PluginSet:
        """The ensemble in place of the plugins that score by requests; what pods prefer, and spreading, stays."""
        weights = policy.ensemble.usable_with(models) if policy.ensemble is not None else None
        assert weights is not None  # noqa: S101  so the mode says
        preferences = {
            name: PREFERENCE_POINTS * weight
            for name, weight in policy.plugin_weights.items()
            if weight and name not in _BY_REQUESTS
        }
        scores = [_scoring_with(plugin, policy.plugin_args) for plugin in self.scores if plugin.name in preferences]
        return PluginSet(
            self.row_filters,
            self.neighbour_filters,
            [
                WeightedPlugin(Ensemble.of(weights, models), 1),
                *(WeightedPlugin(plugin, preferences[plugin.name]) for plugin in scores),
            ],
            [
                WeightedNeighbourPlugin(plugin, preferences[plugin.name])
                for plugin in self.neighbour_scores
                if plugin.name in preferences
            ],
        )

    def _with_scores(self, *scores: WeightedPlugin) -> PluginSet:
        return PluginSet(self.row_filters, self.neighbour_filters, scores, ())


def _scoring_with(plugin: ScorePlugin, args: PluginArgs) -> ScorePlugin:
    """Return the plugin with the arguments that a policy gives it, if it gives any."""
    if plugin.name == NodeResourcesFit.name and args.scoring_strategy is not None:
        return NodeResourcesFit(args.scoring_strategy)
    if plugin.name == NodeResourcesBalancedAllocation.name and args.balanced_resources is not None:
        return NodeResourcesBalancedAllocation(args.balanced_resources)
    if plugin.name == NodeAffinity.name and args.filters.added_affinity is not None:
        return NodeAffinity(args.filters.added_affinity)
    return plugin


def _filtering_with(plugin: FilterPlugin, args: FilterArgs) -> FilterPlugin:
    if plugin.name == NodeAffinity.name and args.added_affinity is not None:
        return NodeAffinity(args.added_affinity)
    return plugin
