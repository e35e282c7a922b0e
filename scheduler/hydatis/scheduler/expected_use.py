"""What the pods on each node are expected to use by what they and their owners' pods have been seen to use, kept up to
date row by row. `MeasuredLoad` owns it; it stands in for a node that no sample tells of.

Pods of one owner swing together: with r the requests of an owner's pods on a node, V the variance of one pod's share
and c the part of it that its pods have in common, they add V (c (sum r)^2 + (1 - c) sum r^2) to the variance of the
node's use. Different owners are taken to be independent.
"""

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Rows
from hydatis.scheduler.change_log import ChangeLog
from hydatis.scheduler.owner_history import UNKNOWN, OwnerHistory
from hydatis.scheduler.pod_loads import PodLoads


class ExpectedUse:
    """Sums over the pods of each row."""

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
        self._requested: tuple[int, int, Float64Array] | None = None
        """The owner that was asked about last, where the log stood, and the answer for all rows."""

    def mean(self, rows: Rows) -> Float64Array:
        """Return (2, rows): millicores and bytes."""
        self._refresh()
        return self._mean[:, rows]

    def variance(self, rows: Rows) -> Float64Array:
        """Return (2, rows): millicores and bytes, squared."""
        self._refresh()
        return self._variance[:, rows]

    def requested_by(self, number: int, rows: Rows) -> Float64Array:
        """Return (2, rows), millicores and bytes: what the pods of one owner on each row request together; 0 for the
        number of those of whom nothing is known.
        """
        if number == UNKNOWN:
            return np.zeros((2, len(rows)))
        # A decision asks several times, about the same owner.
        found = self._requested
        if found is None or found[:2] != (number, self._changes.position):
            found = self._requested = (number, self._changes.position, self._requested_by(number))
        return found[2][:, rows]

    def _requested_by(self, number: int) -> Float64Array:
        pods = self._pods
        slots = np.flatnonzero((pods.owners == number) & (pods.rows >= 0))
        sums = np.stack([np.bincount(pods.rows[slots], pods.requests[k, slots], self._capacity) for k in range(2)])
        return np.asarray(sums, dtype=np.float64)

    def grow(self, added: int) -> None:
        """Make room for more rows."""
        self._capacity += added
        self._requested = None
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
        pods, owners = self._pods, self._owners
        ordered = np.arange(self._capacity) if rows is None else np.sort(rows)
        where, who, requests = np.searchsorted(ordered, pods.rows[slots]), pods.owners[slots], pods.requests[:, slots]
        means = pods.means(slots, self._own_counts_from)
        # One group for each owner on each row.
        groups, member = np.unique(where * (int(who.max(initial=0)) + 1) + who, return_inverse=True)
        of_row, of_owner = np.divmod(groups, int(who.max(initial=0)) + 1)
        for resource in range(2):
            together = np.bincount(member, requests[resource], len(groups))
            alone = np.bincount(member, requests[resource] ** 2, len(groups))
            shared = owners.shared[resource, of_owner]
            spread = owners.variances[resource, of_owner] * (shared * together**2 + (1.0 - shared) * alone)
            self._mean[resource, ordered] = np.bincount(where, means[resource], len(ordered))
            self._variance[resource, ordered] = np.bincount(of_row, spread, len(ordered))
