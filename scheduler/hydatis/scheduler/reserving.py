"""Reserve: which node every placed pod counts on. Assume before binding, forget if the binding fails, confirm when
the API server says so.

One ledger holds every placed pod, so that no pod is ever counted twice or on two nodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.instructions import NO_VOLUMES, VolumesToBind
from hydatis.scheduler.plugins import ReservePlugin
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.requirements import Requirements

_NOT_STARTED = "~"
"""Sorts after every time of day: kube-scheduler takes a pod that has not started for one that starts just now."""


class Standing(NamedTuple):
    """What is a placed pod's own, beyond its class."""

    namespace: str
    name: str
    started_at: str = _NOT_STARTED
    """`status.startTime`, as the API server writes it, so that earlier sorts first."""
    preempted: bool = False
    """Whether it is being deleted for a pod of higher priority."""

    @property
    def has_started(self) -> bool:
        """Whether a kubelet has started it."""
        return self.started_at != _NOT_STARTED

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> "Standing":
        """Read a pod's."""
        metadata, status = manifest["metadata"], manifest.get("status") or {}
        preempted = "deletionTimestamp" in metadata and _displaced(status)
        return cls(metadata["namespace"], metadata["name"], status.get("startTime") or _NOT_STARTED, preempted)


def _displaced(status: Mapping[str, Any]) -> bool:
    """Read the first DisruptionTarget condition (kubernetes framework/preemption, PodTerminatingByPreemption)."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "DisruptionTarget":
            return bool(condition.get("status") == "True" and condition.get("reason") == "PreemptionByScheduler")
    return False


@dataclass(slots=True)
class _Placement:
    node: str
    pod: PodClass
    assumed: bool
    standing: Standing
    bound: bool = False
    """Whether it is known to be bound, whatever the watch has shown yet."""
    condemned: bool = False
    """Whether the driver is deleting it for a pod of higher priority."""


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

    def why_withdraw(self, uid: str) -> str | None:
        """Say why the node that the pod is assumed on does not hold it any more; None while it does.

        The pod counts there already, so what it fitted into when it was assumed is full at most. It is more than full
        when the watch has shown other schedulers' pods there since, or a smaller node.
        """
        placement = self._placements.get(uid)
        if placement is None or not placement.assumed:
            return None
        cluster, requirements = self._cluster, placement.pod.requirements
        row = cluster.row_of(placement.node)
        if row is None:
            return "the node is gone"
        columns = requirements.columns
        if (cluster.requested[columns, row] > cluster.allocatable[columns, row]).any():
            return "the node has been filled by others meanwhile"
        if requirements.host_ports and cluster.host_ports_contested(requirements, row):
            return "a host port of the node has been taken by others meanwhile"
        return None

    def standing_of(self, uid: str) -> Standing:
        """Return what is a placed pod's own."""
        return self._placements[uid].standing

    def reference_of(self, uid: str) -> PodReference:
        """Name a placed pod."""
        standing = self._placements[uid].standing
        return PodReference(standing.namespace, standing.name, uid)

    def assume(self, pod: PodReference, node: str, pod_class: PodClass, volumes: VolumesToBind = NO_VOLUMES) -> None:
        """Count the pod on the node ahead of its binding, and the volumes as its claims'."""
        row = self._cluster.place(pod.uid, node, pod_class)
        self._cluster.load.place(pod.uid, row, pod_class)
        self._cluster.storage.assume(pod.uid, node, volumes)
        self._placements[pod.uid] = _Placement(node, pod_class, True, Standing(pod.namespace, pod.name))

    def settle(self, uid: str) -> None:
        """Note that the pod is bound, which the watch is still to show: its volumes are not given back any more."""
        self._cluster.storage.settle(uid)
        placement = self._placements.get(uid)
        if placement is not None:
            placement.bound = True

    def confirm(self, uid: str, node: str, pod: PodClass, standing: Standing) -> None:
        """Count the pod where the API server says it is, whatever was assumed."""
        placement = self._placements.get(uid)
        if placement is not None and placement.assumed:
            if placement.node == node:
                self._cluster.storage.settle(uid)
            else:
                self._cluster.storage.give_back(uid)
        if placement is not None and placement.node == node and placement.pod is pod:
            placement.assumed = False
            placement.bound = True
            placement.standing = standing
            return
        condemned, load = False, self._cluster.load
        if placement is not None:
            condemned = placement.condemned
            if placement.node != node:
                load.remove(uid, ran=placement.bound)
            self._cluster.remove(uid, placement.node)
        row = self._cluster.place(uid, node, pod)
        if placement is None or placement.node != node:
            load.place(uid, row, pod)
        else:
            # Even if the row was freed in between, it is the first to be taken again.
            load.reclassify(uid, pod)
        self._placements[uid] = _Placement(node, pod, False, standing, True, condemned)

    def forget(self, uid: str) -> bool:
        """Stop counting the pod anywhere; tell whether it was counted."""
        placement = self._placements.pop(uid, None)
        if placement is None:
            return False
        self._cluster.load.remove(uid, ran=placement.bound)
        self._cluster.remove(uid, placement.node)
        if placement.assumed:
            self._cluster.storage.give_back(uid)
        return True

    # Preemption

    def condemn(self, uid: str, condemned: bool = True) -> None:
        """Note that the driver is about to delete a placed pod, or that it failed to."""
        placement = self._placements.get(uid)
        if placement is not None:
            placement.condemned = condemned

    def is_leaving(self, uid: str) -> bool:
        """Tell whether a placed pod is being deleted, for whatever reason, or about to be."""
        placement = self._placements[uid]
        return placement.condemned or placement.pod.identity.terminating

    def is_preempted(self, uid: str) -> bool:
        """Tell whether a placed pod is being deleted, or about to be, for a pod of higher priority."""
        placement = self._placements[uid]
        return placement.condemned or placement.standing.preempted


def reserve(plugins: Sequence[ReservePlugin], requirements: Requirements, cluster: Cluster, row: int) -> VolumesToBind:
    """Ask the plugins what else the pod takes with it to the node of this row."""
    volumes = NO_VOLUMES
    for plugin in plugins:
        volumes = plugin.reserve(requirements, cluster, row) or volumes
    return volumes
