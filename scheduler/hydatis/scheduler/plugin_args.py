"""Arguments of plugins in a policy, with the names, defaults and bounds of kube-scheduler's configuration (kubernetes
pkg/scheduler/apis/config/types_pluginargs.go).

`policy` reads `spec.pluginArgs` here; `profile` hands what it gives to the plugins. Invariants: what is returned is
complete, valid and immutable; reading adds every error to the reader and never raises.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hydatis.scheduler.field_errors import FieldReader, described, quoted
from hydatis.scheduler.filter_args import NO_FILTER_ARGS, FilterArgs, read_filter_args
from hydatis.scheduler.resources import CPU, MEMORY

SCORING_ONLY: Final = ("NodeResourcesFit", "NodeResourcesBalancedAllocation")
"""Plugins whose arguments bear on nothing but the scores of the heuristic KubeScheduler."""

RESOURCES_MAX = 64
"""Most resources that a node is scored by."""

RESOURCE_WEIGHT_MAX = 100
"""Largest weight of a resource."""

RESOURCE_NAME_MAX = 317
"""Most characters of a resource's name: 253 of a DNS prefix, '/', and 63."""

UTILIZATION_MAX = 100
"""Utilization is in percent, so a shape has at most this many points, and one."""

SHAPE_SCORE_MAX = 10
"""Largest score of a point of a shape (kube-scheduler MaxCustomPriorityScore); 10 counts as 100."""

_PREFIXED = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
RESOURCE_NAME: Final = re.compile(
    rf"(cpu|memory|ephemeral-storage|(hugepages|attachable-volumes)-[-A-Za-z0-9_.]*[A-Za-z0-9]|{_PREFIXED})"
)
"""The resources that nodes can be scored by: any other name would have no effect, and be a mistake."""


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """A resource and what it counts for among those that a node is scored by."""

    name: str
    weight: int = 1
    """1-100."""


DEFAULT_RESOURCES: Final = (ResourceSpec(CPU), ResourceSpec(MEMORY))


@dataclass(frozen=True, slots=True)
class UtilizationShapePoint:
    """A point of the function that scores a resource's utilization."""

    utilization: int
    """0-100, percent."""
    score: int
    """0-10."""


class ScoringStrategyType(StrEnum):
    """How NodeResourcesFit scores a node by one resource."""

    LEAST_ALLOCATED = "LeastAllocated"
    """The more is left, the better."""
    MOST_ALLOCATED = "MostAllocated"
    """The less is left, the better."""
    REQUESTED_TO_CAPACITY_RATIO = "RequestedToCapacityRatio"
    """By a function of the share requested."""


@dataclass(frozen=True, slots=True)
class ScoringStrategy:
    """How NodeResourcesFit scores."""

    type: ScoringStrategyType = ScoringStrategyType.LEAST_ALLOCATED
    resources: Sequence[ResourceSpec] = DEFAULT_RESOURCES
    """Each once."""
    shape: Sequence[UtilizationShapePoint] = ()
    """By rising utilization; for RequestedToCapacityRatio alone, and then at least one."""


@dataclass(frozen=True, slots=True)
class PluginArgs:
    """The arguments that a policy gives to plugins; None where it gives none."""

    scoring_strategy: ScoringStrategy | None = None
    """Of NodeResourcesFit."""
    balanced_resources: Sequence[ResourceSpec] | None = None
    """The resources of NodeResourcesBalancedAllocation; all have weight 1."""
    filters: FilterArgs = NO_FILTER_ARGS
    """Of the plugins that filter, too: NodeAffinity and PodTopologySpread."""


def read_plugin_args(reader: FieldReader, value: object, path: str) -> PluginArgs:
    """Read the arguments by plugin."""
    plugins = reader.fields(value, path, (*SCORING_ONLY, "NodeAffinity", "PodTopologySpread"))
    fit_path, balanced_path = f"{path}.NodeResourcesFit", f"{path}.NodeResourcesBalancedAllocation"
    fit = reader.fields(plugins.get("NodeResourcesFit"), fit_path, ("scoringStrategy",))
    balanced = reader.fields(plugins.get("NodeResourcesBalancedAllocation"), balanced_path, ("resources",))
    return PluginArgs(
        scoring_strategy=_read_strategy(reader, fit["scoringStrategy"], f"{fit_path}.scoringStrategy")
        if "scoringStrategy" in fit
        else None,
        balanced_resources=_read_resources(reader, balanced["resources"], f"{balanced_path}.resources", weight_max=1)
        if "resources" in balanced
        else None,
        filters=read_filter_args(reader, plugins, path),
    )


