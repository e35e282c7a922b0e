"""What nodes have left of each resource, for one who asks about many classes of pods."""

from hydatis.scheduler.arrays import Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import PODS_COLUMN

_MOST_ROWS = 16
"""Asking about more rows one by one costs more than filtering them at once."""


class FreeRoom:
    """What some nodes have left, as it is now."""

    def __init__(self, cluster: Cluster, rows: Rows) -> None:
        self._left: list[list[int]] | None = None
        """By row and column of the cluster's tables; None where there are too many rows to tell."""
        if len(rows) <= _MOST_ROWS:
            self._left = (cluster.allocatable[:, rows] - cluster.requested[:, rows]).T.tolist()

    def holds(self, requirements: Requirements) -> bool:
        """Tell whether one of the nodes may have enough of everything left for such a pod."""
        if self._left is None:
            return True
        # Plain loops: this is asked of every class that waits whenever a full cluster has a bit of room.
        for left in self._left:
            if left[PODS_COLUMN] < 1:
                continue
            for column, amount in requirements.requests:
                if amount and left[column] < amount:
                    break
            else:
                return True
        return False
