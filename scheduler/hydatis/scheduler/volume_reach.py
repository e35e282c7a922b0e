"""Which nodes each kind of volume can be reached from, remembered as long as no node changes.

A cluster with local volumes has one node affinity a volume; asking thousands of them of thousands of nodes for every
pod would take longer than all the rest. The cluster state owns this; `volume_finding` reads it.
"""

import numpy as np

from hydatis.scheduler.arrays import Rows
from hydatis.scheduler.node_labels import NodeLabels
from hydatis.scheduler.storage.volumes import VolumeAffinity

_MOST = 20_000
"""Affinities remembered; a cluster that has more starts over now and then."""


class VolumeReach:
    """Rows by volume affinity."""

    def __init__(self) -> None:
        self._rows: dict[VolumeAffinity, Rows] = {}
        self._version = -1

    def rows(self, affinity: VolumeAffinity, labels: NodeLabels, nodes: Rows, version: int) -> Rows:
        """Return those of `nodes`, the rows of all nodes there are, from which such a volume can be reached.

        `version` is another number whenever a node changed, came or went.
        """
        if version != self._version or len(self._rows) >= _MOST:
            self._rows.clear()
            self._version = version
        known = self._rows.get(affinity)
        if known is None:
            known = self._rows[affinity] = nodes[np.flatnonzero(affinity.matches(labels, nodes))]
        return known
