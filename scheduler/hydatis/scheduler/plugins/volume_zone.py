"""VolumeZone: the node is in the zone of the pod's volumes (kubernetes plugins/volumezone)."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import Everywhere, Nowhere, PreFilterResult, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.storage.claims import Claim
from hydatis.scheduler.storage.tables import Storage

_SUCCESSORS: Final = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
"""Labels of old to those that took their place, which nodes may have instead."""
_LABELS: Final = (*_SUCCESSORS, *_SUCCESSORS.values())
_SEPARATOR: Final = "__"


class VolumeZone:
    """PreFilter by whether the volumes exist, filter by their labels."""

    name: ClassVar[str] = "VolumeZone"
    scope: ClassVar[Scope] = Scope.NODE
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED
        | ClusterEvent.NODE_LABELS
        | ClusterEvent.PERSISTENT_VOLUME_CLAIM
        | ClusterEvent.PERSISTENT_VOLUME
        | ClusterEvent.STORAGE_CLASS
    )
    prefilter_helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.PERSISTENT_VOLUME_CLAIM | ClusterEvent.PERSISTENT_VOLUME | ClusterEvent.STORAGE_CLASS
    )

    def prefilter(self, requirements: Requirements, cluster: Cluster) -> PreFilterResult:
        """Refuse while a claim that the pod names has no volume and does not wait for the pod to get one."""
        for use in requirements.volumes.claims:
            if use.made_for is None:
                claim = cluster.storage.claims.get(use.name)
                if claim is None:
                    return Nowhere(f'persistentvolumeclaim "{use.name.name}" not found')
                fault = _fault(claim, cluster.storage)
                if fault is not None:
                    return Nowhere(fault)
        return Everywhere()

    def applies(self, requirements: Requirements) -> bool:
        """Only pods with claims."""
        return bool(requirements.volumes.claims)

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes with the volumes' labels, and those in no zone or region at all."""
        fitting = np.ones(len(rows), dtype=np.bool_)
        for key, values in _topologies(requirements, cluster.storage):
            matches = cluster.labels.any_of(key, values, rows)
            if key in _SUCCESSORS:
                instead = cluster.labels.any_of(_SUCCESSORS[key], values, rows)
                matches = np.where(cluster.labels.present(key, rows), matches, instead)
            fitting &= matches
        if not fitting.all():
            somewhere = np.logical_or.reduce([cluster.labels.present(key, rows) for key in _LABELS])
            fitting |= ~somewhere
        return fitting

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """One reason for all."""
        return {"node(s) had no available volume zone": len(rows)}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Neither node nor volume moves."""
        return np.ones(len(rows), dtype=np.bool_)


def _fault(claim: Claim, storage: Storage) -> str | None:
    """Say why nothing is known of the claim's zone (volume_zone.go, getPVbyPod)."""
    if claim.volume:
        return None if claim.volume in storage.volumes else f'persistentvolume "{claim.volume}" not found'
    if not claim.class_name:
        return "PersistentVolumeClaim had no pv name and storageClass name"
    if claim.class_name not in storage.classes:
        return f'storageclass.storage.k8s.io "{claim.class_name}" not found'
    return None if storage.waits_for_consumer(claim) else "PersistentVolume had no name"


def _topologies(requirements: Requirements, storage: Storage) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the zones and regions of the pod's volumes, as labels with the values that will do."""
    for use in requirements.volumes.claims:
        claim = storage.claims.get(use.name) if use.made_for is None else None
        volume = None if claim is None else storage.volumes.get(claim.volume)
        if volume is not None:
            for key in _LABELS:
                values = frozenset(value.strip() for value in volume.labels.get(key, "").split(_SEPARATOR))
                # A list with a gap says nothing.
                if "" not in values:
                    yield key, values
