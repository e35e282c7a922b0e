"""VolumeBinding: nodes that reach the pod's volumes, or for which there are or can be some (kubernetes
plugins/volumebinding).
"""

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.instructions import NO_VOLUMES, VolumeForClaim, VolumesToBind
from hydatis.scheduler.plugins import (
    MAX_NODE_SCORE,
    Everywhere,
    Normalization,
    Nowhere,
    PreFilterResult,
    Scope,
)
from hydatis.scheduler.pod_volumes import ClaimUse
from hydatis.scheduler.quantities import value
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.storage.tables import Storage
from hydatis.scheduler.volume_finding import ClaimsOfPod, FoundVolumes, find_volumes

_OUT_OF_REACH: Final = "node(s) didn't match PersistentVolume's node affinity"
_NO_MATCH: Final = "node(s) didn't find available persistent volumes to bind"
_NO_ROOM: Final = "node(s) did not have enough free storage"
_MISSING: Final = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


class VolumeBinding:
    """PreFilter by the state of the claims, filter by volumes, score by the room they leave, reserve them."""

    name: ClassVar[str] = "VolumeBinding"
    scope: ClassVar[Scope] = Scope.NODE
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED
        | ClusterEvent.NODE_LABELS
        | ClusterEvent.PERSISTENT_VOLUME_CLAIM
        | ClusterEvent.PERSISTENT_VOLUME
        | ClusterEvent.STORAGE_CLASS
        | ClusterEvent.CSI_NODE
        | ClusterEvent.CSI_DRIVER
        | ClusterEvent.CSI_STORAGE_CAPACITY
    )
    prefilter_helped_by: ClassVar[ClusterEvent] = ClusterEvent.PERSISTENT_VOLUME_CLAIM | ClusterEvent.STORAGE_CLASS
    normalization: ClassVar[Normalization] = Normalization.NONE

    def prefilter(self, requirements: Requirements, cluster: Cluster) -> PreFilterResult:
        """Refuse while a claim does not exist, goes or went away, is another pod's, or is still to be bound by the
        controller.
        """
        uses = requirements.volumes.claims
        for use in uses:
            fault = _fault(use, cluster.storage)
            if fault is not None:
                return Nowhere(fault)
        if uses and ClaimsOfPod.of(uses, cluster.storage).immediate:
            return Nowhere("pod has unbound immediate PersistentVolumeClaims")
        return Everywhere()

    def applies(self, requirements: Requirements) -> bool:
        """Only pods with claims."""
        return bool(requirements.volumes.claims)

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes on which every claim has its volume or can get one."""
        return _find(requirements, cluster, rows).satisfied

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """A node may have several."""
        found = _find(requirements, cluster, rows)
        counts = {
            _OUT_OF_REACH: int(found.out_of_reach.sum()),
            _NO_MATCH: int(found.no_match.sum()),
            _NO_ROOM: int(found.no_room.sum()),
            _MISSING: int(found.missing.sum()),
        }
        return {text: count for text, count in counts.items() if count}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """No pod that leaves gives its volumes away."""
        return np.ones(len(rows), dtype=np.bool_)

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Prefer volumes, or room for them, of which the claims use little: 100 less the percentage used, over the
        storage classes in the mean.
        """
        found = _find(requirements, cluster, rows)
        static = np.logical_or.reduce([binding.chosen >= 0 for binding in found.bindings], initial=False)
        usage: dict[str, _Usage] = {}
        for binding in found.bindings:
            sizes = np.array([*(value(volume.capacity) for volume in binding.candidates), 0], dtype=np.int64)
            used = usage.setdefault(binding.claim.class_name, _Usage(len(rows)))
            used.add(binding.chosen >= 0, value(binding.claim.request or 0))
            used.capacity += sizes[binding.chosen]
        for provision in found.provisions:
            rooms = np.array([*(value(known.capacity or 0) for known in provision.capacities), 0], dtype=np.int64)
            here = provision.rows & (provision.room >= 0) & ~static
            used = usage.setdefault(provision.claim.class_name, _Usage(len(rows)))
            used.add(here, value(provision.claim.request or 0))
            # All claims draw on the same room, so it is not added up.
            used.capacity[here] = rooms[provision.room[here]]
        total = sum((used.scores() for used in usage.values()), np.zeros(len(rows), dtype=np.int64))
        classes = sum((used.here for used in usage.values()), np.zeros(len(rows), dtype=np.int64))
        rounded: Int64Array = (2 * total + classes) // np.maximum(2 * classes, 1)
        return np.where(found.satisfied, rounded, 0)

    def reserve(self, requirements: Requirements, cluster: Cluster, row: int) -> VolumesToBind:
        """Say which volumes the claims get on the node, and which are to be provisioned (AssumePodVolumes)."""
        if not requirements.volumes.claims:
            return NO_VOLUMES
        found = _find(requirements, cluster, np.array([row], dtype=np.intp))
        # A pod may name a claim twice; it is bound once.
        chosen = {
            binding.claim.reference: binding.candidates[binding.chosen[0]].name
            for binding in reversed(found.bindings)
            if binding.chosen[0] >= 0
        }
        provisioned = dict.fromkeys(p.claim.reference for p in found.provisions if p.rows[0])
        return VolumesToBind(
            tuple(VolumeForClaim(volume, claim) for claim, volume in reversed(chosen.items())),
            tuple(claim for claim in provisioned if claim not in chosen),
        )


class _Usage:
    """What the claims of one storage class use of what there is, by row."""

    def __init__(self, rows: int) -> None:
        self.here: BoolArray = np.zeros(rows, dtype=np.bool_)
        """Where any claim of the class counts."""
        self.requested: Int64Array = np.zeros(rows, dtype=np.int64)
        self.capacity: Int64Array = np.zeros(rows, dtype=np.int64)

    def add(self, where: BoolArray, requested: int) -> None:
        """Count a claim."""
        self.here |= where
        self.requested[where] += requested

    def scores(self) -> Int64Array:
        """Return 0-100 (volumebinding/scorer.go, with the default shape: 100 when all is free, 0 when all is used)."""
        fits = self.here & (self.capacity > 0) & (self.requested <= self.capacity)
        share = self.requested * MAX_NODE_SCORE // np.maximum(self.capacity, 1)
        return np.where(fits, MAX_NODE_SCORE - share, 0)


def _fault(use: ClaimUse, storage: Storage) -> str | None:
    """Say why the claim cannot be used (volume_binding.go, podHasPVCs)."""
    namespace, name = use.name
    claim = storage.claims.get(use.name)
    if claim is None:
        if use.made_for is not None:
            return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
        return f'persistentvolumeclaim "{name}" not found'
    if claim.lost:
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim.volume}"'
    if claim.deleting:
        return f'persistentvolumeclaim "{name}" is being deleted'
    pod = use.made_for
    if pod is not None and claim.controller_uid != pod.uid:
        return f"PVC {namespace}/{name} was not created for pod {pod.namespace}/{pod.name} (pod is not owner)"
    return None


def _find(requirements: Requirements, cluster: Cluster, rows: Rows) -> FoundVolumes:
    return find_volumes(ClaimsOfPod.of(requirements.volumes.claims, cluster.storage), cluster, rows)
