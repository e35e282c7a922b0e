"""Placements for the sake of argument: pods are taken off nodes and put on them, judged, and all is as it was before.

The dry run of preemption and the filtering beside nominated pods work on the cluster's own tables this way, so that
every plugin judges them like the real thing. Invariant: nothing of it is left when the block ends, in no table, log or
version, whatever was raised within.
"""

from types import TracebackType
from typing import Self

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.pod_class import PodClass


class WhatIf:
    """Use as a context manager; not to be nested. Rows must be of nodes that exist, and no event is handled within."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._done: list[tuple[bool, str, int, PodClass]] = []
        """(whether placed, else removed; uid, row, class), in order."""
        self._orders: dict[int, tuple[str, ...]] = {}
        self._positions = (0, 0, 0)

    def __enter__(self) -> Self:
        cluster = self._cluster
        self._positions = (cluster.placement_changes.position, cluster.events.position, cluster.storage.version)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo_to(0)
        for row, uids in self._orders.items():
            self._cluster.order_pods(row, uids)
        self._orders.clear()
        self._cluster.placement_changes.retract(self._positions[0])
        self._cluster.events.retract(self._positions[1])
        self._cluster.storage.retract(self._positions[2])

    @property
    def mark(self) -> int:
        """Where `undo_to` leads back to."""
        return len(self._done)

    def place(self, uid: str, row: int, pod: PodClass) -> None:
        """Count a pod on a row."""
        self._remember_order(row)
        self._cluster.place(uid, self._cluster.node_name(row), pod)
        self._done.append((True, uid, row, pod))

    def remove(self, uid: str, row: int) -> None:
        """Stop counting a pod on a row."""
        self._remember_order(row)
        pod = self._cluster.pods_on(row)[uid]
        self._cluster.placed.hold_terms(pod.affinity)
        self._cluster.remove(uid, self._cluster.node_name(row))
        self._done.append((False, uid, row, pod))

    def undo_to(self, mark: int) -> None:
        """Take back all that was done after the mark."""
        while len(self._done) > mark:
            placed, uid, row, pod = self._done.pop()
            if placed:
                self._cluster.remove(uid, self._cluster.node_name(row))
            else:
                self._cluster.place(uid, self._cluster.node_name(row), pod)
                self._cluster.placed.release_terms(pod.affinity)

    def _remember_order(self, row: int) -> None:
        if row not in self._orders:
            self._orders[row] = tuple(self._cluster.pods_on(row))
