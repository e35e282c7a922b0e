"""What became of the pods."""

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array
from hydatis.simulations.measures.counted import CountedPart
from hydatis.simulations.measures.measure import Direction, Measure, Subject
from hydatis.simulations.virtual_time.record import PodOutcome


def _pending_seconds(part: CountedPart) -> Float64Array:
    """Return how long each new pod waited for its first node; one that got none waited until it was given up, or
    until the run ended: leaving it out would reward a policy that lets pods starve.
    """
    record, new = part.record, part.new_pods
    ended = record.ended_seconds[new]
    until = np.where(np.isnan(ended), part.end_seconds, ended)
    placed = record.placed_seconds[new]
    return np.asarray(np.where(np.isnan(placed), until, placed) - record.created_seconds[new])


def _pending_mean(part: CountedPart) -> float:
    waits = _pending_seconds(part)
    return float(waits.mean()) if len(waits) else np.nan


def _pending_p99(part: CountedPart) -> float:
    waits = _pending_seconds(part)
    return float(np.percentile(waits, 99)) if len(waits) else np.nan


def _success(part: CountedPart) -> float:
    new = int(part.new_pods.sum())
    served = part.new_pods_that(PodOutcome.FINISHED, PodOutcome.RUNNING)
    return 100 * int(served.sum()) / new if new else np.nan


def _gave_up(part: CountedPart) -> float:
    return float(part.new_pods_that(PodOutcome.GAVE_UP).sum())


def _ended_as(part: CountedPart, outcome: PodOutcome) -> float:
    ended: BoolArray = part.record.outcome == outcome
    return float((ended & part.pods_alive).sum())


def _killed(part: CountedPart) -> float:
    return _ended_as(part, PodOutcome.KILLED)


def _lost(part: CountedPart) -> float:
    return _ended_as(part, PodOutcome.LOST)


def _restarts(part: CountedPart) -> float:
    return float(part.record.restarts[part.pods_alive].sum())


def _stretched(part: CountedPart) -> float:
    return float(part.record.stretched_seconds[part.pods_alive].sum()) / 3600


SERVICE = (
    Measure(
        "success_percent",
        "success",
        "% of new pods",
        Direction.HIGHER,
        Subject.SERVICE,
        "Share of the pods created after the warm-up that finished, or still run at the end.",
        _success,
    ),
    Measure(
        "pending_mean_seconds",
        "mean wait",
        "s",
        Direction.LOWER,
        Subject.SERVICE,
        "Mean time from creation to first placement of the pods created after the warm-up; a pod that is never placed "
        "waits until it is given up or the run ends.",
        _pending_mean,
    ),
    Measure(
        "pending_p99_seconds",
        "p99 wait",
        "s",
        Direction.LOWER,
        Subject.SERVICE,
        "99th percentile of the same times.",
        _pending_p99,
    ),
    Measure(
        "gave_up_pods",
        "given up",
        "pods",
        Direction.LOWER,
        Subject.SERVICE,
        "Pods created after the warm-up whose patience ended before they were placed.",
        _gave_up,
    ),
    Measure(
        "killed_pods",
        "killed",
        "pods",
        Direction.LOWER,
        Subject.SERVICE,
        "Pods that were killed for want of memory after the warm-up and did not run again.",
        _killed,
    ),
    Measure(
        "lost_pods",
        "lost",
        "pods",
        Direction.LOWER,
        Subject.SERVICE,
        "Pods whose node failed after the warm-up and that did not run again.",
        _lost,
    ),
    Measure(
        "restarts",
        "restarts",
        "restarts",
        Direction.LOWER,
        Subject.SERVICE,
        "Restarts after memory kills and node faults, of the pods that had not ended before the end of the warm-up.",
        _restarts,
    ),
    Measure(
        "stretched_hours",
        "stretched",
        "pod-hours",
        Direction.LOWER,
        Subject.SERVICE,
        "By how much contention lengthened the running times of the same pods, all together.",
        _stretched,
    ),
)
