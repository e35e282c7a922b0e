"""Storage objects for tests, simulations and benchmarks, as the API server would send them.

Beside `testing`, which has the builders of pods and nodes. What an object leaves out, it does not have.
"""

from typing import Any

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.events import StorageKind, StorageSeen
from hydatis.scheduler.storage.claims import BIND_COMPLETED, SELECTED_NODE
from hydatis.scheduler.testing import PodBuilder, expression

Manifest = dict[str, Any]


def claim(
    name: str = "data",
    storage_class: str | None = "waiting",
    *,
    namespace: str = "default",
    size: str = "1Gi",
    bound_to: str | None = None,
    selected_node: str | None = None,
    modes: tuple[str, ...] = ("ReadWriteOnce",),
    owner: str | None = None,
    phase: str = "Pending",
    **spec: Any,
) -> Manifest:
    """Make a claim; `owner` is the uid of the pod whose ephemeral volume it is."""
    made = _object(StorageKind.PERSISTENT_VOLUME_CLAIM, name, namespace=namespace, uid=f"uid-of-{name}")
    requested = {"requests": {"storage": size}}
    made["spec"] = {"accessModes": list(modes), "resources": requested, **spec}
    made["status"] = {"phase": phase}
    annotations = made["metadata"]["annotations"] = {}
    if storage_class is not None:
        made["spec"]["storageClassName"] = storage_class
    if bound_to is not None:
        made["spec"]["volumeName"] = bound_to
        annotations[BIND_COMPLETED] = "yes"
    if selected_node is not None:
        annotations[SELECTED_NODE] = selected_node
    if owner is not None:
        made["metadata"]["ownerReferences"] = [{"kind": "Pod", "uid": owner, "controller": True}]
    return made


def volume(
    name: str = "volume",
    storage_class: str = "waiting",
    *,
    size: str = "1Gi",
    modes: tuple[str, ...] = ("ReadWriteOnce",),
    kept_for: Manifest | None = None,
    terms: list[Manifest] | None = None,
    labels: dict[str, str] | None = None,
    phase: str = "Available",
    **spec: Any,
) -> Manifest:
    """Make a volume; `terms` are those of its node affinity, `kept_for` is the claim it is bound to or kept for."""
    made = _object(StorageKind.PERSISTENT_VOLUME, name, labels=labels or {})
    made["spec"] = {"capacity": {"storage": size}, "accessModes": list(modes), "storageClassName": storage_class}
    made["spec"].update(spec)
    made["status"] = {"phase": phase}
    if kept_for is not None:
        metadata = kept_for["metadata"]
        made["spec"]["claimRef"] = {key: metadata[key] for key in ("namespace", "name", "uid") if key in metadata}
    if terms is not None:
        made["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    return made


def storage_class(
    name: str = "waiting",
    provisioner: str = "kubernetes.io/no-provisioner",
    *,
    waits: bool = True,
    topologies: list[Manifest] | None = None,
) -> Manifest:
    """Make a class; its claims wait for their first consumer unless told otherwise, and nobody makes volumes."""
    made = _object(StorageKind.STORAGE_CLASS, name)
    mode = "WaitForFirstConsumer" if waits else "Immediate"
    return {**made, "provisioner": provisioner, "volumeBindingMode": mode, "allowedTopologies": topologies}


def csi_node(name: str, limits: dict[str, int | None] | None = None, *, migrated: str = "") -> Manifest:
    """Make a CSINode with drivers that can attach so many volumes (None: any number)."""
    made = _object(StorageKind.CSI_NODE, name)
    made["metadata"]["annotations"] = {"storage.alpha.kubernetes.io/migrated-plugins": migrated}
    drivers = [{"name": driver, "allocatable": {"count": count}} for driver, count in (limits or {}).items()]
    return {**made, "spec": {"drivers": drivers}}


def csi_driver(name: str, *, tracks_capacity: bool = False, must_be_on_node: bool = False) -> Manifest:
    """Make a CSIDriver."""
    spec = {"storageCapacity": tracks_capacity, "preventPodSchedulingIfMissing": must_be_on_node}
    return {**_object(StorageKind.CSI_DRIVER, name), "spec": spec}


def capacity(name: str, size: str, topology: Manifest | None, storage_class: str = "waiting") -> Manifest:
    """Make a CSIStorageCapacity."""
    made = _object(StorageKind.CSI_STORAGE_CAPACITY, name, namespace="kube-system")
    return {**made, "storageClassName": storage_class, "capacity": size, "nodeTopology": topology}


def attachment(name: str, node: str, volume: str, driver: str) -> Manifest:
    """Make a VolumeAttachment."""
    spec = {"nodeName": node, "attacher": driver, "source": {"persistentVolumeName": volume}}
    return {**_object(StorageKind.VOLUME_ATTACHMENT, name), "spec": spec}


def reached_from(key: str, *values: str) -> list[Manifest]:
    """Write a node affinity for nodes whose label has one of these values."""
    return [{"matchExpressions": [expression(key, "In", *values)]}]


def using(builder: PodBuilder, *claims: str) -> PodBuilder:
    """Let a pod use claims."""
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return builder.set_spec(volumes=volumes)


def seen(manifest: Manifest) -> StorageSeen:
    """Return the event that tells of an object."""
    return StorageSeen(StorageKind(manifest["kind"]), manifest)


def store(cluster: Cluster, *manifests: Manifest) -> None:
    """Put objects into the cluster's tables."""
    for manifest in manifests:
        cluster.storage.set(StorageKind(manifest["kind"]), manifest)


def _object(kind: StorageKind, name: str, **metadata: Any) -> Manifest:
    return {"kind": kind.value, "metadata": {"name": name, **metadata}}
