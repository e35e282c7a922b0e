"""Everything that a pod asks of nodes, shared by all pods that ask the same.

Pods with the same requests, ports, selectors, affinity, tolerations and volumes form one equivalence class and share
one `Requirements` object; what is computed for the class serves them all. `RequirementsIndex` finds the class of a
manifest from the bytes of just those fields, without parsing any of them again.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import orjson

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.declared_features import DeclaredFeatures, needed_features
from hydatis.scheduler.host_ports import HostPort, parse_host_ports
from hydatis.scheduler.node_images import normalized_image_name
from hydatis.scheduler.node_selectors import PreferredTerm, RequiredNodeAffinity, parse_preferred_terms
from hydatis.scheduler.pod_requests import (
    ContainerCpu,
    container_cpu,
    overhead_millicores,
    pod_limits,
    pod_nonzero_requests,
    pod_requests,
    pod_scored_requests,
)
from hydatis.scheduler.pod_volumes import NO_VOLUMES, PodVolumes, volumes_key
from hydatis.scheduler.resources import PODS_COLUMN, ResourceColumns
from hydatis.scheduler.tolerations import Toleration
from hydatis.scheduler.unsupported import unsupported_features

_EXACT_LIMIT = 2**53
"""Amounts above this could, a thousand to a node, run over 64 bits; the cluster state then adds them up in exact
integers.
"""

_KUBELET_REPORTS = ("containerStatuses", "initContainerStatuses", "conditions", "resources", "allocatedResources")
"""The fields of a pod's status that may tell of resources changed in place."""


class Requirements:
    """One equivalence class of pods. Compared and hashed by identity: the index holds one object a class."""

    __slots__ = (
        "__weakref__",
        "affinity",
        "amounts",
        "columns",
        "container_cpu",
        "declared_features",
        "host_ports",
        "huge",
        "images",
        "limits_by_name",
        "node_affinity",
        "nonzero_cpu",
        "nonzero_memory",
        "overhead_millicores",
        "preferred_node_affinity",
        "requests",
        "requests_by_name",
        "scored_requests",
        "spread_constraints",
        "tolerations",
        "unsupported",
        "volumes",
        "wanted_node",
    )

    def __init__(
        self,
        spec: Mapping[str, Any],
        status: Mapping[str, Any],
        columns: ResourceColumns,
        volumes: PodVolumes = NO_VOLUMES,
    ) -> None:
        """Parse a pod's specification. Raises `QuantityInvalid`."""
        self.requests_by_name: Mapping[str, int] = pod_requests(spec, status)
        self.requests: tuple[tuple[int, int], ...] = tuple(
            sorted((columns.column(name), amount) for name, amount in self.requests_by_name.items())
        )
        """(column, amount) of every resource named, zero amounts included; the pod itself, one of `pods`, is not
        among them.
        """
        counted = [(column, amount) for column, amount in self.requests if amount]
        self.columns: Rows = np.array([PODS_COLUMN, *(column for column, _ in counted)], dtype=np.intp)
        self.amounts: Int64Array = np.array([1, *(amount for _, amount in counted)], dtype=np.int64)
        """What placing one such pod adds to its node's row, at `columns`."""
        self.nonzero_cpu, self.nonzero_memory = pod_nonzero_requests(spec, status)
        """Millicores and bytes that one such pod counts as on its node in LeastAllocated and MostAllocated."""
        self.scored_requests: Mapping[str, int] = pod_scored_requests(spec)
        """By name, what the pod that is being placed counts as when NodeResourcesFit scores."""
        self.limits_by_name: Mapping[str, int] = pod_limits(spec)
        """Of cpu and memory, where any container states one."""
        self.container_cpu: tuple[ContainerCpu, ...] = container_cpu(spec)
        self.overhead_millicores: int = overhead_millicores(spec)
        self.huge: bool = (
            max(
                self.nonzero_cpu,
                self.nonzero_memory,
                *self.scored_requests.values(),
                *(amount for _, amount in counted),
                0,
            )
            > _EXACT_LIMIT
        )
        self.host_ports: tuple[HostPort, ...] = parse_host_ports(spec)
        self.declared_features: DeclaredFeatures = needed_features(spec)
        self.tolerations: tuple[Toleration, ...] = tuple(map(Toleration.parse, spec.get("tolerations") or ()))
        self.node_affinity: RequiredNodeAffinity = RequiredNodeAffinity.parse(spec)
        self.preferred_node_affinity: tuple[PreferredTerm, ...] = parse_preferred_terms(spec)
        self.affinity: Mapping[str, Any] = spec.get("affinity") or {}
        """As the manifest has it: what it says of other pods depends on the pod's namespace."""
        self.spread_constraints: Sequence[Mapping[str, Any]] = spec.get("topologySpreadConstraints") or ()
        """As the manifest has them: what they say depends on the pod's labels."""
        self.images: tuple[str, ...] = tuple(_images(spec))
        """The images of all containers and image volumes, one entry each, with their tags."""
        self.volumes = volumes
        """The volumes that bear on where the pod can go; whose claims they are depends on the pod's namespace."""
        self.unsupported: tuple[str, ...] = unsupported_features(spec)
        self.wanted_node: str | None = spec.get("nodeName") or None
        """The node a manifest names before it is bound; only a driver that asks «would it fit there» has such pods."""

    def request(self, column: int) -> int:
        """Return the amount requested of the resource in that column, 0 when none."""
        return next((amount for known, amount in self.requests if known == column), 0)