def _read_strategy(reader: FieldReader, value: object, path: str) -> ScoringStrategy:
    fields = reader.fields(value, path, ("type", "resources", "requestedToCapacityRatio"))
    kind = _read_type(reader, fields, f"{path}.type")
    resources: Sequence[ResourceSpec] = DEFAULT_RESOURCES
    if "resources" in fields:
        resources = _read_resources(reader, fields["resources"], f"{path}.resources", weight_max=RESOURCE_WEIGHT_MAX)
    ratio_path = f"{path}.requestedToCapacityRatio"
    by_ratio = kind is ScoringStrategyType.REQUESTED_TO_CAPACITY_RATIO
    shape: Sequence[UtilizationShapePoint] = ()
    if "requestedToCapacityRatio" in fields:
        if kind is not None and not by_ratio:
            remedy = f"remove it, or set type to {ScoringStrategyType.REQUESTED_TO_CAPACITY_RATIO}"
            reader.refuse(ratio_path, f"is not for the type {kind}", remedy)
        shape = _read_shape(reader, fields["requestedToCapacityRatio"], ratio_path)
    elif by_ratio:
        reader.refuse(ratio_path, "is missing", f"add it with its shape, which the type {kind} scores by")
    return ScoringStrategy(kind or ScoringStrategyType.LEAST_ALLOCATED, resources, shape)


def _read_type(reader: FieldReader, fields: Mapping[str, Any], path: str) -> ScoringStrategyType | None:
    known = f"use one of {', '.join(ScoringStrategyType)}"
    if "type" not in fields:
        reader.refuse(path, "is missing", known)
        return None
    value = fields["type"]
    if isinstance(value, str) and value in ScoringStrategyType.__members__.values():
        return ScoringStrategyType(value)
    reader.refuse(path, f"is {described(value)}, which is no scoring strategy", known)
    return None


def _read_resources(reader: FieldReader, value: object, path: str, *, weight_max: int) -> tuple[ResourceSpec, ...]:
    if isinstance(value, list | tuple) and not value:
        reader.refuse(path, "is empty", "list at least one resource, or remove the field to score by cpu and memory")
    resources: dict[str, ResourceSpec] = {}
    positions: dict[str, int] = {}
    for index, item in enumerate(reader.items(value, path, max_items=RESOURCES_MAX)):
        entry_path = f"{path}[{index}]"
        fields = reader.fields(item, entry_path, ("name", "weight"))
        name = _read_resource_name(reader, fields, f"{entry_path}.name")
        weight = reader.integer(fields.get("weight", 1), f"{entry_path}.weight", minimum=1, maximum=weight_max)
        if name in positions:
            problem = f"repeats {path}[{positions[name]}].name, {quoted(name)}"
            reader.refuse(f"{entry_path}.name", problem, "list each resource once")
        elif name is not None:
            positions[name] = index
            resources[name] = ResourceSpec(name, weight or 1)
    return tuple(resources.values())


def _read_resource_name(reader: FieldReader, fields: Mapping[str, Any], path: str) -> str | None:
    if "name" not in fields:
        reader.refuse(path, "is missing", "name the resource")
        return None
    name = reader.text(fields["name"], path)
    if name is not None and (len(name) > RESOURCE_NAME_MAX or not RESOURCE_NAME.fullmatch(name)):
        remedy = "use cpu, memory, ephemeral-storage, hugepages-SIZE, or the whole name of another, as example.com/gpu"
        reader.refuse(path, f"is {quoted(name)}, which is no resource that nodes can be scored by", remedy)
        return None
    return name


def _read_shape(reader: FieldReader, value: object, ratio_path: str) -> tuple[UtilizationShapePoint, ...]:
    ratio = reader.fields(value, ratio_path, ("shape",))
    path = f"{ratio_path}.shape"
    items = reader.items(ratio.get("shape"), path, max_items=UTILIZATION_MAX + 1)
    if "shape" not in ratio or (isinstance(ratio["shape"], list | tuple) and not ratio["shape"]):
        reader.refuse(path, "has no point", "give at least one, with utilization (0-100) and score (0-10)")
    points: list[UtilizationShapePoint] = []
    for index, item in enumerate(items):
        fields = reader.fields(item, f"{path}[{index}]", ("utilization", "score"))
        utilization = _read_number(reader, fields, f"{path}[{index}]", "utilization", UTILIZATION_MAX)
        score = _read_number(reader, fields, f"{path}[{index}]", "score", SHAPE_SCORE_MAX)
        if utilization is None or score is None:
            continue
        if points and utilization <= points[-1].utilization:
            problem = f"is {utilization}, which is not above the {points[-1].utilization} of the point before"
            reader.refuse(f"{path}[{index}].utilization", problem, "list the points by rising utilization, each once")
            continue
        points.append(UtilizationShapePoint(utilization, score))
    return tuple(points)


def _read_number(reader: FieldReader, fields: Mapping[str, Any], path: str, name: str, maximum: int) -> int | None:
    if name not in fields:
        reader.refuse(f"{path}.{name}", "is missing", f"give a whole number from 0 to {maximum}")
        return None
    return reader.integer(fields[name], f"{path}.{name}", minimum=0, maximum=maximum)
