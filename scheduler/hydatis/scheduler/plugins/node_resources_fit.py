"""NodeResourcesFit: a node must have what the pod requests left, and room for one more pod (kubernetes
plugins/noderesources).

Each resource of the scoring strategy gives 0-100: 100 x free / allocatable (LeastAllocated), 100 x requested /
allocatable (MostAllocated), or the strategy's own function of that share (RequestedToCapacityRatio), rounded down. The
score is their weighted mean, rounded down; for RequestedToCapacityRatio to the nearest, without the resources that
give 0. It is the integer arithmetic of `least_allocated.go`, `most_allocated.go` and `requested_to_capacity_ratio.go`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugin_args import (
    SHAPE_SCORE_MAX,
    UTILIZATION_MAX,
    ScoringStrategy,
    ScoringStrategyType,
    UtilizationShapePoint,
)
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Normalization, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import PODS_COLUMN, RESOURCES_WITH_DEFAULTS, is_scalar_resource


class NodeResourcesFit:
    """Filter on every requested resource; score by how much is left, or by how little."""

    name: ClassVar[str] = "NodeResourcesFit"
    scope: ClassVar[Scope] = Scope.PLACEMENT
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED | ClusterEvent.NODE_ALLOCATABLE | ClusterEvent.POD_REMOVED | ClusterEvent.OWN_REQUESTS
    )
    normalization: ClassVar[Normalization] = Normalization.NONE

    def __init__(self, strategy: ScoringStrategy | None = None) -> None:
        """Score by this strategy; without one, by kube-scheduler's default."""
        self.strategy = strategy or ScoringStrategy()
        self._by_utilization = scores_by_utilization(self.strategy.shape) if self.strategy.shape else None

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
        """Return 0-100, the higher the better by the strategy."""
        total = np.zeros(len(rows), dtype=np.int64)
        weights = np.zeros(len(rows), dtype=np.int64)
        for weight, allocatable, requested in self._shares(requirements, cluster, rows):
            # A sum past 64 bits turns negative; it is far more than any node has.
            fits = (requested <= allocatable) & (requested >= 0)
            part = np.where(fits, requested, allocatable)
            if self.strategy.type is ScoringStrategyType.LEAST_ALLOCATED:
                part = allocatable - part
            counts = allocatable > 0
            scores = part * MAX_NODE_SCORE // np.maximum(allocatable, 1)
            if self._by_utilization is not None:
                scores = np.where(counts, self._by_utilization[scores], 0)
                counts = scores > 0
            total += weight * scores
            weights += weight * counts
        divisor = np.maximum(weights, 1)
        # Rounded to the nearest, halves up, or down.
        mean: Int64Array = total // divisor if self._by_utilization is None else (2 * total + divisor) // (2 * divisor)
        return mean

    def _shares(
        self, requirements: Requirements, cluster: Cluster, rows: Rows
    ) -> Iterator[tuple[int, Int64Array, Int64Array]]:
        """Yield each resource's weight, and of each row what it has and what would be requested there with the pod."""
        for resource in self.strategy.resources:
            column = cluster.columns.find(resource.name)
            if column is None:
                continue
            amount = requirements.scored_requests.get(resource.name, 0)
            if not amount and is_scalar_resource(resource.name):
                # resource_allocation.go leaves out what only other pods want.
                continue
            counted = cluster.nonzero_requested if column in RESOURCES_WITH_DEFAULTS else cluster.requested
            yield resource.weight, cluster.allocatable[column, rows], counted[column, rows] + amount


def scores_by_utilization(shape: Sequence[UtilizationShapePoint]) -> Int64Array:
    """Return the score for each utilization from 0 to 100: straight lines between the points of the shape, the first
    and last point's score before and after them (plugins/helper/shape_score.go, BuildBrokenLinearFunction).
    """
    return np.array([_on_line(shape, percent) for percent in range(UTILIZATION_MAX + 1)], dtype=np.int64)


def _on_line(shape: Sequence[UtilizationShapePoint], percent: int) -> int:
    scale = MAX_NODE_SCORE // SHAPE_SCORE_MAX
    before = shape[0]
    for point in shape:
        if percent <= point.utilization:
            if point is shape[0]:
                break
            rise = (point.score - before.score) * scale * (percent - before.utilization)
            length = point.utilization - before.utilization
            # Go rounds towards zero, whether the line rises or falls.
            return before.score * scale + (rise // length if rise >= 0 else -(-rise // length))
        before = point
    return before.score * scale


def _too_many_pods(cluster: Cluster, rows: Rows) -> BoolArray:
    verdicts: BoolArray = cluster.requested[PODS_COLUMN, rows] + 1 > cluster.allocatable[PODS_COLUMN, rows]
    return verdicts


def _insufficient(cluster: Cluster, rows: Rows, column: int, amount: int) -> BoolArray:
    verdicts: BoolArray = amount > cluster.allocatable[column, rows] - cluster.requested[column, rows]
    return verdicts
