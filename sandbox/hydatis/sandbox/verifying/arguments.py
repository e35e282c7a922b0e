"""The arguments of plugins, on both sides: in the core's profile, and as kube-scheduler's configuration has them."""

from dataclasses import replace
from typing import Any

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.scheduler.filter_args import PREFERRED, REQUIRED, FilterArgs
from hydatis.scheduler.node_selectors import (
    AddedAffinity,
    LabelRequirement,
    NameRequirement,
    NodeSelectorTerm,
    PreferredTerm,
)
from hydatis.scheduler.plugin_args import (
    ResourceSpec,
    ScoringStrategy,
    ScoringStrategyType,
    UtilizationShapePoint,
)
from hydatis.scheduler.plugins import ScorePlugin
from hydatis.scheduler.plugins.node_affinity import NodeAffinity
from hydatis.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.plugins.pod_topology_spread import PodTopologySpread
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.spread_constraints import SYSTEM_DEFAULTS, DefaultConstraint, SpreadDefaults

_RESOURCES = (
    ResourceSpec("cpu", 3),
    ResourceSpec("ephemeral-storage", 2),
    ResourceSpec("example.com/gpu", 100),
    ResourceSpec("memory"),
    ResourceSpec("hugepages-2Mi", 5),
    ResourceSpec("example.com/nobody-has-it", 7),
)
_SHAPE = (
    UtilizationShapePoint(10, 3),
    UtilizationShapePoint(37, 10),
    UtilizationShapePoint(70, 0),
    UtilizationShapePoint(88, 1),
    UtilizationShapePoint(95, 8),
)
"""Rises and falls, with slopes that divide into fractions, a 0 and a 1 inside, and flat ends."""


_FILTER_ARGS = FilterArgs(
    AddedAffinity(
        required=(
            NodeSelectorTerm((LabelRequirement("topology.kubernetes.io/zone", "In", ("a", "b")),), (), valid=True),
            NodeSelectorTerm(
                (LabelRequirement("generation", "Gt", ("1",)), LabelRequirement("disk", "NotIn", ("hdd",))),
                (),
                valid=True,
            ),
            NodeSelectorTerm((), (NameRequirement("In", ("n0",)),), valid=True),
        ),
        preferred=(
            PreferredTerm(7, NodeSelectorTerm((LabelRequirement("disk", "Exists", ()),), (), valid=True)),
            PreferredTerm(
                100, NodeSelectorTerm((LabelRequirement("example.com/pool", "In", ("blue",)),), (), valid=True)
            ),
        ),
    ),
    SpreadDefaults(
        (
            DefaultConstraint("kubernetes.io/hostname", 2, required=True),
            DefaultConstraint("topology.kubernetes.io/zone", 1, required=True, min_domains=2, honor_taints=True),
            DefaultConstraint("topology.kubernetes.io/zone", 2, required=False),
            DefaultConstraint("disk", 1, required=False, honor_affinity=False),
        ),
        by_system=False,
    ),
)
"""They ask for labels that the nodes made up may have, so that some match and some do not."""


def scoring_by(profile: Profile, kind: ScoringStrategyType) -> Profile:
    """Return the profile with this strategy over weighted resources, and with the same resources balanced."""
    shape = _SHAPE if kind is ScoringStrategyType.REQUESTED_TO_CAPACITY_RATIO else ()
    fit = NodeResourcesFit(ScoringStrategy(kind, _RESOURCES, shape))
    balanced = NodeResourcesBalancedAllocation([ResourceSpec(resource.name) for resource in _RESOURCES])
    changed: dict[str, ScorePlugin] = {fit.name: fit, balanced.name: balanced}
    return replace(profile, scores=tuple(changed.get(plugin.name, plugin) for plugin in profile.scores))


def filtering_with_arguments(profile: Profile) -> Profile:
    """Return the profile with an affinity added to every pod's, and with default constraints of its own."""
    return profile.with_filter_args(_FILTER_ARGS)


def plugin_arguments(profile: Profile) -> dict[str, Manifest]:
    """Return the arguments with which kube-scheduler's plugins filter and score as the profile's."""
    made = {plugin.name: written for plugin in profile.scores if (written := _arguments(plugin))}
    if profile.spread_defaults != SYSTEM_DEFAULTS:
        constraints = [_constraint(default) for default in profile.spread_defaults.constraints]
        made[PodTopologySpread.name] = _args(
            "PodTopologySpreadArgs", defaultingType="List", defaultConstraints=constraints
        )
    return made


def _arguments(plugin: ScorePlugin) -> Manifest | None:
    if isinstance(plugin, NodeResourcesFit):
        strategy = plugin.strategy
        written: Manifest = {"type": str(strategy.type), "resources": _written(strategy.resources)}
        if strategy.shape:
            shape = [{"utilization": point.utilization, "score": point.score} for point in strategy.shape]
            written["requestedToCapacityRatio"] = {"shape": shape}
        return _args("NodeResourcesFitArgs", scoringStrategy=written)
    if isinstance(plugin, NodeResourcesBalancedAllocation):
        return _args("NodeResourcesBalancedAllocationArgs", resources=_written(plugin.resources))
    if isinstance(plugin, NodeAffinity) and plugin.added is not None:
        return _args("NodeAffinityArgs", addedAffinity=_affinity(plugin.added))
    return None


def _affinity(added: AddedAffinity) -> Manifest:
    written: Manifest = {}
    if added.required is not None:
        written[REQUIRED] = {"nodeSelectorTerms": [_term(term) for term in added.required]}
    if added.preferred:
        written[PREFERRED] = [{"weight": p.weight, "preference": _term(p.term)} for p in added.preferred]
    return written


def _term(term: NodeSelectorTerm) -> Manifest:
    return {
        "matchExpressions": [{"key": r.key, "operator": r.operator, "values": list(r.values)} for r in term.labels],
        "matchFields": [{"key": "metadata.name", "operator": r.operator, "values": list(r.names)} for r in term.fields],
    }


def _constraint(default: DefaultConstraint) -> Manifest:
    written: Manifest = {
        "maxSkew": default.max_skew,
        "topologyKey": default.topology_key,
        "whenUnsatisfiable": "DoNotSchedule" if default.required else "ScheduleAnyway",
        "nodeAffinityPolicy": "Honor" if default.honor_affinity else "Ignore",
        "nodeTaintsPolicy": "Honor" if default.honor_taints else "Ignore",
    }
    return {**written, "minDomains": default.min_domains} if default.required else written


def _written(resources: Any) -> list[Manifest]:
    return [{"name": resource.name, "weight": resource.weight} for resource in resources]


def _args(kind: str, **fields: Any) -> Manifest:
    return {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": kind, **fields}
