"""crane's Dynamic: nodes that have used little of late, and took few pods (gocrane/crane-scheduler pkg/plugins/dynamic,
with deploy/manifests/dynamic/policy.yaml).

Of CPU and memory each, as shares of the node: the mean of the last 5 minutes (weight 0.2), the highest such mean of the
last hour (0.3) and of the last day (0.5). A metric's score is 100 x (1 - share), that of one which has expired 0; the
weighted mean is cut to an integer. The hot value is a fifth of the pods bound in the last 5 minutes plus half of those
in the last minute, each rounded down; ten times it is subtracted, and what remains held between 0 and 100. The filter
rejects nodes whose 5-minute mean is above 65 % or whose highest of the hour is above 75 %, of CPU or memory.

The source copies metrics and hot value into annotations every 3 minutes to 3 hours and reads them from there; here
both are as of now, which can only help. They expire when the copy would: after its period and 5 minutes. Pods are not
estimated; by class they are: then what the pods that were just placed and the new one are expected to use is added to
each metric when scoring, in place of the hot value, and a node without metrics is taken to use what its pods are
expected to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.measured_load import PEAK_OF_SECONDS, MeasuredLoad
from hydatis.scheduler.requirements import Requirements
from hydatis.simulations.baselines.usage_aware import UsageAware, capacities, class_mean, unmeasured

_MINUTE = 60.0
_EXTRA_ACTIVE_SECONDS = 5 * _MINUTE
"""ExtraActivePeriod."""
_HOT_VALUES = ((5 * _MINUTE, 5), (_MINUTE, 2))
"""hotValue: a time range, and how many pods in it make one."""


class Metric(NamedTuple):
    """One metric of the policy."""

    name: str
    resource: int
    """0: CPU, 1: memory."""
    expires_seconds: float
    weight: float
    limit: float
    """maxLimitPecent, as a share; 0: none."""


def _metrics() -> Iterator[Metric]:
    for resource, kind in enumerate(("cpu", "mem")):
        yield Metric(f"{kind}_usage_avg_5m", resource, 3 * _MINUTE + _EXTRA_ACTIVE_SECONDS, 0.2, 0.65)
        yield Metric(f"{kind}_usage_max_avg_1h", resource, 15 * _MINUTE + _EXTRA_ACTIVE_SECONDS, 0.3, 0.75)
        yield Metric(f"{kind}_usage_max_avg_1d", resource, 180 * _MINUTE + _EXTRA_ACTIVE_SECONDS, 0.5, 0.0)


METRICS = tuple(_metrics())


@dataclass(frozen=True)
class CraneDynamic(UsageAware):
    """Filter and score."""

    name: ClassVar[str] = "Dynamic"

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes that none of the limits rejects; what has expired rejects none."""
        overloaded = [which for _, which in self._overloaded(cluster, rows)]
        return np.asarray(~np.any(overloaded, axis=0), dtype=np.bool_)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """Name the first limit that rejects each node; the source names the node, too."""
        counts: dict[str, int] = {}
        left = np.ones(len(rows), dtype=np.bool_)
        for metric, which in self._overloaded(cluster, rows):
            first = which & left
            if first.any():
                counts[f"Load[{metric.name}] of node is too high"] = int(np.count_nonzero(first))
            left &= ~which
        return counts

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """None, as the source has it; no removal changes what is measured, though."""
        return np.zeros(len(rows), dtype=np.bool_)

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100."""
        load = cluster.load
        has = capacities(cluster, rows)
        added = self._added(load, requirements, rows) / has
        expected = load.stand_in(rows) / has if self.by_class else None
        score = np.zeros(len(rows))
        for metric in METRICS:
            share, active = _shares(load, metric, rows, has), _active(load, metric, rows)
            if expected is not None:
                share = np.where(active & ~np.isnan(share), share, expected[metric.resource])
                active = np.ones_like(active)
            rating = (1.0 - share - added[metric.resource]) * metric.weight * 100.0
            score += np.where(active & ~np.isnan(share), rating, 0.0)
        # Rounded first, so that the order of a sum in floating point cannot cut a point off.
        whole = np.trunc(np.round(score / sum(metric.weight for metric in METRICS), 9)).astype(np.int64)
        if not self.by_class:
            whole = whole - 10 * hot_values(load, rows)
        return np.clip(whole, 0, 100)

    def _overloaded(self, cluster: Cluster, rows: Rows) -> Iterator[tuple[Metric, BoolArray]]:
        has = capacities(cluster, rows)
        for metric in METRICS:
            if metric.limit:
                share = _shares(cluster.load, metric, rows, has)
                yield metric, _active(cluster.load, metric, rows) & (np.nan_to_num(share) > metric.limit)

    def _added(self, load: MeasuredLoad, requirements: Requirements, rows: Rows) -> Float64Array:
        """Return (2, rows): millicores and bytes to add to what is measured."""
        added = np.zeros((2, len(rows)))
        if self.by_class:
            estimate = class_mean(load)
            known = _active(load, METRICS[0], rows)
            for position, _, pods in unmeasured(load, rows):
                if known[position]:
                    for pod in pods:
                        added[:, position] += estimate(pod)
            added += np.array(load.expected_of(self.owner, requirements))[:, np.newaxis]
        return added


def hot_values(load: MeasuredLoad, rows: Rows) -> Int64Array:
    """Return each row's hot value (annotateNodeHotValue)."""
    total = np.zeros(len(rows), dtype=np.int64)
    for seconds, count in _HOT_VALUES:
        total += load.placed_within(rows, seconds) // count
    return total


def _active(load: MeasuredLoad, metric: Metric, rows: Rows) -> BoolArray:
    return load.younger(rows, metric.expires_seconds)


def _shares(load: MeasuredLoad, metric: Metric, rows: Rows, has: Float64Array) -> Float64Array:
    """Return a metric of each row; NaN: unknown."""
    if metric.name.endswith("avg_5m"):
        window = load.over(PEAK_OF_SECONDS)
        values = (window.cpu_mean_millicores, window.memory_mean_bytes)[metric.resource]
    else:
        peaks = load.peaks.hour if metric.name.endswith("1h") else load.peaks.day
        values = peaks[metric.resource].highest
    return np.asarray(values[rows] / has[metric.resource], dtype=np.float64)
