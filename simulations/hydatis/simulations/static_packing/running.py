"""Plays one order of pods against the decision core: events in, instructions out, as the operator does.

Invariants: every pod is placed or dropped, once; the same arguments give the same result.
"""

from dataclasses import dataclass

import numpy as np

from hydatis.scheduler import events
from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.scheduler.instructions import Bind
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scheduler import Scheduler, Settings
from hydatis.simulations.static_packing.manifests import node_manifests, pod_specs
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI, Arrivals, NodeList

_EVALUATION_MEMORY_BYTES = 2**30
"""Enough that no class of pods is ever forgotten."""
_STEPS = np.arange(0, 131, 10)
"""Percent of the nodes' GPUs that has arrived, at which the allocation is noted."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How one run ended. Shares are percent of what the nodes have."""

    placed: int
    dropped: int
    gpu_allocation_percent: float
    cpu_allocation_percent: float
    memory_allocation_percent: float
    nodes: tuple[str, ...]
    """By pod, in their order: its node; empty when it was dropped."""
    arrived_percent: Float64Array
    """GPU demand that had arrived: 0, 10, 20, ... as far as it goes."""
    allocated_percent: Float64Array
    """GPUs allocated by then."""


def pack(nodes: NodeList, pods: Arrivals, order: Int64Array, profile: Profile, random: np.random.Generator) -> Packing:
    """Feed nodes in random order, then pods in theirs."""
    scheduler = Scheduler(Settings(evaluation_memory_bytes=_EVALUATION_MEMORY_BYTES), random=random, profile=profile)
    manifests = node_manifests(nodes)
    for number in random.permutation(len(manifests)).tolist():
        scheduler.handle(events.NodeSeen(manifests[number]), 0.0)
    specs = pod_specs(pods)
    where = [_place(scheduler, specs[pod], float(now), now) for now, pod in enumerate(order.tolist())]
    return _measured(nodes, pods, order, where)


def _place(scheduler: Scheduler, spec: dict[str, object], now: float, number: int) -> str:
    """Let one pod come; return its node, or nothing when it was dropped."""
    name = f"pod-{number}"
    metadata = {"name": name, "namespace": "default", "uid": name}
    scheduler.handle(events.PodSeen({"metadata": metadata, "spec": spec}), now)
    instruction = scheduler.schedule_next(now)
    if isinstance(instruction, Bind):
        scheduler.handle(events.BindSucceeded(name), now)
        return instruction.node
    scheduler.handle(events.PodGone(name), now)
    return ""


def _measured(nodes: NodeList, pods: Arrivals, order: Int64Array, where: list[str]) -> Packing:
    placed = np.array([bool(node) for node in where], dtype=np.bool_)
    demand = pods.gpu_demand_milli[order]
    gpus = max(1, WHOLE_GPU_MILLI * int(nodes.gpus.sum()))
    arrived = 100 * np.cumsum(demand) / gpus
    allocated = 100 * np.cumsum(demand * placed) / gpus
    steps = _STEPS[np.ceil(arrived[-1]) >= _STEPS] if len(order) else _STEPS[:0]
    at = np.minimum(np.searchsorted(arrived, steps), max(0, len(order) - 1))
    return Packing(
        placed=int(placed.sum()),
        dropped=int((~placed).sum()),
        gpu_allocation_percent=_share(demand, placed, gpus),
        cpu_allocation_percent=_share(pods.cpu_millicores[order], placed, int(nodes.cpu_millicores.sum())),
        memory_allocation_percent=_share(pods.memory_mib[order], placed, int(nodes.memory_mib.sum())),
        nodes=tuple(where),
        arrived_percent=steps.astype(np.float64),
        allocated_percent=allocated[at] if len(order) else np.zeros(0),
    )


def _share(amounts: Int64Array, placed: np.ndarray[tuple[int], np.dtype[np.bool_]], whole: int) -> float:
    return 100 * float(amounts[placed].sum()) / max(1, whole)
