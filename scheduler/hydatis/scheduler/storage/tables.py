"""Tables of the storage objects, written by events and read by the volume plugins.

Part of the cluster state. An update that changes nothing scheduling looks at changes nothing here either; every other
one raises `version`, by which whoever keeps verdicts about pods with volumes knows to make them anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from hydatis.scheduler.cluster_events import EVERYWHERE, ClusterEvent, EventLog
from hydatis.scheduler.events import StorageKind
from hydatis.scheduler.instructions import ClaimReference, VolumesToBind
from hydatis.scheduler.storage.assuming import AssumedBindings
from hydatis.scheduler.storage.claims import Claim, ClaimName
from hydatis.scheduler.storage.classes import StorageClass
from hydatis.scheduler.storage.csi import Attachment, Capacity, CsiDriver, CsiNode
from hydatis.scheduler.storage.volumes import Volume


class Storage:
    """All storage objects by name."""

    def __init__(self, events: EventLog) -> None:
        """What changes is written to `events`, too."""
        self._events = events
        self.volumes: dict[str, Volume] = {}
        self.claims: dict[ClaimName, Claim] = {}
        self.classes: dict[str, StorageClass] = {}
        self.csi_nodes: dict[str, CsiNode] = {}
        self.csi_drivers: dict[str, CsiDriver] = {}
        self.version = 0
        """Grows with every change that can bear on a pod with volumes, assumed ones included."""
        self.attaching_version = 0
        """Grows with every change of what can be attached to nodes, or is."""
        self._capacities: dict[tuple[str, str], Capacity] = {}
        self._attachments: dict[str, Attachment] = {}
        self._attachments_by_node: defaultdict[str, dict[str, Attachment]] = defaultdict(dict)
        self._volumes_by_owner: defaultdict[str | ClaimName, dict[str, Volume]] = defaultdict(dict)
        """Volumes that are bound to or kept for a claim by its name, all others by the name of their class."""
        self._assumed = AssumedBindings()

    # Events

    def set(self, kind: StorageKind, manifest: Mapping[str, Any]) -> None:
        """Take note of an object."""
        match kind:
            case StorageKind.PERSISTENT_VOLUME:
                changed = self._set_volume(Volume.parse(manifest))
            case StorageKind.PERSISTENT_VOLUME_CLAIM:
                claim = Claim.parse(manifest)
                self._assumed.claim_seen(claim)
                changed = _put(self.claims, claim.name, claim)
            case StorageKind.STORAGE_CLASS:
                storage_class = StorageClass.parse(manifest)
                changed = _put(self.classes, storage_class.name, storage_class)
            case StorageKind.CSI_NODE:
                csi_node = CsiNode.parse(manifest)
                changed = _put(self.csi_nodes, csi_node.name, csi_node)
            case StorageKind.CSI_DRIVER:
                driver = CsiDriver.parse(manifest)
                changed = _put(self.csi_drivers, driver.name, driver)
            case StorageKind.CSI_STORAGE_CAPACITY:
                capacity = Capacity.parse(manifest)
                changed = _put(self._capacities, (capacity.namespace, capacity.name), capacity)
            case StorageKind.VOLUME_ATTACHMENT:
                changed = self._set_attachment(Attachment.parse(manifest))
        if changed:
            self._tell(ClusterEvent[kind.name])

    def remove(self, kind: StorageKind, namespace: str, name: str) -> None:
        """Forget an object."""
        gone: object
        match kind:
            case StorageKind.PERSISTENT_VOLUME:
                gone = self._remove_volume(name)
            case StorageKind.PERSISTENT_VOLUME_CLAIM:
                gone = self.claims.pop(ClaimName(namespace, name), None)
                self._assumed.claim_gone(ClaimName(namespace, name))
            case StorageKind.STORAGE_CLASS:
                gone = self.classes.pop(name, None)
            case StorageKind.CSI_NODE:
                gone = self.csi_nodes.pop(name, None)
            case StorageKind.CSI_DRIVER:
                gone = self.csi_drivers.pop(name, None)
            case StorageKind.CSI_STORAGE_CAPACITY:
                gone = self._capacities.pop((namespace, name), None)
            case StorageKind.VOLUME_ATTACHMENT:
                gone = self._remove_attachment(name)
        if gone is not None:
            self._tell(ClusterEvent[kind.name])

    # What was assumed

    def assume(self, pod: str, node: str, volumes: VolumesToBind) -> None:
        """Count the bindings as made, for the pod with this uid on this node."""
        if volumes:
            self._assumed.assume(pod, node, volumes)
            self.version += 1

    def give_back(self, pod: str) -> None:
        """Forget what was assumed for a pod that is not bound after all."""
        if self._assumed.give_back(pod):
            self._tell(ClusterEvent.PERSISTENT_VOLUME | ClusterEvent.PERSISTENT_VOLUME_CLAIM)

    def settle(self, pod: str) -> None:
        """Note that the pod is bound: what was assumed for it stays until the watch shows it."""
        self._assumed.settle(pod)

    def retract(self, version: int) -> None:
        """Go back to a version after which everything was undone, and which nobody kept verdicts about since."""
        self.version = version

    def use_changed(self, claims: Iterable[ClaimName]) -> None:
        """Note that a pod which names these claims was placed or left: whoever else wants one that only a single pod
        may use is to look again.
        """
        known = (self.claims.get(name) for name in claims)
        if any(claim is not None and claim.one_pod_only for claim in known):
            self._tell(ClusterEvent.PERSISTENT_VOLUME_CLAIM)

    @property
    def assumed_count(self) -> int:
        """How many volumes and claims have something assumed about them."""
        return len(self._assumed)

    # Questions

    def claim_of(self, volume: Volume) -> ClaimReference | None:
        """Return the claim that the volume is bound to or kept for, as shown or as assumed."""
        return self._assumed.claim_of(volume)

    def node_of(self, claim: Claim) -> str | None:
        """Return the node for which the claim's volume is being provisioned, as shown or as assumed."""
        return self._assumed.node_of(claim)

    def waits_for_consumer(self, claim: Claim) -> bool:
        """Tell whether the claim is bound only when a pod that uses it is placed (component-helpers
        storage/volume/pv_helpers.go, IsDelayBindingMode).
        """
        storage_class = self.classes.get(claim.class_name)
        return storage_class is not None and storage_class.waits_for_consumer

    def volumes_for(self, claim: Claim) -> Iterable[Volume]:
        """Return the volumes of the claim's class (empty: of none) that are nobody's or this claim's, in the order of
        their names. Some of them may be assumed to be another claim's.
        """
        found = dict(self._volumes_by_owner.get(claim.class_name, {}))
        found.update(self._volumes_by_owner.get(claim.name, {}))
        for name in self._assumed.volumes_of(claim.name):
            if name in self.volumes:
                found[name] = self.volumes[name]
        return [found[name] for name in sorted(found) if found[name].class_name == claim.class_name]

    def capacities_of_class(self, name: str) -> Iterable[Capacity]:
        """Return what is known of the room for volumes of a class, in the order of the objects' names."""
        return [c for _, c in sorted(self._capacities.items()) if c.class_name == name]

    def attachment_counts(self) -> Iterator[tuple[str, int]]:
        """Yield the nodes with attachments, and how many each has."""
        return ((node, len(attachments)) for node, attachments in self._attachments_by_node.items())

    def attachments_on(self, node: str) -> Collection[Attachment]:
        """Return the attachments to a node."""
        return self._attachments_by_node.get(node, {}).values()

    def nodes_with_migrated(self, plugin: str) -> frozenset[str]:
        """Return the nodes on which a CSI driver has taken over an in-tree plugin's volumes."""
        return frozenset(node.name for node in self.csi_nodes.values() if plugin in node.migrated)

    def _tell(self, what: ClusterEvent) -> None:
        self.version += 1
        if what & (ClusterEvent.CSI_NODE | ClusterEvent.VOLUME_ATTACHMENT):
            self.attaching_version += 1
        self._events.append(EVERYWHERE, what)

    # Objects filed in more than one place

    def _set_volume(self, volume: Volume) -> bool:
        self._assumed.volume_seen(volume)
        known = self.volumes.get(volume.name)
        if known == volume:
            return False
        if known is not None:
            _unfile(self._volumes_by_owner, filed_under(known), volume.name)
        self.volumes[volume.name] = volume
        self._volumes_by_owner[filed_under(volume)][volume.name] = volume
        return True

    def _remove_volume(self, name: str) -> Volume | None:
        self._assumed.volume_gone(name)
        known = self.volumes.pop(name, None)
        if known is not None:
            _unfile(self._volumes_by_owner, filed_under(known), name)
        return known

    def _set_attachment(self, attachment: Attachment) -> bool:
        known = self._attachments.get(attachment.name)
        if known == attachment:
            return False
        self._remove_attachment(attachment.name)
        self._attachments[attachment.name] = attachment
        self._attachments_by_node[attachment.node][attachment.name] = attachment
        return True

    def _remove_attachment(self, name: str) -> Attachment | None:
        known = self._attachments.pop(name, None)
        if known is not None:
            _unfile(self._attachments_by_node, known.node, name)
        return known


def _put(table: dict[Any, Any], key: object, value: object) -> bool:
    """Tell whether the value is new."""
    if table.get(key) == value:
        return False
    table[key] = value
    return True


def filed_under(volume: Volume) -> str | ClaimName:
    """Return the claim that the volume is bound to or kept for, as shown; the name of its class when there is none."""
    claim = volume.claim
    return volume.class_name if claim is None else ClaimName(claim.namespace, claim.name)


def _unfile(files: dict[Any, dict[str, Any]], file: str | ClaimName, name: str) -> None:
    del files[file][name]
    if not files[file]:
        del files[file]
