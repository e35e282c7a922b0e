"""Nominated pods: those for which room is being made on a node, or was promised (`status.nominatedNodeName`).

The scheduler owns it. A nominated pod is not placed: it counts only when a pod of equal or lower priority is to go to
its node (kubernetes backend/queue/nominator.go, framework/runtime addGENominatedPods). Invariants: a pod is nominated
to one node at most; a placed pod is not nominated; with no nominated pods nobody does any work here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from hydatis.scheduler.arrays import Int64Array
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.pod_class import PodClass

Beside = Mapping[int, Sequence[tuple[str, PodClass]]]
"""Row to the nominated pods, uid and class, that a pod has to heed there."""

NOBODY: Beside = {}


def requested_by(pods: Sequence[tuple[str, PodClass]], resources: int) -> Int64Array | None:
    """Add up what nominated pods request, by column of the cluster's tables; None where 64 bits may not hold it."""
    amounts = np.zeros(resources, dtype=np.int64)
    for _, pod in pods:
        if pod.requirements.huge:
            return None
        amounts[pod.requirements.columns] += pod.requirements.amounts
    return amounts


class Nominations:
    """The nominated pods by node."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._nodes: dict[str, str] = {}
        self._references: dict[str, PodReference] = {}
        self._pods: dict[str, dict[str, PodClass]] = {}
        self.version = 0
        """Grows with every change."""

    def __len__(self) -> int:
        return len(self._nodes)

    def node_of(self, uid: str) -> str | None:
        """Return the node that a pod is nominated to."""
        return self._nodes.get(uid)

    def of_node(self, node: str | None) -> tuple[str, ...]:
        """Return the pods nominated to the node."""
        return () if node is None else tuple(self._pods.get(node, ()))

    def nominate(self, reference: PodReference, pod: PodClass, node: str) -> None:
        """Keep room on the node for the pod, and nowhere else."""
        uid = reference.uid
        known = self._nodes.get(uid)
        if known == node and self._pods[node][uid] is pod:
            return
        self._remove(uid, tell=known != node)
        self._nodes[uid] = node
        self._references[uid] = reference
        self._pods.setdefault(node, {})[uid] = pod
        # Counted as placed now and then, its terms must not come and go with it.
        self._cluster.placed.hold_terms(pod.affinity)
        self.version += 1

    def withdraw(self, uid: str, *, placed_on: str | None = None) -> None:
        """Keep no room for the pod any longer; that frees its node, unless the pod itself is placed there now."""
        self._remove(uid, tell=self._nodes.get(uid) != placed_on)

    def outranked_by(self, priority: int, node: str) -> Iterator[PodReference]:
        """Yield the pods nominated to the node whose priority is lower."""
        for uid, pod in self._pods.get(node, {}).items():
            if pod.priority < priority:
                yield self._references[uid]

    def beside(self, uid: str, pod: PodClass) -> Beside:
        """Return the nominated pods that a pod has to heed: others of at least its priority."""
        if not self._nodes:
            return NOBODY
        return self._heeded(lambda other, its: its.priority >= pod.priority and other != uid)

    def beside_class(self, pod: PodClass) -> Beside:
        """Return the nominated pods that every pod of a class has to heed; one of its own may be any of them."""
        if not self._nodes:
            return NOBODY
        return self._heeded(lambda _, its: its.priority >= pod.priority and its is not pod)

    def _heeded(self, heeds: Callable[[str, PodClass], bool]) -> Beside:
        heeded = {}
        for node, pods in self._pods.items():
            row = self._cluster.row_of(node)
            if row is not None:
                others = [entry for entry in pods.items() if heeds(*entry)]
                if others:
                    heeded[row] = others
        return heeded

    def _remove(self, uid: str, *, tell: bool) -> None:
        node = self._nodes.pop(uid, None)
        if node is None:
            return
        pods = self._pods[node]
        pod = pods.pop(uid)
        del self._references[uid]
        if not pods:
            del self._pods[node]
        self._cluster.placed.release_terms(pod.affinity)
        self.version += 1
        row = self._cluster.row_of(node)
        if tell and row is not None:
            self._cluster.events.append(row, ClusterEvent.POD_REMOVED)
