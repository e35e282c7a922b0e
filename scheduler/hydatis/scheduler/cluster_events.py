"""What happens in a cluster that can make a waiting pod schedulable, and a log of it, row by row.

The cluster state and the scheduler write the log; `waking` reads it. Each plugin declares in terms of `ClusterEvent`
what can turn a rejection of its own into a pass (kubernetes staging/src/k8s.io/kube-scheduler/framework, ActionType
and EventResource; each plugin's EventsToRegister). A change that no plugin could be interested in, such as a node's
heartbeat or its images, is not written.
"""

from enum import Flag, auto
from typing import Final

import numpy as np

from hydatis.scheduler.arrays import Rows

_LONGEST = 8192
"""Entries kept. A reader further behind takes it that everything happened everywhere."""

EVERYWHERE: Final = -1
"""Stands for a row in the log when what happened is not about one node."""


class ClusterEvent(Flag):
    """Kinds of events. Those of nodes and placed pods happen to one row."""

    NONE = 0
    NODE_ADDED = auto()
    NODE_REMOVED = auto()
    NODE_ALLOCATABLE = auto()
    NODE_LABELS = auto()
    NODE_TAINTS = auto()
    """Taints changed, or the node was cordoned or uncordoned (kube-scheduler has one event for both, too)."""
    NODE_DECLARED_FEATURES = auto()
    POD_PLACED = auto()
    """A pod began to count on a node: assumed, or seen there."""
    POD_REMOVED = auto()
    """A pod, or a nomination, no longer counts on a node. A placed pod that changed its labels or its size is taken off
    and placed again.
    """
    NODE_LOAD = auto()
    """What is measured of nodes changed, or grew too old; told of all nodes at once, and only where a filter heeds
    it.
    """
    NAMESPACE_LABELS = auto()
    WORKLOADS = auto()
    """A Service or a controller of pods came, changed its selector, or went."""
    PERSISTENT_VOLUME = auto()
    PERSISTENT_VOLUME_CLAIM = auto()
    STORAGE_CLASS = auto()
    CSI_NODE = auto()
    CSI_DRIVER = auto()
    CSI_STORAGE_CAPACITY = auto()
    VOLUME_ATTACHMENT = auto()
    OWN_LABELS = auto()
    """The waiting pod itself was given other labels."""
    OWN_TOLERATIONS = auto()
    """The waiting pod itself was given other tolerations."""
    OWN_REQUESTS = auto()
    """The waiting pod itself now requests other amounts. Whatever else of it changes may help against any plugin."""

    @classmethod
    def everything(cls) -> "ClusterEvent":
        """Return all kinds at once."""
        return ~cls.NONE


class Happened:
    """What happened since a reader last looked."""

    def __init__(self, entries: list[tuple[int, ClusterEvent]] | None) -> None:
        """None: the log no longer reaches back so far."""
        self._by_row: dict[int, ClusterEvent] = {}
        for row, what in entries or ():
            known = self._by_row.get(row)
            self._by_row[row] = what if known is None else known | what
        if entries is None:
            self._by_row[EVERYWHERE] = ClusterEvent.everything()
        self._everywhere = self._by_row.pop(EVERYWHERE, ClusterEvent.NONE)

    def includes(self, wanted: ClusterEvent) -> bool:
        """Tell whether any of these happened at all."""
        return bool(self._everywhere & wanted) or any(what & wanted for what in self._by_row.values())

    def rows(self, wanted: ClusterEvent) -> Rows | None:
        """Return the rows to which any of these happened; None: it concerns all rows."""
        if self._everywhere & wanted:
            return None
        return np.array([row for row, what in self._by_row.items() if what & wanted], dtype=np.intp)


class EventLog:
    """Numbered entries, the oldest dropped. Positions only grow."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, ClusterEvent]] = []
        self._first = 0

    @property
    def position(self) -> int:
        """The position after the last entry: a reader that is here has seen everything."""
        return self._first + len(self._entries)

    def append(self, row: int, what: ClusterEvent) -> None:
        """Write down what happened to a row, or EVERYWHERE."""
        self._entries.append((row, what))
        if len(self._entries) >= 2 * _LONGEST:
            del self._entries[:_LONGEST]
            self._first += _LONGEST

    def retract(self, position: int) -> None:
        """Strike out what was written after `position`, which no reader has seen: it was undone."""
        del self._entries[max(position - self._first, 0) :]
        self._first = min(self._first, position)

    def since(self, position: int) -> Happened:
        """Return what happened after `position`."""
        return Happened(None if position < self._first else self._entries[position - self._first :])
