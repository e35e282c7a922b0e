"""How hard nodes are driven: CPU that their pods want, as a share of what the node has.

Wanted, not granted: a node whose pods want 120 % of its CPU is worse off than one at 100 %.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array
from hydatis.simulations.measures.counted import CountedPart
from hydatis.simulations.measures.measure import Direction, Measure, Subject

THRESHOLDS_PERCENT = (65, 80, 90)
TARGET_PERCENT = 65.0
TARGET_WITHIN_POINTS = 5.0

_Condition: TypeAlias = Callable[[Float64Array], BoolArray]


def _above(threshold: float) -> Measure:
    def share(part: CountedPart) -> float:
        return _percent(part, lambda cpu: cpu > threshold)

    return Measure(
        f"node_minutes_above_{threshold:.0f}",
        f"above {threshold:.0f} % CPU",
        "% of node-minutes",
        Direction.LOWER,
        Subject.OVERLOAD,
        f"Share of node-minutes in which a node's pods want more than {threshold:.0f} % of its CPU.",
        share,
    )


def _percent(part: CountedPart, holds: _Condition) -> float:
    return 100 * float(holds(part.node_minutes).mean()) if part.samples else np.nan


def _p99(part: CountedPart) -> float:
    return float(np.percentile(part.node_minutes, 99)) if part.samples else np.nan


def _mean(part: CountedPart) -> float:
    return float(part.node_minutes.mean()) if part.samples else np.nan


def _near_target(part: CountedPart) -> float:
    return _percent(part, lambda cpu: np.abs(cpu - TARGET_PERCENT) <= TARGET_WITHIN_POINTS)


def _throttled(part: CountedPart) -> float:
    return float(part.throttled_core_seconds.sum()) / 3600


OVERLOAD = (
    *(_above(threshold) for threshold in THRESHOLDS_PERCENT),
    Measure(
        "cpu_p99_percent",
        "p99 CPU",
        "% of capacity",
        Direction.LOWER,
        Subject.OVERLOAD,
        "99th percentile over all node-minutes of the CPU that a node's pods want.",
        _p99,
    ),
    Measure(
        "throttled_core_hours",
        "throttled",
        "core-hours",
        Direction.LOWER,
        Subject.OVERLOAD,
        "CPU that pods wanted and their node could not give.",
        _throttled,
    ),
    Measure(
        "cpu_mean_percent",
        "mean CPU",
        "% of capacity",
        Direction.HIGHER,
        Subject.OVERLOAD,
        "Mean over all node-minutes of the CPU that a node's pods want, nodes without pods included.",
        _mean,
    ),
    Measure(
        "near_target_percent",
        f"within {TARGET_PERCENT:.0f} ± {TARGET_WITHIN_POINTS:.0f} % CPU",
        "% of node-minutes",
        Direction.HIGHER,
        Subject.OVERLOAD,
        f"Share of node-minutes in which a node's pods want {TARGET_PERCENT - TARGET_WITHIN_POINTS:.0f} to "
        f"{TARGET_PERCENT + TARGET_WITHIN_POINTS:.0f} % of its CPU.",
        _near_target,
    ),
)
