"""TargetLoadPacking: pack nodes up to a target CPU load, then avoid them (kubernetes-sigs/scheduler-plugins
pkg/trimaran/targetloadpacking).

A pod is taken to use its containers' limits, else 1.5 times their requests, else a core each, and its overhead. With p
the percent that the node is predicted to use with the pod and t the target, the score is t + (100 - t) p / t up to the
target and t (100 - p) / (100 - t) above it, rounded; 0 above 100 %, and 0 without metrics. Pods that were placed less
than a minute before the end of the last sample are added to it, whole.

The metrics are those of the source's default provider, the metrics server: the latest sample. load-watcher forgets
what it has after five minutes. By class, see `UsageAware`.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.measured_load import MeasuredLoad
from hydatis.scheduler.pod_loads import PodLoad
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN
from hydatis.simulations.baselines.usage_aware import UsageAware, capacities, rounded, unmeasured

METRICS_INTERVAL_SECONDS = 60.0
"""metricsAgentReportingIntervalSeconds."""
STALE_SECONDS = 300.0
"""cacheCleanupIntervalMinutes: the maximum staleness of load watcher's metrics."""


@dataclass(frozen=True)
class TargetLoadPacking(UsageAware):
    """Score by distance from the target."""

    name: ClassVar[str] = "TargetLoadPacking"

    target_percent: float = 40.0
    """targetUtilization."""
    requests_multiplier: float = 1.5
    """defaultRequestsMultiplier."""
    default_millicores: int = 1000
    """defaultRequests: of containers that state nothing."""

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100."""
        load = cluster.load
        has = capacities(cluster, rows)[0]
        known = load.younger(rows, STALE_SECONDS) & ~np.isnan(load.cpu_millicores[rows])
        used = np.where(known, load.cpu_millicores[rows], 0.0)
        for position, sampled_at, pods in unmeasured(load, rows):
            if known[position]:
                missing = [pod for pod in pods if sampled_at - pod.since < METRICS_INTERVAL_SECONDS]
                used[position] += sum(self._estimated(load, pod) for pod in missing)
        if self.by_class:
            used = np.where(known, used, load.stand_in(rows)[0])
            known = np.ones(len(rows), dtype=np.bool_)
            own = load.expected_of(self.owner, requirements)[0]
        else:
            own = self.predicted(requirements)
        percent = 100.0 * (used + own) / has
        percent = np.where(cluster.allocatable[CPU_COLUMN, rows] > 0, percent, 0.0)
        target = self.target_percent
        below = (100.0 - target) * percent / target + target
        above = target * (100.0 - percent) / (100.0 - target)
        score = rounded(np.where(percent > target, np.maximum(above, 0.0), below))
        return np.where(known & (percent <= 100.0), score, 0.0).astype(np.int64)

    def predicted(self, requirements: Requirements) -> float:
        """Return the millicores that a pod is taken to use (PredictUtilisation)."""
        total = float(requirements.overhead_millicores)
        for container in requirements.container_cpu:
            if container.limit is not None:
                total += container.limit
            elif container.request is not None:
                total += int(container.request * self.requests_multiplier + 0.5)
            else:
                total += self.default_millicores
        return total

    def _estimated(self, load: MeasuredLoad, placed: PodLoad) -> float:
        if self.by_class:
            return load.expected_of(placed.pod.owner, placed.pod.requirements)[0]
        return self.predicted(placed.pod.requirements)
