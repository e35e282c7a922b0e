"""LowRiskOverCommitment: nodes on which pods that use more than they request are least likely to meet each other
(kubernetes-sigs/scheduler-plugins pkg/trimaran/lowriskovercommitment).

Of CPU and of memory, and with all requests and limits of a node's pods added up (a limit being at least the request):

- the limit's risk is (limits - capacity) / (limits - requests), both with the pod, where the limits are above capacity;
- the load's risk is the probability that the node uses more than its pods request without this one, of a beta
  distribution with the mean and deviation of the last 15 minutes, given that it uses at most their limits where these
  are below capacity. The deviation is multiplied by the root of 5, the windows over which the metrics are smoothed, up
  to 0.99 of the largest variance there is for the mean.

Half of the one and half of the other, the higher of CPU's and memory's, is the node's risk; the score is 100 x (1 -
risk), rounded. Pods that state nothing score 0 everywhere, and so does a node without metrics. Where limits are
requests every node scores 100: the source is about overcommitment only. For the metrics see
`load_variation_risk_balancing`.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU, CPU_COLUMN, MEMORY, MEMORY_COLUMN
from hydatis.simulations.baselines.incomplete_beta import regularized_incomplete_beta
from hydatis.simulations.baselines.load_variation_risk_balancing import WINDOW_SECONDS
from hydatis.simulations.baselines.target_load_packing import STALE_SECONDS
from hydatis.simulations.baselines.usage_aware import UsageAware, rounded

_MAX_VARIANCE_ALLOWANCE = 0.99
"""MaxVarianceAllowance."""


class LimitSums:
    """The requests and limits of the pods on each row, kept up to date through the cluster's change log."""

    def __init__(self) -> None:
        self.requests: Int64Array = np.zeros((2, 0), dtype=np.int64)
        """(2, rows): millicores and bytes."""
        self.limits: Int64Array = np.zeros((2, 0), dtype=np.int64)
        self._position = -1

    def refresh(self, cluster: Cluster) -> None:
        """Count the rows anew on which pods came or went."""
        rows = cluster.placement_changes.since(self._position)
        self._position = cluster.placement_changes.position
        added = cluster.capacity - self.requests.shape[1]
        if added:
            self.requests = np.pad(self.requests, ((0, 0), (0, added)))
            self.limits = np.pad(self.limits, ((0, 0), (0, added)))
        for row in range(cluster.capacity) if rows is None else rows.tolist():
            requests, limits = np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
            for pod in cluster.pods_on(row).values():
                its_requests, its_limits = stated(pod.requirements)
                requests += its_requests
                limits += its_limits
            self.requests[:, row], self.limits[:, row] = requests, limits


def stated(requirements: Requirements) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return a pod's requests and limits of CPU and memory, the limits at least the requests (SetMaxLimits)."""
    requests = requirements.requests_by_name.get(CPU, 0), requirements.requests_by_name.get(MEMORY, 0)
    limits = requirements.limits_by_name.get(CPU, 0), requirements.limits_by_name.get(MEMORY, 0)
    return requests, (max(requests[0], limits[0]), max(requests[1], limits[1]))


@dataclass(frozen=True)
class LowRiskOverCommitment(UsageAware):
    """Score by how little risk there is."""

    name: ClassVar[str] = "LowRiskOverCommitment"

    smoothing_window_size: float = 5.0
    """smoothingWindowSize."""
    risk_limit_weight: float = 0.5
    """riskLimitWeights, of CPU and memory: what the limit's risk counts for; the load's risk counts for the rest."""
    sums: LimitSums = field(default_factory=LimitSums, compare=False)
    """Of one scheduler's cluster."""

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100."""
        requests, limits = stated(requirements)
        if not any((*requests, *limits)):
            return np.zeros(len(rows), dtype=np.int64)
        load = cluster.load
        self.sums.refresh(cluster)
        window = load.over(WINDOW_SECONDS)
        measured = (
            (window.cpu_mean_millicores[rows], window.cpu_deviation_millicores[rows]),
            (window.memory_mean_bytes[rows], window.memory_deviation_bytes[rows]),
        )
        known = load.younger(rows, STALE_SECONDS) & ~(np.isnan(measured[0][0]) & np.isnan(measured[1][0]))
        risks = [
            self.risk(
                *measured[kind],
                capacity=cluster.allocatable[column, rows].astype(np.float64),
                requested=self.sums.requests[kind, rows].astype(np.float64),
                limited=self.sums.limits[kind, rows].astype(np.float64),
                request=requests[kind],
                limit=limits[kind],
            )
            for kind, column in enumerate((CPU_COLUMN, MEMORY_COLUMN))
        ]
        score = rounded((1.0 - np.maximum(risks[0], risks[1])) * 100.0)
        return np.where(known, score, 0.0).astype(np.int64)

    def risk(
        self,
        mean: Float64Array,
        deviation: Float64Array,
        *,
        capacity: Float64Array,
        requested: Float64Array,
        limited: Float64Array,
        request: int,
        limit: int,
    ) -> Float64Array:
        """Return each row's risk of one resource, 0 to 1 (computeRisk); `requested` and `limited` are without the
        pod.
        """
        most = np.where(capacity > 0, capacity, 1.0)
        with_pod = np.minimum(requested + request, capacity)
        over = limited + limit - capacity
        gap = limited + limit - with_pod
        of_limits = np.where(over > 0, over / np.where(gap > 0, gap, 1.0), 0.0)
        of_load = self._load_risk(mean / most, deviation / most, np.minimum(requested, capacity) / most, limited / most)
        weight = self.risk_limit_weight
        return np.clip(weight * of_limits + (1.0 - weight) * np.where(np.isnan(mean), 0.0, of_load), 0.0, 1.0)

    def _load_risk(
        self, mean: Float64Array, deviation: Float64Array, requested: Float64Array, limited: Float64Array
    ) -> Float64Array:
        """Return the probability of more load than is requested; all are shares of capacity."""
        mu = np.clip(np.nan_to_num(mean), 0.0, 1.0)
        sigma = np.clip(np.nan_to_num(deviation), 0.0, 1.0) * np.sqrt(self.smoothing_window_size)
        sigma = np.minimum(sigma, np.sqrt(mu * (1.0 - mu) * _MAX_VARIANCE_ALLOWANCE))
        certain = (mu == 0.0) | (sigma == 0.0)
        share = np.where(certain, 1.0, mu * (1.0 - mu) / np.where(certain, 1.0, sigma) ** 2 - 1.0)
        a, b = np.where(certain, 1.0, mu * share), np.where(certain, 1.0, (1.0 - mu) * share)
        of_requests = regularized_incomplete_beta(a, b, np.clip(requested, 0.0, 1.0))
        below_requests = np.where(certain, np.where(mu <= requested, 1.0, 0.0), of_requests)
        below_limits = regularized_incomplete_beta(a, b, np.clip(limited, 0.0, 1.0))
        conditioned = (limited < 1.0) & (requested <= limited)
        divided = conditioned & ~certain & (below_limits > 0.0)
        given = np.where(divided, below_requests / np.where(divided, below_limits, 1.0), below_requests)
        given = np.where(conditioned & (limited == 0.0), 1.0, given)
        return 1.0 - np.clip(given, 0.0, 1.0)
