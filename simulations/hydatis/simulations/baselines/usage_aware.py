"""What policies that look at measured use have in common.

They read `cluster.load`. The sources know a node's capacity and its allocatable resources; here both are what is
allocatable. Where a source exempts the pods of DaemonSets from a filter, nothing here does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.measured_load import MeasuredLoad
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.plugins import Normalization, OwnerAware, Scope
from hydatis.scheduler.pod_loads import PodLoad
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN, MEMORY_COLUMN

NOBODY = Owner("", "", "")
"""The owner of no pod; one of whom nothing is known."""


@dataclass(frozen=True)
class UsageAware(OwnerAware):
    """Base of these policies' plugins.

    Each has two forms. In the terms of its source it estimates pods by their requests or limits. By class it
    takes what pods of the same owner have been seen to use on average; then a node of which no fresh sample tells is
    judged by its pods (`MeasuredLoad.stand_in`), instead of being avoided.
    """

    scope: ClassVar[Scope] = Scope.LOAD
    normalization: ClassVar[Normalization] = Normalization.NONE
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED | ClusterEvent.NODE_ALLOCATABLE | ClusterEvent.NODE_LOAD | ClusterEvent.POD_REMOVED
    )

    by_class: bool = False
    owner: Owner = NOBODY
    """Whose pod is to be placed; counts by class alone."""

    def for_owner(self, owner: Owner) -> Self:
        """Return the plugin as it answers for pods of this owner."""
        return replace(self, owner=owner)

    def applies(self, requirements: Requirements) -> bool:
        """Every pod."""
        return True


Estimate = Callable[[PodLoad], tuple[float, float]]
"""What a placed pod is taken to use: millicores and bytes."""


def class_mean(load: MeasuredLoad) -> Estimate:
    """Estimate pods by the mean of their owners."""
    return lambda placed: load.expected_of(placed.pod.owner, placed.pod.requirements)


def unmeasured(load: MeasuredLoad, rows: Rows) -> Iterator[tuple[int, float, list[PodLoad]]]:
    """Yield, of those of the rows that were ever sampled and have any, position, end of the last sample, and the pods
    that the sample does not wholly hold, in the order in which they were placed.
    """
    if load.pods.unmeasured:
        for position, row in enumerate(rows.tolist()):
            pods = load.pods.unmeasured.get(row)
            if pods and np.isfinite(load.sampled_at[row]):
                yield position, float(load.sampled_at[row]), list(pods.values())


def capacities(cluster: Cluster, rows: Rows) -> Float64Array:
    """Return (2, rows): millicores and bytes; 1 where a node has none, so that it can be divided by."""
    has = cluster.allocatable[[CPU_COLUMN, MEMORY_COLUMN]][:, rows]
    return np.where(has > 0, has, 1).astype(np.float64)


def rounded(values: Float64Array) -> Float64Array:
    """Round halves away from zero, as Go's math.Round does; values are at least 0."""
    return np.asarray(np.floor(values + 0.5), dtype=np.float64)
