"""How much of the cluster the work takes, what of it nobody can use, and what it costs."""

from collections.abc import Callable

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array
from hydatis.simulations.measures.counted import CountedPart
from hydatis.simulations.measures.measure import Direction, Measure, Subject

_HOURS_A_DAY = 24
_MIB_A_GIB = 1024


def _nodes_used(part: CountedPart) -> float:
    return float(part.used.sum(axis=1).mean()) if part.samples else np.nan


def typical_pod(part: CountedPart) -> tuple[float, float]:
    """Return millicores and MiB of the typical pod: the median request for CPU and that for memory, each by itself,
    over all pods of the run. The same for every policy, since all get the same pods.
    """
    record = part.record
    return float(np.median(record.cpu_request_millicores)), float(np.median(record.memory_request_mib))


def _stranded_cpu(part: CountedPart) -> float:
    return _stranded(part, part.free_millicores, part.capacity_millicores, _cpu_alone_fits)


def _stranded_memory(part: CountedPart) -> float:
    return _stranded(part, part.free_mib, part.capacity_mib, _memory_alone_fits)


def _cpu_alone_fits(part: CountedPart) -> BoolArray:
    cpu, memory = typical_pod(part)
    return np.asarray((part.free_millicores >= cpu) & (part.free_mib < memory))


def _memory_alone_fits(part: CountedPart) -> BoolArray:
    cpu, memory = typical_pod(part)
    return np.asarray((part.free_millicores < cpu) & (part.free_mib >= memory))


def _stranded(
    part: CountedPart, free: Float64Array, capacity: Float64Array, on: Callable[[CountedPart], BoolArray]
) -> float:
    """Return the free capacity on these nodes in percent of that of all nodes that are there, averaged over time."""
    if not part.samples or not len(part.record.created_seconds):
        return np.nan
    stranded = np.where(on(part) & part.there, free, 0).sum(axis=1)
    whole = np.where(part.there, capacity, 0).sum(axis=1)
    return 100 * float((stranded / whole).mean())


def usd_an_hour(part: CountedPart) -> Float64Array:
    """(samples,) Price of the nodes with at least one pod."""
    by_node = (
        part.capacity_millicores / 1000 * part.prices.core_hour_usd
        + part.capacity_mib / _MIB_A_GIB * part.prices.gib_hour_usd
    )
    return np.asarray(part.used @ by_node)


def _cost(part: CountedPart) -> float:
    return _HOURS_A_DAY * float(usd_an_hour(part).mean()) if part.samples else np.nan


CAPACITY = (
    Measure(
        "nodes_used",
        "nodes used",
        "nodes",
        Direction.LOWER,
        Subject.CAPACITY,
        "Nodes with at least one pod, averaged over time; to be compared at equal service only.",
        _nodes_used,
    ),
    Measure(
        "cost_usd_a_day",
        "cost",
        "USD a day",
        Direction.LOWER,
        Subject.CAPACITY,
        "Hours of nodes with at least one pod, times the list price of their cores and memory, a day of the run.",
        _cost,
    ),
    Measure(
        "stranded_cpu_percent",
        "stranded CPU",
        "% of the cluster's CPU",
        Direction.LOWER,
        Subject.CAPACITY,
        "CPU not requested on nodes where the typical pod (median requests of all pods) finds enough CPU but not "
        "enough memory, averaged over time.",
        _stranded_cpu,
    ),
    Measure(
        "stranded_memory_percent",
        "stranded memory",
        "% of the cluster's memory",
        Direction.LOWER,
        Subject.CAPACITY,
        "Memory not requested on nodes where the typical pod finds enough memory but not enough CPU, averaged over "
        "time.",
        _stranded_memory,
    ),
)
