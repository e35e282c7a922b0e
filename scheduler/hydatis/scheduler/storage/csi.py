"""CSI drivers, what they say about nodes, and where they have attached volumes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.label_selectors import LabelSelector
from hydatis.scheduler.node_labels import NodeLabels
from hydatis.scheduler.node_selectors import LabelRequirement
from hydatis.scheduler.pod_patterns import NOTHING, parse_selector
from hydatis.scheduler.storage.amounts import quantity

_MIGRATED_PLUGINS: Final = "storage.alpha.kubernetes.io/migrated-plugins"


@dataclass(frozen=True, slots=True)
class CsiNode:
    """What a node says of its CSI drivers."""

    name: str
    drivers: frozenset[str]
    limits: Mapping[str, int]
    """Driver to the most volumes that it can attach to the node; a driver that is not there has no limit."""
    migrated: frozenset[str]
    """The in-tree plugins whose volumes CSI drivers have taken over there."""

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "CsiNode":
        """Read a CSINode."""
        metadata = manifest["metadata"]
        drivers = (manifest.get("spec") or {}).get("drivers") or ()
        migrated = (metadata.get("annotations") or {}).get(_MIGRATED_PLUGINS) or ""
        counts = {driver.get("name", ""): (driver.get("allocatable") or {}).get("count") for driver in drivers}
        return cls(
            name=metadata["name"],
            drivers=frozenset(counts),
            limits={name: count for name, count in counts.items() if count is not None},
            migrated=frozenset(migrated.split(",")) - {""},
        )


@dataclass(frozen=True, slots=True)
class CsiDriver:
    """A driver that is installed in the cluster."""

    name: str
    tracks_capacity: bool
    """Whether it says how much room there is, so that volumes are provisioned only where there is enough."""
    must_be_on_node: bool
    """Whether pods with its volumes go only to nodes on which it runs."""

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "CsiDriver":
        """Read a CSIDriver."""
        spec = manifest.get("spec") or {}
        return cls(
            name=manifest["metadata"]["name"],
            tracks_capacity=bool(spec.get("storageCapacity")),
            must_be_on_node=bool(spec.get("preventPodSchedulingIfMissing")),
        )


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much room there is for volumes of a class, for the nodes that share it."""

    namespace: str
    name: str
    class_name: str
    capacity: int | None
    """All the room, in nano-bytes."""
    largest: int | None
    """The largest volume, in nano-bytes; None: as large as all the room."""
    nodes: LabelSelector
    """The nodes that share it; none where the object names no topology."""

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "Capacity":
        """Read a CSIStorageCapacity."""
        metadata = manifest["metadata"]
        topology = manifest.get("nodeTopology")
        return cls(
            namespace=metadata.get("namespace", ""),
            name=metadata["name"],
            class_name=manifest.get("storageClassName") or "",
            capacity=quantity(manifest.get("capacity")),
            largest=quantity(manifest.get("maximumVolumeSize")),
            nodes=NOTHING if topology is None else parse_selector(topology),
        )

    @property
    def limit(self) -> int | None:
        """The largest volume that fits; None: none does."""
        return self.capacity if self.largest is None else self.largest

    def reaches(self, labels: NodeLabels, rows: Rows) -> BoolArray:
        """Tell for each row whether the node shares it."""
        if self.nodes.requirements is None:
            return np.zeros(len(rows), dtype=np.bool_)
        reached = np.ones(len(rows), dtype=np.bool_)
        for requirement in self.nodes.requirements:
            values = tuple(requirement.values)
            reached &= LabelRequirement(requirement.key, requirement.operator, values).matches(labels, rows)
        return reached


@dataclass(frozen=True, slots=True)
class Attachment:
    """A volume that a driver has attached to a node, or is asked to attach or detach."""

    name: str
    node: str
    driver: str
    volume: str
    """The PersistentVolume; empty: none is named."""

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "Attachment":
        """Read a VolumeAttachment."""
        spec = manifest.get("spec") or {}
        return cls(
            name=manifest["metadata"]["name"],
            node=spec.get("nodeName") or "",
            driver=spec.get("attacher") or "",
            volume=(spec.get("source") or {}).get("persistentVolumeName") or "",
        )
