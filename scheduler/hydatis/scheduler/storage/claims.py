"""A PersistentVolumeClaim, as far as scheduling looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from hydatis.scheduler.instructions import ClaimReference
from hydatis.scheduler.label_selectors import LabelSelector
from hydatis.scheduler.pod_patterns import parse_selector
from hydatis.scheduler.storage.amounts import storage_amount

BETA_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
"""The annotation that named the class before there was a field; it still goes before the field."""
BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
FILESYSTEM: Final = "Filesystem"
READ_WRITE_ONCE_POD: Final = "ReadWriteOncePod"


class ClaimName(NamedTuple):
    """Where to find a claim."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim."""

    reference: ClaimReference
    volume: str
    """The volume it is bound or is to be bound to; empty: none."""
    bound: bool
    """Whether it is bound for good: it names its volume, and the controller has completed the binding."""
    class_name: str
    """Empty: none."""
    selected_node: str | None
    """The node for which a volume is being provisioned."""
    request: int | None
    """Storage asked for, in nano-bytes; None: the claim does not say."""
    access_modes: frozenset[str]
    volume_mode: str
    selector: LabelSelector | None
    """Labels of the volumes that will do; None: any."""
    attributes_class: str
    """The VolumeAttributesClass; empty: none."""
    lost: bool
    """Whether its volume is gone."""
    deleting: bool
    controller_uid: str
    """The uid of the object that controls it; empty: none does."""

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "Claim":
        """Read a claim."""
        metadata = manifest["metadata"]
        spec = manifest.get("spec") or {}
        annotations = metadata.get("annotations") or {}
        owners = metadata.get("ownerReferences") or ()
        requests = (spec.get("resources") or {}).get("requests") or {}
        volume = spec.get("volumeName") or ""
        selector = spec.get("selector")
        return cls(
            reference=ClaimReference(metadata["namespace"], metadata["name"], metadata.get("uid", "")),
            volume=volume,
            bound=bool(volume) and BIND_COMPLETED in annotations,
            class_name=class_of(metadata, spec.get("storageClassName")),
            selected_node=annotations.get(SELECTED_NODE),
            request=storage_amount(requests),
            access_modes=frozenset(spec.get("accessModes") or ()),
            volume_mode=spec.get("volumeMode") or FILESYSTEM,
            selector=None if selector is None else parse_selector(selector),
            attributes_class=spec.get("volumeAttributesClassName") or "",
            lost=(manifest.get("status") or {}).get("phase") == "Lost",
            deleting="deletionTimestamp" in metadata,
            controller_uid=next((owner.get("uid", "") for owner in owners if owner.get("controller")), ""),
        )

    @property
    def name(self) -> ClaimName:
        """Where it is found."""
        return ClaimName(self.reference.namespace, self.reference.name)

    @property
    def one_pod_only(self) -> bool:
        """Whether no two pods may use it at a time."""
        return READ_WRITE_ONCE_POD in self.access_modes


def class_of(metadata: Mapping[str, Any], field: str | None) -> str:
    """Return the class that a claim or volume names, empty when none (component-helpers storage/volume/helpers.go)."""
    annotated: str | None = (metadata.get("annotations") or {}).get(BETA_CLASS)
    return (field or "") if annotated is None else annotated
