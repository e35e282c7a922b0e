"""How evenly load lies on the nodes at each moment."""

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.measures.counted import CountedPart
from hydatis.simulations.measures.measure import Direction, Measure, Subject


def _spread(percent: Float64Array) -> float:
    """Mean over time of the population standard deviation over the nodes that are there."""
    return float(np.nanstd(percent, axis=1).mean()) if len(percent) else np.nan


def _cpu_spread(part: CountedPart) -> float:
    return _spread(part.cpu_percent)


def _memory_spread(part: CountedPart) -> float:
    return _spread(part.memory_percent)


def _imbalance(part: CountedPart) -> float:
    means = np.nanmean(part.cpu_percent, axis=1)
    busy = means > 0
    if not busy.any():
        return np.nan
    return float((np.nanmax(part.cpu_percent[busy], axis=1) / means[busy]).mean())


BALANCE = (
    Measure(
        "cpu_spread_points",
        "CPU spread",
        "percentage points",
        Direction.LOWER,
        Subject.BALANCE,
        "Standard deviation over the nodes of the CPU that their pods want, averaged over time.",
        _cpu_spread,
    ),
    Measure(
        "memory_spread_points",
        "memory spread",
        "percentage points",
        Direction.LOWER,
        Subject.BALANCE,
        "Standard deviation over the nodes of their memory in use, averaged over time.",
        _memory_spread,
    ),
    Measure(
        "cpu_imbalance",
        "imbalance",
        "ratio",
        Direction.LOWER,
        Subject.BALANCE,
        "CPU that the pods of the fullest node want over the mean of all nodes, averaged over time; 1 is even.",
        _imbalance,
    ),
)
