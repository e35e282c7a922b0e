"""How much of the cluster's CPU is in use, kept up to date row by row: every decision with models asks.

`Cluster` owns it. The sum is made anew from the rows each time, never added to and subtracted from.
"""

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array, Rows
from hydatis.scheduler.measured_load import MeasuredLoad


class CpuInUse:
    """Millicores in use by row, as far as anything changed since they were asked for."""

    def __init__(self, load: MeasuredLoad) -> None:
        self._load = load
        self._millicores: Float64Array = np.zeros(0)
        self._share = 0.0
        self._seen = (-1, (-1, -1))
        """Where changes of nodes, and the load with its owners, stood."""

    def share(self, allocatable: Int64Array, rows: Rows, node_position: int) -> float:
        """Return the CPU in use on all nodes, `rows`, as a share of what they can allocate, of which `allocatable` has
        an entry for every row; 0 without any node. `node_position` is where the log of changes to nodes stands.
        """
        load, seen = self._load, (node_position, self._load.version)
        if seen != self._seen:
            nodes, (position, owners) = self._seen
            changed = load.changes.since(position) if (nodes, owners) == (node_position, load.owners.version) else None
            if changed is None:
                self._millicores = np.zeros(len(allocatable))
                changed = rows
            self._millicores[changed] = load.in_use(changed)[0]
            whole = float(np.maximum(allocatable[rows], 1).sum())
            self._share = float(self._millicores[rows].sum()) / whole if len(rows) else 0.0
            self._seen = seen
        return self._share
