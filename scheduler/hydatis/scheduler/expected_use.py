"""What the pods on each node are expected to use by what they and their owners' pods have been seen to use, kept up to
date row by row. `MeasuredLoad` owns it; it stands in for a node that no sample tells of.
"""

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Rows
from hydatis.scheduler.change_log import ChangeLog
from hydatis.scheduler.owner_history import OwnerHistory
from hydatis.scheduler.pod_loads import PodLoads


class ExpectedUse:
    """Sums over the pods of each row. Variances add up as if pods were independent."""

    def __init__(
        self, pods: PodLoads, owners: OwnerHistory, changes: ChangeLog, own_counts_from: float, capacity: int
    ) -> None:
        self._pods = pods
        self._own_counts_from = own_counts_from
        self._owners = owners
        self._changes = changes
        self._capacity = capacity
        self._seen = -1
        self._position = -1
        self._mean: Float64Array = np.zeros((2, capacity))
        self._variance: Float64Array = np.zeros((2, capacity))

    def mean(self, rows: Rows) -> Float64Array:
        """Return (2, rows): millicores and bytes."""
        self._refresh()
        return self._mean[:, rows]

    def variance(self, rows: Rows) -> Float64Array:
        """Return (2, rows): millicores and bytes, squared."""
        self._refresh()
        return self._variance[:, rows]

    def grow(self, added: int) -> None:
        """Make room for more rows."""
        self._capacity += added
        self._mean = np.pad(self._mean, ((0, 0), (0, added)))
        self._variance = np.pad(self._variance, ((0, 0), (0, added)))

    def _refresh(self) -> None:
        if self._seen == self._owners.version and self._position == self._changes.position:
            return
        rows = self._changes.since(self._position) if self._seen == self._owners.version else None
        self._seen, self._position = self._owners.version, self._changes.position
        if rows is None:
            self._add_up(np.flatnonzero(self._pods.rows >= 0), None)
        elif len(rows):
            slots = [placed.slot for row in rows.tolist() for placed in self._pods.on(row).values()]
            self._add_up(np.array(slots, dtype=np.intp), rows)

    def _add_up(self, slots: Rows, rows: Rows | None) -> None:
        """Add up the pods in these slots; they are all there are on `rows` (None: on all rows)."""
        pods = self._pods
        ordered = np.arange(self._capacity) if rows is None else np.sort(rows)
        where, who, requests = np.searchsorted(ordered, pods.rows[slots]), pods.owners[slots], pods.requests[:, slots]
        means, spread = pods.means(slots, self._own_counts_from), self._owners.variances[:, who]
        for resource in range(2):
            mean = np.bincount(where, means[resource], len(ordered))
            variance = np.bincount(where, requests[resource] ** 2 * spread[resource], len(ordered))
            self._mean[resource, ordered], self._variance[resource, ordered] = mean, variance
