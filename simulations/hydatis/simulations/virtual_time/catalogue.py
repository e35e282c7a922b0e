"""The scenarios by name: a size, a load, and whether there are faults, such as `study-overloaded-faults`.

`study` alone is `study-full`: names are put together, not listed by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from hydatis.simulations.clusters import NodeShape
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.virtual_time.scenario import Assumptions, Demand, Load, NodeGroup, Part, Scenario

_HOUR = 3600.0
_MOST_PODS = 250
"""Pods a node may hold, as many clusters of large machines set it: CPU and memory are what fills nodes here."""
_CONTROL_PLANE_TAINT: Mapping[str, str] = MappingProxyType(
    {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
)

LOADS: Mapping[Load, float] = MappingProxyType({Load.LIGHT: 0.5, Load.FULL: 0.8, Load.OVERLOADED: 1.15})
"""What is asked for, as a share of what the nodes offer."""

FAULTS: Mapping[str, float] = MappingProxyType(
    {"failures_a_node_day": 0.1, "drains_a_node_day": 0.2, "late_share": 0.05}
)
"""What `-faults` changes of the assumptions: a node fails every ten days and is drained every five."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a cluster is, and for how long it is looked at."""

    nodes: tuple[NodeGroup, ...]
    hours: float
    """The warm-up included."""
    warm_up_hours: float
    demand: Demand


def _worker(cores: int, *, gib_a_core: int = 4) -> NodeShape:
    return NodeShape(f"worker-{cores}", cores, cores * gib_a_core, pods=_MOST_PODS)


def _gpu_worker(cores: int, gpus: int) -> NodeShape:
    return NodeShape(f"gpu-{gpus}x{cores}", cores, 8 * cores, gpus=gpus, pods=_MOST_PODS)


SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "six": Size(
            (
                NodeGroup(NodeShape("control-plane-4", 4, 16, taints=(_CONTROL_PLANE_TAINT,)), 3),
                NodeGroup(_worker(16), 3),
            ),
            24,
            2,
            Demand(load=0.0, owners=20, request_factor=0.1),
        ),
        "study": Size(
            (
                NodeGroup(_worker(32), 10),
                NodeGroup(_worker(64), 10),
                NodeGroup(_worker(96), 12),
                NodeGroup(_worker(128), 8),
            ),
            24,
            2,
            Demand(load=0.0, owners=100, request_factor=0.5),
        ),
        "day": Size(
            (NodeGroup(_worker(32), 50), NodeGroup(_worker(64), 100), NodeGroup(_worker(96), 50)),
            24,
            1,
            Demand(load=0.0, owners=200, request_factor=0.25, arrivals_a_second=1.0),
        ),
        "large": Size(
            (
                NodeGroup(_worker(96), 500),
                NodeGroup(_gpu_worker(64, 8), 2500),
                NodeGroup(_gpu_worker(96, 8), 2000),
            ),
            3,
            1,
            Demand(load=0.0, owners=400, with_gpus=True),
        ),
    }
)
"""`six`: the smallest cluster HYDATIS is for. `study`: 40 nodes for a day. `day`: 200 nodes
and a pod a second. `large`: 5,000 nodes, most with GPUs, as many by core as the traces' pods ask for.
"""


def names() -> list[str]:
    """Return all names, each in full."""
    return [_name(size, load, faults) for size in SIZES for load in Load for faults in (False, True)]


def _name(size: str, load: Load | None, faults: bool) -> str:
    return "-".join([size, *([] if load is None else [load]), *(["faults"] if faults else [])])


def scenario_named(name: str, part: Part = Part.VALIDATION, **assumptions: Any) -> Scenario:
    """Return the scenario of this name; `assumptions` are changed by name.

    Raises:
        SimulationError: there is none of this name, or an assumption cannot be.

    """
    known = {
        _name(size, load, faults): (size, load) for size in SIZES for load in (None, *Load) for faults in (False, True)
    }
    if name not in known:
        raise SimulationError(
            f"the scenario {name} is unknown; put one together as SIZE[-LOAD][-faults], of the sizes "
            f"{', '.join(SIZES)} and the loads {', '.join(Load)}, such as study-overloaded-faults."
        )
    size, named_load = known[name]
    load, faults, chosen = named_load or Load.FULL, name.endswith("-faults"), SIZES[size]
    try:
        assumed = Assumptions(**{**(FAULTS if faults else {}), **assumptions})
    except TypeError as error:
        fields = ", ".join(Assumptions.__dataclass_fields__)
        raise SimulationError(f"an assumption is unknown ({error}); there are {fields}.") from error
    return Scenario(
        name=_name(size, load, faults),
        nodes=chosen.nodes,
        length_seconds=chosen.hours * _HOUR,
        warm_up_seconds=chosen.warm_up_hours * _HOUR,
        demand=replace(chosen.demand, load=LOADS[load]),
        part=part,
        assumptions=assumed,
    )
