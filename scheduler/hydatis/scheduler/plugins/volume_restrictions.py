"""VolumeRestrictions: disks that a node cannot have twice, and claims for a single pod (kubernetes
plugins/volumerestrictions).
"""

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import Everywhere, Nowhere, PreFilterResult, Scope
from hydatis.scheduler.requirements import Requirements

_DISK_CONFLICT: Final = "node(s) had no available disk"
_ONE_POD_ONLY: Final = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)


class VolumeRestrictions:
    """PreFilter by whether the claims exist, filter by who else uses disks and claims."""

    name: ClassVar[str] = "VolumeRestrictions"
    scope: ClassVar[Scope] = Scope.PLACEMENT
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED | ClusterEvent.POD_REMOVED | ClusterEvent.PERSISTENT_VOLUME_CLAIM
    )
    """Whoever else has a claim for a single pod may be on any node; that it leaves is an event of the claim."""
    prefilter_helped_by: ClassVar[ClusterEvent] = ClusterEvent.PERSISTENT_VOLUME_CLAIM

    def prefilter(self, requirements: Requirements, cluster: Cluster) -> PreFilterResult:
        """Refuse while a claim that the pod names does not exist."""
        for use in requirements.volumes.claims:
            if use.made_for is None and use.name not in cluster.storage.claims:
                return Nowhere(f'persistentvolumeclaim "{use.name.name}" not found')
        return Everywhere()

    def applies(self, requirements: Requirements) -> bool:
        """Only pods with claims or disks."""
        return bool(requirements.volumes.claims or requirements.volumes.disks)

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes whose pods have none of the pod's disks; none while another pod has its claim."""
        if _taken(requirements, cluster):
            return np.zeros(len(rows), dtype=np.bool_)
        return ~_disk_conflicts(requirements, cluster, rows)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """A disk goes before a claim."""
        conflicts = int(_disk_conflicts(requirements, cluster, rows).sum())
        counts = {_DISK_CONFLICT: conflicts, _ONE_POD_ONLY: len(rows) - conflicts}
        return {text: count for text, count in counts.items() if count}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """All that is in the way are other pods."""
        return np.zeros(len(rows), dtype=np.bool_)


def _taken(requirements: Requirements, cluster: Cluster) -> bool:
    """Tell whether a placed pod, wherever it is, uses a claim that only one pod may use."""
    for use in requirements.volumes.claims:
        if use.made_for is None and cluster.volumes_in_use.uses(use.name):
            claim = cluster.storage.claims.get(use.name)
            if claim is not None and claim.one_pod_only:
                return True
    return False


def _disk_conflicts(requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
    conflicts = np.zeros(len(rows), dtype=np.bool_)
    disks = requirements.volumes.disks
    if disks:
        for position, row in enumerate(rows.tolist()):
            others = (disk for volumes in cluster.volumes_in_use.on(row) for disk in volumes.disks)
            conflicts[position] = any(disk.conflicts(other) for other in others for disk in disks)
    return conflicts
