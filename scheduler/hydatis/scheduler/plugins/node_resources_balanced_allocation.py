"""NodeResourcesBalancedAllocation: nodes whose resources fill alike (kubernetes
plugins/noderesources/balanced_allocation.go).

A node's balance is (1 - std) x 100, std the standard deviation of the requested fractions of cpu and memory, or of the
resources that a policy names; for two of them it is half their distance. The score is 50 + (50 + balance with the pod -
balance without it) / 2, whole numbers throughout.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugin_args import DEFAULT_RESOURCES, ResourceSpec
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Normalization, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import is_scalar_resource


class NodeResourcesBalancedAllocation:
    """Score."""

    name: ClassVar[str] = "NodeResourcesBalancedAllocation"
    scope: ClassVar[Scope] = Scope.PLACEMENT
    normalization: ClassVar[Normalization] = Normalization.NONE

    def __init__(self, resources: Sequence[ResourceSpec] = DEFAULT_RESOURCES) -> None:
        """Balance these resources; their weights do not count."""
        self.resources = tuple(resources)

    def applies(self, requirements: Requirements) -> bool:
        """Only pods that request any of the resources: the others would all go to the best balanced node."""
        return any(requirements.requests_by_name.get(resource.name) for resource in self.resources)

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 50-100: 75 when the pod leaves the balance as it is, more when it improves it."""
        amounts = self._amounts(requirements, cluster)
        balance = _balance(cluster, rows, amounts)
        half = MAX_NODE_SCORE // 2
        scores: Int64Array = half + (half + balance[0] - balance[1]) // 2
        return scores

    def _amounts(self, requirements: Requirements, cluster: Cluster) -> list[tuple[int, int]]:
        """Return the column of each resource that counts and what the pod requests of it."""
        amounts = []
        for resource in self.resources:
            column = cluster.columns.find(resource.name)
            amount = requirements.requests_by_name.get(resource.name, 0)
            # resource_allocation.go leaves out what only other pods want.
            if column is not None and (amount or not is_scalar_resource(resource.name)):
                amounts.append((column, amount))
        return amounts


def _balance(cluster: Cluster, rows: Rows, amounts: Sequence[tuple[int, int]]) -> Int64Array:
    """Return (2, rows): the balance with the pod and without it."""
    fractions = [_fraction(cluster, rows, column, amount) for column, amount in amounts]
    balance: Int64Array = ((1 - _deviation(fractions, len(rows))) * MAX_NODE_SCORE).astype(np.int64)
    return balance


def _deviation(fractions: Sequence[tuple[Float64Array, BoolArray]], rows: int) -> Float64Array:
    """Return each row's standard deviation, over the resources that it offers; with fewer than two there is none. The
    fractions are (2, rows), and so is what is returned.
    """
    if len(fractions) == 2:
        (first, first_offered), (second, second_offered) = fractions
        return np.where(first_offered & second_offered, np.abs((first - second) / 2), 0.0)
    total, offered, distance = np.zeros((2, rows)), np.zeros(rows, dtype=np.int64), np.zeros((2, rows))
    for fraction, has in fractions:
        total += np.where(has, fraction, 0.0)
        distance = np.where(has, np.where(offered == 0, fraction, distance - fraction), distance)
        offered += has
    mean = total / np.maximum(offered, 1)
    squares = np.zeros((2, rows))
    for fraction, has in fractions:
        squares += np.where(has, (fraction - mean) * (fraction - mean), 0.0)
    spread: Float64Array = np.sqrt(squares / np.maximum(offered, 1))
    # kube-scheduler halves the distance of two, which floating point may tell from the root of the squares.
    return np.where(offered == 2, np.abs(distance / 2), spread)


def _fraction(cluster: Cluster, rows: Rows, column: int, amount: int) -> tuple[Float64Array, BoolArray]:
    """Return (2, rows), which share of the resource is requested with the pod and without it; and who offers it."""
    allocatable = cluster.allocatable[column, rows]
    offered = allocatable > 0
    requested = cluster.requested[column, rows] + np.array([[amount], [0]])
    fraction = requested / np.maximum(allocatable, 1)
    # A sum past 64 bits turns negative; it is far more than any node has.
    return np.where(requested < 0, 1.0, np.minimum(fraction, 1.0)), offered
