"""The claims of pods that have one: each waits for its first consumer and gets a volume in the zone of the pod's node.

Called by the scene and the measurement. Volumes are those of a CSI driver that attaches a limited number to a node, as
cloud disks are.
"""

from collections.abc import Iterable

from hydatis.benchmarks.core.shapes import NAMESPACE, ZONE, Shape, claim_of
from hydatis.scheduler.events import Event, StorageGone, StorageKind
from hydatis.scheduler.testing import PodBuilder
from hydatis.scheduler.testing_storage import claim, csi_driver, csi_node, reached_from, seen, storage_class, volume
from hydatis.simulations.clusters import ZONES

_DRIVER = "disks.example.com"
_CLASS = "disks"
_VOLUMES_PER_NODE = 39
"""What most virtual machines can attach."""


def storage(nodes: Iterable[str]) -> list[Event]:
    """Tell of the class, the driver, and what it can attach to each node."""
    manifests = [storage_class(_CLASS, _DRIVER), csi_driver(_DRIVER)]
    manifests += [csi_node(name, {_DRIVER: _VOLUMES_PER_NODE}) for name in nodes]
    return [seen(manifest) for manifest in manifests]


def unbound(shape: Shape, pod: PodBuilder) -> list[Event]:
    """Tell of a new pod's claim, if the shape has any."""
    return [seen(claim(claim_of(pod), _CLASS, namespace=NAMESPACE))] if shape.claim else []


def bound(shape: Shape, pod: PodBuilder, node: str) -> list[Event]:
    """Tell of the volume that was made for the pod's claim, and that the claim is bound to it."""
    if not shape.claim:
        return []
    name = claim_of(pod)
    bound_claim = claim(name, _CLASS, namespace=NAMESPACE, bound_to=_volume(name), phase="Bound")
    made = volume(
        _volume(name),
        _CLASS,
        kept_for=bound_claim,
        terms=reached_from(ZONE, _zone(node)),
        phase="Bound",
        csi={"driver": _DRIVER, "volumeHandle": name},
    )
    return [seen(made), seen(bound_claim)]


def gone(shape: Shape, pod: PodBuilder) -> list[Event]:
    """Tell that the claim and its volume are deleted."""
    if not shape.claim:
        return []
    name = claim_of(pod)
    return [
        StorageGone(StorageKind.PERSISTENT_VOLUME_CLAIM, NAMESPACE, name),
        StorageGone(StorageKind.PERSISTENT_VOLUME, "", _volume(name)),
    ]


def _volume(claim_name: str) -> str:
    return f"volume-of-{claim_name}"


def _zone(node: str) -> str:
    # The nodes of the scene are numbered, and their zones take turns.
    return ZONES[int(node.rpartition("-")[2]) % len(ZONES)]