class RequirementsIndex:
    """Maps pod manifests to their equivalence classes. Classes without any pod left are forgotten by themselves."""

    def __init__(self, columns: ResourceColumns) -> None:
        self._columns = columns
        self._classes: WeakValueDictionary[bytes, Requirements] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._classes)

    def of(self, manifest: Mapping[str, Any]) -> Requirements:
        """Return the class of this pod. Raises `QuantityInvalid`."""
        spec = manifest.get("spec") or {}
        status = manifest.get("status") or {}
        metadata = manifest["metadata"]
        key = _class_key(spec, status, metadata)
        found = self._classes.get(key)
        if found is None:
            # Placed pods and those still to place share a class, so the node's name is no part of it.
            volumes = PodVolumes.parse(spec, metadata)
            found = Requirements({**spec, "nodeName": None}, status, self._columns, volumes)
            self._classes[key] = found
        return found


def _class_key(spec: Mapping[str, Any], status: Mapping[str, Any], metadata: Mapping[str, Any]) -> bytes:
    """The bytes of all fields that `Requirements` reads, and of no other."""
    get = spec.get
    volumes = get("volumes")
    key: list[Any] = [
        [(c.get("resources"), c.get("ports"), c.get("image")) for c in get("containers") or ()],
        get("nodeSelector"),
        get("affinity"),
        get("tolerations"),
        get("topologySpreadConstraints"),
        [volume["image"] for volume in volumes if "image" in volume] if volumes else None,
        volumes_key(spec, metadata) if volumes else None,
    ]
    if "initContainers" in spec:
        init_containers = get("initContainers") or ()
        key.append(
            [(c.get("resources"), c.get("ports"), c.get("restartPolicy"), c.get("image")) for c in init_containers]
        )
    for rare in ("overhead", "resources", "resourceClaims", "schedulingGroup", "workloadRef"):
        if rare in spec:
            key.append((rare, get(rare)))
    needed = needed_features(spec)
    if needed:
        key.append(("declaredFeatures", needed))
    if not status.keys().isdisjoint(_KUBELET_REPORTS):
        key.append(_in_place_key(spec, status))
    return orjson.dumps(key, option=orjson.OPT_NON_STR_KEYS)


def _images(spec: Mapping[str, Any]) -> Iterator[str]:
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        yield normalized_image_name(container.get("image") or "")
    for volume in spec.get("volumes") or ():
        if volume.get("image"):
            yield normalized_image_name(volume["image"].get("reference") or "")


def _in_place_key(spec: Mapping[str, Any], status: Mapping[str, Any]) -> list[Any] | None:
    """The fields by which the kubelet tells of resources changed in place; None when it tells of nothing."""
    statuses = [
        (c.get("name"), c.get("allocatedResources"), c.get("resources"))
        for c in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ()))
        if "allocatedResources" in c or "resources" in c
    ]
    whole_pod = (status.get("resources"), status.get("allocatedResources"))
    pending = [c.get("reason") for c in status.get("conditions") or () if c.get("type") == "PodResizePending"]
    if not statuses and not pending and whole_pod == (None, None):
        return None
    # Containers are told apart by name here, so their names are part of the class.
    names = [c.get("name") for c in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))]
    return [statuses, whole_pod, names, pending]
