"""LoadVariationRiskBalancing: nodes whose mean load and its variation are low together
(kubernetes-sigs/scheduler-plugins pkg/trimaran/loadvariationriskbalancing).

With mu the mean and sigma the standard deviation of the last 15 minutes as shares of the node, the pod's request added
to the mean, a resource's risk is (mu + margin x sigma^(1 / sensitivity)) / 2, each part between 0 and 1, and the score
100 x (1 - risk). CPU's and memory's: the lower counts, rounded; where only one is known, that one. Without metrics, 0.

The metrics are Prometheus' avg_over_time and stddev_over_time over load-watcher's window, since the metrics server
tells no deviation; they end with the node's last sample, and are forgotten after five minutes. Pods that were just
placed do not count in the source. By class they do, with their owners' means; see `UsageAware`.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU, MEMORY
from hydatis.simulations.baselines.target_load_packing import METRICS_INTERVAL_SECONDS, STALE_SECONDS
from hydatis.simulations.baselines.usage_aware import UsageAware, capacities, class_mean, rounded, unmeasured

WINDOW_SECONDS = 900.0
"""load-watcher's FifteenMinutes."""


@dataclass(frozen=True)
class LoadVariationRiskBalancing(UsageAware):
    """Score by how little risk there is."""

    name: ClassVar[str] = "LoadVariationRiskBalancing"

    margin: float = 1.0
    """safeVarianceMargin: what the deviation counts for beside the mean."""
    sensitivity: float = 1.0
    """safeVarianceSensitivity: the deviation's root."""

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100."""
        load = cluster.load
        window = load.over(WINDOW_SECONDS)
        mean = np.stack([window.cpu_mean_millicores[rows], window.memory_mean_bytes[rows]])
        deviation = np.stack([window.cpu_deviation_millicores[rows], window.memory_deviation_bytes[rows]])
        known = load.younger(rows, STALE_SECONDS) & ~np.isnan(mean)
        requests = requirements.requests_by_name
        own: tuple[float, float] = (requests.get(CPU, 0), requests.get(MEMORY, 0))
        if self.by_class:
            own = load.expected_of(self.owner, requirements)
            estimate = class_mean(load)
            for position, sampled_at, pods in unmeasured(load, rows):
                for pod in pods:
                    if sampled_at - pod.since < METRICS_INTERVAL_SECONDS:
                        mean[:, position] += estimate(pod)
            mean = np.where(known, mean, load.stand_in(rows))
            deviation = np.where(known, deviation, np.sqrt(load.expected.variance(rows)))
            known = np.ones_like(known)
        has = capacities(cluster, rows)
        scores = [
            np.where(known[kind], self.resource_score(mean[kind], deviation[kind], own[kind], has[kind]), np.nan)
            for kind in range(2)
        ]
        return np.nan_to_num(rounded(np.fmin(scores[0], scores[1]))).astype(np.int64)

    def resource_score(
        self, mean: Float64Array, deviation: Float64Array, request: float, has: Float64Array
    ) -> Float64Array:
        """Return 0-100, not rounded, of one resource (computeScore); the amounts are in one unit."""
        mu = np.clip((np.clip(mean, 0.0, has) + max(0.0, request)) / has, 0.0, 1.0)
        sigma = np.clip(np.clip(deviation, 0.0, has) / has, 0.0, 1.0)
        if self.sensitivity > 0.0:
            sigma = sigma ** (1.0 / self.sensitivity)
        elif self.sensitivity == 0.0:
            # Go's math.Pow(sigma, +Inf): 0, but for a sigma of 1.
            sigma = np.where(sigma == 1.0, 1.0, 0.0)
        sigma = np.clip(self.margin * sigma, 0.0, 1.0)
        return np.asarray((1.0 - (mu + sigma) / 2.0) * 100.0, dtype=np.float64)
