"""NodeVolumeLimits: no more volumes on a node than its CSI drivers can attach (kubernetes
plugins/nodevolumelimits/csi.go).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final, NamedTuple

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import Scope
from hydatis.scheduler.pod_volumes import ClaimUse, PodVolumes
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.storage.claims import Claim
from hydatis.scheduler.storage.csi import CsiNode
from hydatis.scheduler.storage.migration import AttachedVolume, driver_of
from hydatis.scheduler.storage.tables import Storage

_TOO_MANY: Final = "node(s) exceed max volume count"
_NOT_YET: Final = "\n"
"""Begins the handles of volumes that do not exist yet, so that no volume that does has the same."""


class NodeVolumeLimits:
    """Filter."""

    name: ClassVar[str] = "NodeVolumeLimits"
    scope: ClassVar[Scope] = Scope.PLACEMENT
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED
        | ClusterEvent.POD_REMOVED
        | ClusterEvent.POD_PLACED
        | ClusterEvent.CSI_NODE
        | ClusterEvent.CSI_DRIVER
        | ClusterEvent.VOLUME_ATTACHMENT
        | ClusterEvent.PERSISTENT_VOLUME_CLAIM
        | ClusterEvent.PERSISTENT_VOLUME
        | ClusterEvent.STORAGE_CLASS
    )
    """A pod that is placed may bring the very volume along that the waiting one wants."""

    def applies(self, requirements: Requirements) -> bool:
        """Only pods with claims, or with in-tree volumes that a CSI driver attaches."""
        return bool(requirements.volumes.claims or requirements.volumes.migrated)

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes whose drivers can attach the pod's volumes beside those that are there."""
        attaching = _Attaching(requirements, cluster)
        passed = attaching.surely_fits(rows)
        for position in np.flatnonzero(~passed).tolist():
            passed[position] = attaching.fault(int(rows[position])) is None
        return passed

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """One reason a node."""
        attaching = _Attaching(requirements, cluster)
        faults = (attaching.fault(row) for row in rows.tolist())
        return Counter(fault for fault in faults if fault is not None)

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Only what does not exist cannot be helped by pods that leave."""
        return np.full(len(rows), _Attaching(requirements, cluster).missing is not None)


class _Wanted(NamedTuple):
    """The volumes that a pod brings along."""

    volumes: frozenset[AttachedVolume]
    by_driver: Counter[str]
    must_be_there: tuple[str, ...]
    """The drivers that have to run on the pod's node."""


class _Attaching:
    """A pod's volumes held against what nodes have attached."""

    def __init__(self, requirements: Requirements, cluster: Cluster) -> None:
        self._cluster = cluster
        volumes = requirements.volumes
        gone = next((use for use in volumes.claims if use.name not in cluster.storage.claims), None)
        self.missing = None if gone is None else _not_found(gone)
        # In-tree volumes are the driver's only on nodes that have drivers at all.
        self._wanted = {has_drivers: _wanted(volumes, cluster.storage, has_drivers) for has_drivers in (False, True)}

    def surely_fits(self, rows: Rows) -> BoolArray:
        """Tell for each row whether its limits hold although every volume of every pod and attachment there counted
        anew; of the others only `fault` knows.
        """
        if self.missing is not None or any(wanted.must_be_there for wanted in self._wanted.values()):
            return np.zeros(len(rows), dtype=np.bool_)
        cluster = self._cluster
        fits = np.ones(len(rows), dtype=np.bool_)
        for driver, added in self._wanted[True].by_driver.items():
            left = cluster.attach_limits.left(driver, cluster.capacity, cluster.node_changes.position)
            fits &= cluster.volumes_in_use.most_attached[rows] + added <= left[rows]
        return fits

    def fault(self, row: int) -> str | None:
        """Say why the node cannot have the pod's volumes."""
        if self.missing is not None:
            return self.missing
        storage = self._cluster.storage
        node = self._cluster.node_name(row)
        csi_node = storage.csi_nodes.get(node)
        wanted = self._wanted[csi_node is not None]
        for driver in wanted.must_be_there:
            if csi_node is None or driver not in csi_node.drivers:
                return f"{driver} CSI driver is not installed on the node"
        if csi_node is None or csi_node.limits.keys().isdisjoint(wanted.by_driver):
            return None
        return _TOO_MANY if self._too_many(row, csi_node, wanted) else None

    def _too_many(self, row: int, csi_node: CsiNode, wanted: _Wanted) -> bool:
        storage = self._cluster.storage
        limits = csi_node.limits
        if not self._cluster.volumes_in_use.on(row) and not storage.attachments_on(csi_node.name):
            return any(count > limits.get(driver, count) for driver, count in wanted.by_driver.items())
        by_pods = {
            volume
            for volumes in self._cluster.volumes_in_use.on(row)
            for volume in _attached(volumes, storage, has_drivers=True)
        }
        attached = Counter(volume.driver for volume in by_pods | _attachments(csi_node.name, storage))
        added = Counter(volume.driver for volume in wanted.volumes - by_pods)
        return any(attached[driver] + count > limits[driver] for driver, count in added.items() if driver in limits)


def _wanted(volumes: PodVolumes, storage: Storage, has_drivers: bool) -> _Wanted:
    attached = frozenset(_attached(volumes, storage, has_drivers=has_drivers))
    by_driver = Counter(volume.driver for volume in attached)
    known = ((driver, storage.csi_drivers.get(driver)) for driver in sorted(by_driver))
    must_be_there = tuple(name for name, driver in known if driver is not None and driver.must_be_on_node)
    return _Wanted(attached, by_driver, must_be_there)


def _attached(volumes: PodVolumes, storage: Storage, *, has_drivers: bool) -> Iterator[AttachedVolume]:
    """Yield the volumes of a pod as CSI drivers attach them (filterAttachableVolumes)."""
    for use in volumes.claims:
        claim = storage.claims.get(use.name)
        volume = None if claim is None else _behind(claim, storage, has_drivers)
        if volume is not None and volume.driver and volume.handle:
            yield volume
    if has_drivers:
        yield from volumes.migrated


def _behind(claim: Claim, storage: Storage, has_drivers: bool) -> AttachedVolume | None:
    """Return the volume behind a claim, or a stand-in for the one that will be provisioned (getCSIDriverInfo)."""
    volume = storage.volumes.get(claim.volume)
    if volume is not None:
        if volume.attached is not None or volume.migrated is None or not has_drivers:
            return volume.attached
        return volume.migrated.attached
    storage_class = storage.classes.get(claim.class_name)
    driver = None if storage_class is None else driver_of(storage_class.provisioner, has_drivers)
    return None if driver is None else AttachedVolume(driver, f"{_NOT_YET}{claim.name}")


def _attachments(node: str, storage: Storage) -> set[AttachedVolume]:
    """Return the volumes that are attached to the node, whoever uses them (getNodeVolumeAttachmentInfo)."""
    found = set()
    for attachment in storage.attachments_on(node):
        volume = storage.volumes.get(attachment.volume)
        if attachment.driver and volume is not None and volume.attached is not None:
            found.add(AttachedVolume(attachment.driver, volume.attached.handle))
    return found


def _not_found(use: ClaimUse) -> str:
    return f'looking up PVC {use.name}: persistentvolumeclaim "{use.name.name}" not found'
