"""Class-aware forms of the scores by requests: what pods of each owner have been seen to use on average, of CPU and
memory, stands in for what they request, for the pods on a node and for the new one.

With u what a node is expected to use with the pod, as a share of what it can allocate:

- least: 100 x (1 - mean over CPU and memory of u), as NodeResourcesFit's LeastAllocated;
- most: 100 x mean of u, as its MostAllocated;
- best fit: 100 x (1 - mean of what is left, as a share of the largest node), as `best_fit`;
- dot product: 100 x (1 - mean of what is free x what the pod is expected to use, both as shares of the largest node),
  as `dot_product`.

Shares of GPUs are not looked at: nothing tells how much of a GPU pods of an owner use.
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.simulations.baselines.usage_aware import UsageAware, capacities

FINE = 10_000
"""Steps of a point: these scores rank alone, so that nodes are equal only if they are."""


class Preference(Enum):
    """What is preferred."""

    LEAST = "least"
    MOST = "most"
    BEST_FIT = "best fit"
    DOT_PRODUCT = "dot product"


@dataclass(frozen=True)
class AllocatedByClass(UsageAware):
    """Score, 0 to 1,000,000."""

    name: ClassVar[str] = "AllocatedByClass"
    scope: ClassVar[Scope] = Scope.LOAD

    prefers: Preference = Preference.LEAST
    by_class: bool = True

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return the preference's 0-100, in steps of a ten-thousandth."""
        cut = np.clip(self._rate(requirements, cluster, rows), 0.0, MAX_NODE_SCORE)
        return np.asarray(cut * FINE, dtype=np.float64).astype(np.int64)

    def _rate(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Float64Array:
        has = capacities(cluster, rows)
        used = cluster.load.expected.mean(rows)
        pod = np.array(cluster.load.expected_of(self.owner, requirements))[:, np.newaxis]
        if self.prefers in (Preference.LEAST, Preference.MOST):
            share = np.mean(np.minimum(1.0, (used + pod) / has), axis=0)
            return np.asarray(MAX_NODE_SCORE * (share if self.prefers is Preference.MOST else 1.0 - share))
        largest = capacities(cluster, cluster.rows()).max(axis=1, keepdims=True)
        if self.prefers is Preference.BEST_FIT:
            left = np.maximum(0.0, has - used - pod) / largest
            return np.asarray(MAX_NODE_SCORE * (1.0 - np.mean(left, axis=0)))
        free = np.maximum(0.0, has - used) / largest
        return np.asarray(MAX_NODE_SCORE * (1.0 - np.mean(free * pod / largest, axis=0)))
