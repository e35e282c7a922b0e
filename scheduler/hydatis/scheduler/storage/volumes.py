"""A PersistentVolume, as far as scheduling looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.instructions import ClaimReference
from hydatis.scheduler.node_labels import NodeLabels
from hydatis.scheduler.node_selectors import NodeSelectorTerm
from hydatis.scheduler.storage.amounts import storage_amount
from hydatis.scheduler.storage.claims import FILESYSTEM, Claim, class_of
from hydatis.scheduler.storage.migration import AttachedVolume, Migrated, migrated


@dataclass(frozen=True, slots=True)
class VolumeAffinity:
    """Which nodes can reach a volume, by their labels (component-helpers storage/volume/helpers.go,
    CheckNodeAffinity).
    """

    terms: tuple[NodeSelectorTerm, ...] | None
    """None: all can."""

    @classmethod
    def parse(cls, terms: Any) -> "VolumeAffinity":
        """Read the terms of `spec.nodeAffinity.required`; None where there is none."""
        if terms is None:
            return EVERYWHERE
        return cls(tuple(_without_name(NodeSelectorTerm.parse(term)) for term in terms))

    def matches(self, labels: NodeLabels, rows: Rows) -> BoolArray:
        """Return one verdict a row."""
        if self.terms is None:
            return np.ones(len(rows), dtype=np.bool_)
        reached = np.zeros(len(rows), dtype=np.bool_)
        for term in self.terms:
            reached |= term.matches(labels, rows)
        return reached


EVERYWHERE = VolumeAffinity(None)


def _without_name(term: NodeSelectorTerm) -> NodeSelectorTerm:
    """A volume's terms are held against a node's labels alone, and what they say of its name is passed over."""
    return replace(term, fields=())


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume."""

    name: str
    class_name: str
    """Empty: none."""
    claim: ClaimReference | None
    """The claim it is bound to or kept for; its uid is empty where an administrator wrote the claim's name alone."""
    capacity: int
    """In nano-bytes."""
    access_modes: frozenset[str]
    volume_mode: str
    attributes_class: str
    """The VolumeAttributesClass; empty: none."""
    available: bool
    """Whether its phase is Available."""
    deleting: bool
    labels: Mapping[str, str]
    affinity: VolumeAffinity
    attached: AttachedVolume | None
    """How a CSI driver attaches it; None where it is no CSI volume."""
    migrated: Migrated | None
    """What a CSI driver makes of it; None where it is no in-tree volume that a CSI driver has taken over."""
    migrated_affinity: VolumeAffinity
    """The nodes that can reach it by that driver's own labels."""

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "Volume":
        """Read a volume."""
        metadata = manifest["metadata"]
        spec = manifest.get("spec") or {}
        claim = spec.get("claimRef")
        csi = spec.get("csi")
        required = (spec.get("nodeAffinity") or {}).get("required")
        terms = None if required is None else required.get("nodeSelectorTerms") or ()
        translated = migrated(spec, metadata.get("labels") or {}, terms)
        return cls(
            name=metadata["name"],
            class_name=class_of(metadata, spec.get("storageClassName")),
            claim=None
            if claim is None
            else ClaimReference(claim.get("namespace", ""), claim.get("name", ""), claim.get("uid", "")),
            capacity=storage_amount(spec.get("capacity") or {}) or 0,
            access_modes=frozenset(spec.get("accessModes") or ()),
            volume_mode=spec.get("volumeMode") or FILESYSTEM,
            attributes_class=spec.get("volumeAttributesClassName") or "",
            available=(manifest.get("status") or {}).get("phase") == "Available",
            deleting="deletionTimestamp" in metadata,
            labels=metadata.get("labels") or {},
            affinity=VolumeAffinity.parse(terms),
            attached=None if csi is None else AttachedVolume(csi.get("driver", ""), csi.get("volumeHandle", "")),
            migrated=translated,
            migrated_affinity=EVERYWHERE if translated is None else VolumeAffinity.parse(translated.terms),
        )


def kept_for(kept: ClaimReference | None, claim: Claim) -> bool:
    """Tell whether a volume with such a claim reference is this claim's (component-helpers
    storage/volume/pv_helpers.go, IsVolumeBoundToClaim).
    """
    if kept is None or (kept.namespace, kept.name) != claim.name:
        return False
    return kept.uid in {"", claim.reference.uid}
