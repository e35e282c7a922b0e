"""NodeResourcesFit: a node must have what the pod requests left, and room for one more pod (kubernetes
plugins/noderesources).

The score is LeastAllocated or MostAllocated over cpu and memory, in the integer arithmetic of `least_allocated.go` and
`most_allocated.go`: 100 x free / allocatable, or 100 x requested / allocatable, each rounded down, then their mean
rounded down.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Normalization, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN, MEMORY_COLUMN, PODS_COLUMN


class NodeResourcesFit:
    """Filter on every requested resource; score by how much is left, or by how little."""

    name: ClassVar[str] = "NodeResourcesFit"
    scope: ClassVar[Scope] = Scope.PLACEMENT
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED | ClusterEvent.NODE_ALLOCATABLE | ClusterEvent.POD_REMOVED | ClusterEvent.OWN_REQUESTS
    )
    normalization: ClassVar[Normalization] = Normalization.NONE

    def __init__(self, *, most_allocated: bool = False) -> None:
        """Score LeastAllocated, kube-scheduler's default, or MostAllocated."""
        self.most_allocated = most_allocated

    def applies(self, requirements: Requirements) -> bool:
        """Every pod: it takes at least one of the node's places for pods."""
        return True

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes with enough of everything left."""
        passed = ~_too_many_pods(cluster, rows)
        for column, amount in requirements.requests:
            if amount:
                passed &= ~_insufficient(cluster, rows, column, amount)
        return passed

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """Name each resource that is short."""
        counts = {"Too many pods": np.count_nonzero(_too_many_pods(cluster, rows))}
        for column, amount in requirements.requests:
            if amount:
                short = np.count_nonzero(_insufficient(cluster, rows, column, amount))
                counts[f"Insufficient {cluster.columns.name(column)}"] = short
        return {reason: int(count) for reason, count in counts.items() if count}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """A request for more than the whole node has; that it has no place for any pod is not looked at."""
        too_small = np.zeros(len(rows), dtype=np.bool_)
        for column, amount in requirements.requests:
            if amount:
                short = _insufficient(cluster, rows, column, amount)
                too_small |= short & (amount > cluster.allocatable[column, rows])
        return too_small

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100, the higher the more (MostAllocated: the less) is left."""
        total = np.zeros(len(rows), dtype=np.int64)
        resources = np.zeros(len(rows), dtype=np.int64)
        for kind, (column, amount) in enumerate(
            ((CPU_COLUMN, requirements.scored_cpu), (MEMORY_COLUMN, requirements.scored_memory))
        ):
            allocatable = cluster.allocatable[column, rows]
            offered = allocatable > 0
            # A sum past 64 bits turns negative; it is far more than any node has.
            requested = cluster.nonzero_requested[kind, rows] + amount
            fits = (requested <= allocatable) & (requested >= 0)
            part = np.where(fits, requested, allocatable)
            if not self.most_allocated:
                part = allocatable - part
            total += part * MAX_NODE_SCORE // np.where(offered, allocatable, 1)
            resources += offered
        score: Int64Array = total // np.maximum(resources, 1)
        return score


def _too_many_pods(cluster: Cluster, rows: Rows) -> BoolArray:
    verdicts: BoolArray = cluster.requested[PODS_COLUMN, rows] + 1 > cluster.allocatable[PODS_COLUMN, rows]
    return verdicts


def _insufficient(cluster: Cluster, rows: Rows, column: int, amount: int) -> BoolArray:
    verdicts: BoolArray = amount > cluster.allocatable[column, rows] - cluster.requested[column, rows]
    return verdicts
