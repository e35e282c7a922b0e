"""Koordinator's LoadAwareScheduling: the nodes that use least with the pod, and none above a threshold
(koordinator-sh/koordinator pkg/scheduler/plugins/loadaware).

A pod is estimated at 85 % of the larger of its CPU request and limit and 70 % of the same of memory, at most at its
limit, and at 250m and 200Mi when it states nothing. Pods that were placed less than a report interval of 60 s before
the end of the node's last sample count with their estimate, in place of what was last measured of each where that is
less. Each resource scores 100 x free / allocatable, whole numbers rounded down, and the score is the mean. The filter
rejects nodes that would use more than 65 % of their CPU or 95 % of their memory.

A node that was never measured passes the filter and scores 0. One whose last sample is 180 s old scores 0 and, as
EnableScheduleWhenNodeMetricsExpired is off by default, is rejected. By class, see `UsageAware`. The source's node
metrics come with those of its pods; here pods that have no sample of their own count as used nothing of what the
node's tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.measured_load import MeasuredLoad
from hydatis.scheduler.pod_loads import PodLoad
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU, CPU_COLUMN, MEMORY, MEMORY_COLUMN
from hydatis.simulations.baselines.usage_aware import UsageAware, rounded, unmeasured

EXPIRED = "node(s) nodeMetric expired"
EXCEEDED = {CPU: "node(s) cpu usage exceed threshold", MEMORY: "node(s) memory usage exceed threshold"}

_EXPIRATION_SECONDS = 180.0
_REPORT_INTERVAL_SECONDS = 60.0
_DEFAULT_REQUESTS = {CPU: 250, MEMORY: 200 * 1024 * 1024}


@dataclass(frozen=True)
class KoordinatorLoadAware(UsageAware):
    """Filter and score."""

    name: ClassVar[str] = "LoadAwareScheduling"

    cpu_factor_percent: int = 85
    """estimatedScalingFactors."""
    memory_factor_percent: int = 70
    cpu_threshold_percent: int = 65
    """usageThresholds."""
    memory_threshold_percent: int = 95

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes that stay below the thresholds."""
        return ~(self._expired(cluster, rows) | self._exceeds(requirements, cluster, rows).any(axis=0))

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """Name what is too much; a node whose metrics have expired is not looked at further."""
        expired = self._expired(cluster, rows)
        cpu, memory = self._exceeds(requirements, cluster, rows) & ~expired
        counts = {EXPIRED: expired, EXCEEDED[CPU]: cpu, EXCEEDED[MEMORY]: memory & ~cpu}
        return {reason: int(np.count_nonzero(which)) for reason, which in counts.items() if which.any()}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """None, as the source has it; no removal changes what is measured, though."""
        return np.zeros(len(rows), dtype=np.bool_)

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100."""
        has = cluster.allocatable[[CPU_COLUMN, MEMORY_COLUMN]][:, rows]
        used = np.rint(self._estimated(requirements, cluster, rows)).astype(np.int64)
        fits = (has > 0) & (used <= has)
        scores = np.where(fits, (has - used) * 100 // np.where(has > 0, has, 1), 0)
        score = scores.sum(axis=0) // 2
        return score if self.by_class else np.where(self._known(cluster, rows), score, 0)

    def estimated_pod(self, requirements: Requirements) -> tuple[float, float]:
        """Return millicores and bytes that a pod is taken to use (default_estimator.go)."""
        return (
            _estimated(requirements, CPU, self.cpu_factor_percent),
            _estimated(requirements, MEMORY, self.memory_factor_percent),
        )

    def _known(self, cluster: Cluster, rows: Rows) -> BoolArray:
        return cluster.load.younger(rows, _EXPIRATION_SECONDS)

    def _expired(self, cluster: Cluster, rows: Rows) -> BoolArray:
        if self.by_class:
            return np.zeros(len(rows), dtype=np.bool_)
        return ~self._known(cluster, rows) & np.isfinite(cluster.load.sampled_at[rows])

    def _exceeds(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Tell (2, rows) of CPU and memory where the threshold is exceeded; never where nothing was measured."""
        has = cluster.allocatable[[CPU_COLUMN, MEMORY_COLUMN]][:, rows]
        used = self._estimated(requirements, cluster, rows)
        percent = rounded(used / np.where(has > 0, has, 1) * 100.0)
        thresholds = np.array([[self.cpu_threshold_percent], [self.memory_threshold_percent]])
        judged = (has > 0) & (thresholds > 0)
        if not self.by_class:
            judged &= np.isfinite(cluster.load.sampled_at[rows])
        return np.asarray(judged & (percent > thresholds), dtype=np.bool_)

    def _estimated(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Float64Array:
        """Return (2, rows): what is used with the pod (GetEstimatedUsed)."""
        load = cluster.load
        measured = np.stack([load.cpu_millicores[rows], load.memory_bytes[rows]])
        used = np.nan_to_num(measured)
        for position, sampled_at, pods in unmeasured(load, rows):
            for placed in pods:
                if sampled_at - placed.since < _REPORT_INTERVAL_SECONDS:
                    in_sample = np.nan_to_num(load.pods.used[:, placed.slot])
                    used[:, position] += np.maximum(0.0, self._estimate(load, placed) - in_sample)
        if self.by_class:
            known = self._known(cluster, rows) & ~np.isnan(measured)
            used = np.where(known, used, load.stand_in(rows))
            own = load.expected_of(self.owner, requirements)
        else:
            own = self.estimated_pod(requirements)
        with_pod: Float64Array = used + np.array(own)[:, np.newaxis]
        return with_pod

    def _estimate(self, load: MeasuredLoad, placed: PodLoad) -> Float64Array:
        if self.by_class:
            return np.array(load.expected_of(placed.pod.owner, placed.pod.requirements))
        return np.array(self.estimated_pod(placed.pod.requirements))


def _estimated(requirements: Requirements, resource: str, factor_percent: int) -> float:
    limit = requirements.limits_by_name.get(resource, 0)
    stated = max(limit, requirements.requests_by_name.get(resource, 0))
    if not stated:
        return float(_DEFAULT_REQUESTS[resource])
    estimate = int(stated * factor_percent / 100 + 0.5)
    return float(min(estimate, limit) if limit else estimate)
