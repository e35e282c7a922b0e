"""NodeResourcesBalancedAllocation: nodes whose cpu and memory fill alike (kubernetes
plugins/noderesources/balanced_allocation.go).

A node's balance is (1 - std) x 100, std the standard deviation of the requested fractions of cpu and memory, which
for two of them is half their distance. The score is 50 + (50 + balance with the pod - balance without it) / 2, whole
numbers throughout.
"""

from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Normalization, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN, MEMORY_COLUMN


class NodeResourcesBalancedAllocation:
    """Score."""

    name: ClassVar[str] = "NodeResourcesBalancedAllocation"
    scope: ClassVar[Scope] = Scope.PLACEMENT
    normalization: ClassVar[Normalization] = Normalization.NONE

    def applies(self, requirements: Requirements) -> bool:
        """Only pods that request cpu or memory: the others would all go to the best balanced node."""
        return any(requirements.request(column) for column in (CPU_COLUMN, MEMORY_COLUMN))

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 50-100: 75 when the pod leaves the balance as it is, more when it improves it."""
        with_pod = _balance(cluster, rows, requirements.request(CPU_COLUMN), requirements.request(MEMORY_COLUMN))
        without_pod = _balance(cluster, rows, 0, 0)
        half = MAX_NODE_SCORE // 2
        return half + (half + with_pod - without_pod) // 2


def _balance(cluster: Cluster, rows: Rows, cpu: int, memory: int) -> Int64Array:
    cpu_fraction, cpu_offered = _fraction(cluster, rows, CPU_COLUMN, cpu)
    memory_fraction, memory_offered = _fraction(cluster, rows, MEMORY_COLUMN, memory)
    # With only one of the two offered there is nothing to balance.
    deviation = np.where(cpu_offered & memory_offered, np.abs((cpu_fraction - memory_fraction) / 2), 0.0)
    balance: Int64Array = ((1 - deviation) * MAX_NODE_SCORE).astype(np.int64)
    return balance


def _fraction(cluster: Cluster, rows: Rows, column: int, amount: int) -> tuple[Float64Array, Int64Array]:
    allocatable = cluster.allocatable[column, rows]
    offered = allocatable > 0
    requested = cluster.requested[column, rows] + amount
    fraction = requested / np.where(offered, allocatable, 1)
    # A sum past 64 bits turns negative; it is far more than any node has.
    return np.where(requested < 0, 1.0, np.minimum(fraction, 1.0)), offered
