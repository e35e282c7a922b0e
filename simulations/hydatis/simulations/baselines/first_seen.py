"""FirstSeen: of equal nodes, the one that came first.

The simulator of the FGD paper breaks ties by the smallest name, and names nodes in random order; the decision core
breaks them at random each time. With this plugin, weighted so that it decides nothing but ties, and nodes seen in
random order, ties fall as they do there.
"""

from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import Normalization, Scope
from hydatis.scheduler.requirements import Requirements

MOST_ROWS = 2**20


class FirstSeen:
    """Score by row number: the first node has the lowest, unless a node that left has freed its row."""

    name: ClassVar[str] = "FirstSeen"
    scope: ClassVar[Scope] = Scope.NODE
    normalization: ClassVar[Normalization] = Normalization.NONE

    def applies(self, requirements: Requirements) -> bool:
        """Every pod."""
        return True

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return below `MOST_ROWS`, the higher the earlier."""
        return np.asarray(MOST_ROWS - 1 - rows, dtype=np.int64)
