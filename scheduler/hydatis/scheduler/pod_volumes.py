"""The volumes of a pod that bear on where it can go, shared by all pods that ask for the same.

Volumes that bind to nothing but the node the pod runs on (config maps, secrets, empty directories) are not among them.
A claim is found by its name in the pod's own namespace, so the namespace is part of what the pod asks for; the claim
of an ephemeral volume belongs to one pod alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.storage.claims import ClaimName
from hydatis.scheduler.storage.migration import MIGRATED_FIELDS, AttachedVolume, inline_volume
from hydatis.scheduler.unsupported import KNOWN_VOLUMES

_CLAIM: Final = "persistentVolumeClaim"
_EPHEMERAL: Final = "ephemeral"
_DISKS = frozenset({"gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd"})
_INDIFFERENT = (KNOWN_VOLUMES | {"name"}) - _DISKS - MIGRATED_FIELDS - {_CLAIM, _EPHEMERAL}
"""Kinds of volumes that every node can give."""


@dataclass(frozen=True, slots=True)
class ClaimUse:
    """A claim that a pod uses."""

    name: ClaimName
    made_for: PodReference | None = None
    """The pod for whose ephemeral volume the claim must have been made; None: the pod names the claim itself."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that no two pods of a node may have, or only when both just read it."""

    kind: str
    identity: tuple[str, ...]
    read_only: bool
    monitors: frozenset[str] = frozenset()
    """Of a Ceph cluster: disks are the same only where they have one in common."""

    def conflicts(self, other: "Disk") -> bool:
        """Tell whether a node cannot have both (volumerestrictions/volume_restrictions.go, isVolumeConflict)."""
        if self.kind != other.kind or self.identity != other.identity or (self.read_only and other.read_only):
            return False
        return self.kind != "rbd" or not self.monitors.isdisjoint(other.monitors)


@dataclass(frozen=True, slots=True)
class PodVolumes:
    """The volumes of a pod, in the order in which it lists them."""

    claims: tuple[ClaimUse, ...] = ()
    disks: tuple[Disk, ...] = ()
    migrated: tuple[AttachedVolume, ...] = ()
    """Volumes of in-tree plugins whose place CSI drivers have taken, as those drivers see them."""

    def __bool__(self) -> bool:
        return bool(self.claims or self.disks or self.migrated)

    @classmethod
    def parse(cls, spec: Mapping[str, Any], metadata: Mapping[str, Any]) -> "PodVolumes":
        """Read `spec.volumes` of the pod with these metadata."""
        claims = []
        disks = []
        migrated = []
        for volume in spec.get("volumes") or ():
            if volume.get(_CLAIM) is not None:
                claims.append(ClaimUse(ClaimName(metadata["namespace"], volume[_CLAIM].get("claimName", ""))))
            elif volume.get(_EPHEMERAL) is not None:
                # component-helpers storage/ephemeral/ephemeral.go, VolumeClaimName
                name = ClaimName(metadata["namespace"], f"{metadata['name']}-{volume['name']}")
                pod = PodReference(metadata["namespace"], metadata["name"], metadata["uid"])
                claims.append(ClaimUse(name, pod))
            for kind in _DISKS & volume.keys():
                disks.append(_disk(kind, volume[kind]))
            for field in MIGRATED_FIELDS & volume.keys():
                attached = inline_volume(field, volume[field])
                if attached is not None:
                    migrated.append(attached)
        return cls(tuple(claims), tuple(disks), tuple(migrated)) if claims or disks or migrated else NO_VOLUMES


NO_VOLUMES = PodVolumes()


def volumes_key(spec: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[Any] | None:
    """Return what `PodVolumes.parse` reads, and kinds of volumes that nobody knows, to be part of the key of a class;
    None where there are none.
    """
    key: list[Any] = []
    for volume in spec.get("volumes") or ():
        if _EPHEMERAL in volume:
            key.append((metadata["namespace"], metadata["name"], metadata["uid"], volume["name"]))
        elif not _INDIFFERENT.issuperset(volume):
            # What a pod calls its volumes bears on nothing.
            key.append((metadata["namespace"], {kind: volume[kind] for kind in volume if kind != "name"}))
    return key or None


def _disk(kind: str, source: Mapping[str, Any]) -> Disk:
    read_only = bool(source.get("readOnly"))
    match kind:
        case "gcePersistentDisk":
            return Disk(kind, (source.get("pdName", ""),), read_only)
        case "awsElasticBlockStore":
            # Amazon's disks go to one machine only, whoever writes.
            return Disk(kind, (source.get("volumeID", ""),), read_only=False)
        case "iscsi":
            return Disk(kind, (source.get("iqn", ""),), read_only)
    monitors = frozenset(source.get("monitors") or ())
    return Disk(kind, (source.get("pool", ""), source.get("image", "")), read_only, monitors)
