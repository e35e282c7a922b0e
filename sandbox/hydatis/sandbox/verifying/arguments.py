"""The arguments of plugins, on both sides: in the core's profile, and as kube-scheduler's configuration has them."""

from dataclasses import replace
from typing import Any

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.scheduler.plugin_args import (
    ResourceSpec,
    ScoringStrategy,
    ScoringStrategyType,
    UtilizationShapePoint,
)
from hydatis.scheduler.plugins import ScorePlugin
from hydatis.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.profile import Profile

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
    UtilizationShapePoint(95, 8),
)
"""Rises and falls, with slopes that divide into fractions, a 0 inside, and flat ends."""


def scoring_by(profile: Profile, kind: ScoringStrategyType) -> Profile:
    """Return the profile with this strategy over weighted resources, and with the same resources balanced."""
    shape = _SHAPE if kind is ScoringStrategyType.REQUESTED_TO_CAPACITY_RATIO else ()
    fit = NodeResourcesFit(ScoringStrategy(kind, _RESOURCES, shape))
    balanced = NodeResourcesBalancedAllocation([ResourceSpec(resource.name) for resource in _RESOURCES])
    changed: dict[str, ScorePlugin] = {fit.name: fit, balanced.name: balanced}
    return replace(profile, scores=tuple(changed.get(plugin.name, plugin) for plugin in profile.scores))


def plugin_arguments(profile: Profile) -> dict[str, Manifest]:
    """Return the arguments with which kube-scheduler's plugins score as the profile's."""
    return {plugin.name: made for plugin in profile.scores if (made := _arguments(plugin))}


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
    return None


def _written(resources: Any) -> list[Manifest]:
    return [{"name": resource.name, "weight": resource.weight} for resource in resources]


def _args(kind: str, **fields: Any) -> Manifest:
    return {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": kind, **fields}
