"""Reserve: which node every placed pod counts on. Assume before binding, forget if the binding fails, confirm when
the API server says so.

One ledger holds every placed pod, so that no pod is ever counted twice or on two nodes.
"""

from dataclasses import dataclass

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.pod_class import PodClass


@dataclass(slots=True)
class _Placement:
    node: str
    pod: PodClass
    assumed: bool


class Reservations:
    """The placed pods by uid, and their sums in the cluster's tables."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._placements: dict[str, _Placement] = {}

    def __len__(self) -> int:
        return len(self._placements)

    def node_of(self, uid: str) -> str | None:
        """Return the node a pod counts on."""
        placement = self._placements.get(uid)
        return None if placement is None else placement.node

    def is_assumed(self, uid: str) -> bool:
        """Tell whether the pod counts on a node that the API server has not confirmed yet."""
        placement = self._placements.get(uid)
        return placement is not None and placement.assumed

    def assume(self, uid: str, node: str, pod: PodClass) -> None:
        """Count the pod on the node ahead of its binding."""
        self._cluster.place(uid, node, pod)
        self._placements[uid] = _Placement(node, pod, assumed=True)

    def confirm(self, uid: str, node: str, pod: PodClass) -> None:
        """Count the pod where the API server says it is, whatever was assumed."""
        placement = self._placements.get(uid)
        if placement is not None and placement.node == node and placement.pod is pod:
            placement.assumed = False
            return
        if placement is not None:
            self._cluster.remove(uid, placement.node)
        self._cluster.place(uid, node, pod)
        self._placements[uid] = _Placement(node, pod, assumed=False)

    def forget(self, uid: str) -> bool:
        """Stop counting the pod anywhere; tell whether it was counted."""
        placement = self._placements.pop(uid, None)
        if placement is None:
            return False
        self._cluster.remove(uid, placement.node)
        return True
