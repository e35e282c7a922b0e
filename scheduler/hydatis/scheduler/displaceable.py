"""What pods of lower priority take up on each node, for the priorities that lately asked.

The search for victims owns it and rules out with it, in one step over all nodes, those where even removing every such
pod would not help. Kept up to date from the cluster's change log: only the rows that changed are added up again.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster

_MOST_PRIORITIES = 8
"""Preemptors have few priorities; each costs a table as large as that of the requests."""


@dataclass(slots=True)
class _Table:
    amounts: Int64Array
    position: int


class Displaceable:
    """Sums of requests over the pods below a priority, by resource and row."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._tables: OrderedDict[int, _Table] = OrderedDict()

    def below(self, priority: int) -> Int64Array:
        """Return the requests of pods below the priority, shaped and measured like `Cluster.requested`; wrong for rows
        that the cluster calls inexact. Valid until the next event.
        """
        cluster = self._cluster
        position = cluster.placement_changes.position
        table = self._tables.get(priority)
        changed: Rows | None = None
        if table is None or table.amounts.shape != cluster.requested.shape:
            table = self._tables[priority] = _Table(np.zeros_like(cluster.requested), 0)
        else:
            changed = cluster.placement_changes.since(table.position)
        self._tables.move_to_end(priority)
        while len(self._tables) > _MOST_PRIORITIES:
            self._tables.popitem(last=False)
        if changed is None:
            table.amounts[:] = 0
            changed = np.arange(cluster.capacity)
        else:
            table.amounts[:, changed] = 0
        for row in changed.tolist():
            for pod in cluster.pods_on(row).values():
                if pod.priority < priority:
                    requirements = pod.requirements
                    table.amounts[requirements.columns, row] += requirements.amounts
        table.position = position
        return table.amounts
