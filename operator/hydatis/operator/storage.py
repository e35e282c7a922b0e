"""What the watches show of PersistentVolumes and their claims: as much as it takes to tell whether a claim is bound.

`running` connects the two streams to it; `claiming` asks it, and hears of every change by `changed`. A few fields of
each object are kept, never the manifest. The rules are those of Kubernetes' pkg/scheduler/framework/plugins/
volumebinding/binder.go, checkBindings, and so are the texts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from hydatis.scheduler.instructions import ClaimReference, VolumeForClaim

SELECTED_NODE = "volume.kubernetes.io/selected-node"
"""On a claim: where its volume shall be provisioned. A provisioner that cannot do so removes it."""
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
"""On a claim: the PersistentVolume controller has bound it; the value does not matter."""


class Nodes(Protocol):
    """What the decision core knows of nodes; it hears of every object before this view does."""

    def has_node(self, name: str) -> bool:
        """Whether the node exists."""

    def node_reaches(self, name: str, volume: str) -> bool:
        """Whether the node can reach the volume of this name."""


class ClaimState(NamedTuple):
    """A PersistentVolumeClaim."""

    uid: str
    version: int
    """Its resource version."""
    volume: str
    """The volume it is bound to, or asks for by name; else empty."""
    selected_node: str
    bind_completed: bool

    @property
    def fully_bound(self) -> bool:
        """Whether claim and volume name each other, and the controller has said so."""
        return bool(self.volume) and self.bind_completed


class VolumeState(NamedTuple):
    """A PersistentVolume."""

    version: int
    """Its resource version."""
    claim_uid: str
    """The claim it belongs to; empty when it names none, or not which one of that name."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the binding of a claim is. A `reason` says that it has failed."""

    bound: bool
    reason: str = ""


BOUND = Verdict(True)
PENDING = Verdict(False)


class StorageView:
    """Claims and volumes as the watches last showed them."""

    def __init__(self, nodes: Nodes) -> None:
        self.changed: Callable[[str], None] = lambda _: None
        """Called with the key of a claim (NAMESPACE/NAME) or the name of a volume, after every change."""
        self._nodes = nodes
        self._claims: dict[str, ClaimState] = {}
        self._volumes: dict[str, VolumeState] = {}

    def claim_seen(self, manifest: Mapping[str, Any]) -> None:
        """A claim was listed, added or modified."""
        metadata = manifest["metadata"]
        key = f"{metadata['namespace']}/{metadata['name']}"
        annotations = metadata.get("annotations") or {}
        self._claims[key] = ClaimState(
            metadata["uid"],
            int(metadata["resourceVersion"]),
            (manifest.get("spec") or {}).get("volumeName") or "",
            annotations.get(SELECTED_NODE, ""),
            BIND_COMPLETED in annotations,
        )
        self.changed(key)

    def claim_gone(self, key: str) -> None:
        """A claim was deleted."""
        self._claims.pop(key, None)
        self.changed(key)

    def volume_seen(self, manifest: Mapping[str, Any]) -> None:
        """A volume was listed, added or modified."""
        metadata, spec = manifest["metadata"], manifest.get("spec") or {}
        self._volumes[metadata["name"]] = VolumeState(
            int(metadata["resourceVersion"]),
            (spec.get("claimRef") or {}).get("uid") or "",
        )
        self.changed(metadata["name"])

    def volume_gone(self, name: str) -> None:
        """A volume was deleted."""
        self._volumes.pop(name, None)
        self.changed(name)

    def claim(self, claim: ClaimReference) -> ClaimState | None:
        """Return this very claim; None also when there is another one of its name by now."""
        state = self._claims.get(claim_key(claim))
        return state if state is not None and state.uid == claim.uid else None

    def claimed(self, wanted: VolumeForClaim, version: int, node: str) -> Verdict:
        """How far the binding of a volume to its claim is.

        `version` is the volume's as it was written; until the watch shows that one, it shows nothing new.
        """
        volume, claim = self._volumes.get(wanted.volume), self.claim(wanted.claim)
        if volume is None:
            return Verdict(False, f'failed to check binding: persistentvolumes "{wanted.volume}" not found')
        if claim is None:
            return Verdict(False, f"failed to check binding: {_claim_not_found(wanted.claim)}")
        if volume.version < version:
            return PENDING
        if reason := self._unreachable(wanted.volume, node):
            return Verdict(False, reason)
        if not volume.claim_uid:
            return Verdict(False, f'ClaimRef got reset for pv "{wanted.volume}"')
        if claim.volume and claim.volume != wanted.volume:
            # Kubernetes would bind the pod, although nothing says that this volume can be reached from its node.
            return Verdict(False, f'PVC "{wanted.claim.name}" got bound to pv "{claim.volume}"')
        return BOUND if claim.fully_bound else PENDING

    def provisioned(self, wanted: ClaimReference, version: int, node: str) -> Verdict:
        """How far the provisioning of a claim for the node is; `version` is the claim's as it was written."""
        claim = self.claim(wanted)
        if claim is None:
            return Verdict(False, f"failed to check provisioning pvc: {_claim_not_found(wanted)}")
        if claim.version < version:
            return PENDING
        if claim.selected_node != node:
            return Verdict(False, f'provisioning failed for PVC "{wanted.name}"')
        if claim.volume:
            if claim.volume not in self._volumes:
                # The stream of volumes may be behind; a volume that is really gone unbinds its claim.
                return PENDING
            if reason := self._unreachable(claim.volume, node):
                return Verdict(False, reason)
        return BOUND if claim.fully_bound else PENDING

    def node(self, name: str) -> Verdict:
        """Whether the node is still there."""
        if not self._nodes.has_node(name):
            return Verdict(False, f'failed to get node "{name}": node "{name}" not found')
        return BOUND

    def _unreachable(self, volume: str, node: str) -> str:
        """Why the volume cannot be reached from the node; empty when it can be."""
        if self._nodes.node_reaches(node, volume):
            return ""
        return f'pv "{volume}" node affinity doesn\'t match node "{node}": no matching NodeSelectorTerms'


def claim_key(claim: ClaimReference) -> str:
    """NAMESPACE/NAME."""
    return f"{claim.namespace}/{claim.name}"


def _claim_not_found(claim: ClaimReference) -> str:
    return f'persistentvolumeclaims "{claim_key(claim)}" not found'
