"""How many volumes CSI drivers can attach to each row's node, less those that attachments name already.

The cluster state owns it; NodeVolumeLimits reads it, to pass at once the nodes that are far from any limit. Made anew
when a CSINode, an attachment or a node has changed, which is seldom next to the pods that ask.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from hydatis.scheduler.arrays import Int64Array
from hydatis.scheduler.storage.tables import Storage

NO_LIMIT: Final = 2**31 - 1
"""What a node can attach of a driver that names no limit there, or is not there."""


class AttachLimits:
    """Limits by driver, each an array by row."""

    def __init__(self, storage: Storage, row_of: Callable[[str], int | None]) -> None:
        self._storage = storage
        self._row_of = row_of
        self._made_for: tuple[int, ...] = ()
        self._by_driver: dict[str, Int64Array] = {}
        self._attached: Int64Array = np.zeros(0, dtype=np.int64)

    def left(self, driver: str, capacity: int, nodes_version: int) -> Int64Array:
        """Return for each of `capacity` rows the driver's limit less the attachments to the node, whosever driver
        made them. `nodes_version` has to grow with every node that comes, goes or changes.
        """
        version = (self._storage.attaching_version, capacity, nodes_version)
        if version != self._made_for:
            self._made_for = version
            self._by_driver = {}
            self._attached = np.zeros(capacity, dtype=np.int64)
            for node, count in self._storage.attachment_counts():
                self._write(self._attached, node, count)
        found = self._by_driver.get(driver)
        if found is None:
            found = np.full(capacity, NO_LIMIT, dtype=np.int64)
            for csi_node in self._storage.csi_nodes.values():
                if driver in csi_node.limits:
                    self._write(found, csi_node.name, csi_node.limits[driver])
            found = self._by_driver[driver] = found - self._attached
        return found

    def _write(self, array: Int64Array, node: str, value: int) -> None:
        row = self._row_of(node)
        if row is not None:
            array[row] = value
