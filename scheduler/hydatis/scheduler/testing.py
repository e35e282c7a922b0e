"""Builders of pods and nodes, one set for tests, simulations and benchmarks.

`pod("web").requests(cpu="1").toleration("gpu").manifest()` gives the decoded JSON that the API server would send.
Each call returns the builder, so that calls chain; `manifest` returns a copy, so that a builder can be used again.
"""

import copy
import itertools
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.pod_class import PodClass, PodClasses
from hydatis.scheduler.pod_volumes import PodVolumes
from hydatis.scheduler.requirements import Requirements

_uids = itertools.count(1)


class PodBuilder:
    """Builds one pod with a single container."""

    def __init__(self, name: str, namespace: str) -> None:
        self._manifest: dict[str, Any] = {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": f"{namespace}-{name}-{next(_uids)}",
                "labels": {},
            },
            "spec": {"schedulerName": "hydatis", "containers": [{"name": "main", "resources": {}}]},
            "status": {"phase": "Pending"},
        }

    def manifest(self) -> dict[str, Any]:
        """Return the pod."""
        return copy.deepcopy(self._manifest)

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return str(self._manifest["metadata"]["uid"])

    def set_spec(self, **fields: Any) -> Self:
        """Set fields of the specification as they stand in a manifest."""
        self._manifest["spec"].update(fields)
        return self

    def set_status(self, **fields: Any) -> Self:
        """Set fields of the status."""
        self._manifest["status"].update(fields)
        return self

    def requests(self, **resources: str | int) -> Self:
        """Set the container's requests; write `ephemeral_storage` for ephemeral-storage."""
        return self.request_of({name.replace("_", "-"): quantity for name, quantity in resources.items()})

    def request_of(self, resources: dict[str, str | int]) -> Self:
        """Set the container's requests by resource name."""
        self._manifest["spec"]["containers"][0]["resources"]["requests"] = resources
        return self

    def container(self, **fields: Any) -> Self:
        """Add a container."""
        self._manifest["spec"]["containers"].append(fields)
        return self

    def init_container(self, **fields: Any) -> Self:
        """Add an init container; `restartPolicy="Always"` makes it a sidecar."""
        self._manifest["spec"].setdefault("initContainers", []).append(fields)
        return self

    def image(self, name: str) -> Self:
        """Set the container's image."""
        self._manifest["spec"]["containers"][0]["image"] = name
        return self

    def host_port(self, port: int, protocol: str = "TCP", address: str = "") -> Self:
        """Let the container take a host port."""
        entry = {"containerPort": port, "hostPort": port, "protocol": protocol, "hostIP": address}
        self._manifest["spec"]["containers"][0].setdefault("ports", []).append(entry)
        return self

    def toleration(self, key: str = "", operator: str = "Exists", value: str = "", effect: str = "") -> Self:
        """Add a toleration."""
        entry = {"key": key, "operator": operator, "value": value, "effect": effect}
        self._manifest["spec"].setdefault("tolerations", []).append(entry)
        return self

    def node_selector(self, **labels: str) -> Self:
        """Set `nodeSelector`."""
        return self.set_spec(nodeSelector=labels)

    def required_node_affinity(self, *terms: dict[str, Any]) -> Self:
        """Set the required node affinity's terms."""
        required = {"nodeSelectorTerms": list(terms)}
        return self._node_affinity("requiredDuringSchedulingIgnoredDuringExecution", required)

    def preferred_node_affinity(self, *weighted: tuple[int, dict[str, Any]]) -> Self:
        """Set the preferred node affinity's terms with their weights."""
        preferred = [{"weight": weight, "preference": term} for weight, term in weighted]
        return self._node_affinity("preferredDuringSchedulingIgnoredDuringExecution", preferred)

    def labels(self, **labels: str) -> Self:
        """Set the pod's labels."""
        self._manifest["metadata"]["labels"] = labels
        return self

    def owned_by(self, kind: str, name: str) -> Self:
        """Let a controller own the pod."""
        self._manifest["metadata"]["ownerReferences"] = [{"kind": kind, "name": name, "controller": True}]
        return self

    def annotation(self, key: str, value: str) -> Self:
        """Add an annotation."""
        self._manifest["metadata"].setdefault("annotations", {})[key] = value
        return self

    def priority(self, priority: int) -> Self:
        """Set the pod's priority."""
        return self.set_spec(priority=priority)

    def nominated(self, node: str) -> Self:
        """Let a node be kept for the pod."""
        return self.set_status(nominatedNodeName=node)

    def started(self, moment: str) -> Self:
        """Set when the pod began to run, as in 2026-01-01T00:00:00Z."""
        return self.set_status(startTime=moment)

    def deleted(self, *, displaced: bool = False) -> Self:
        """Let the pod be on its way out, for a pod of higher priority or for any other reason."""
        self._manifest["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        if displaced:
            condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
            self.set_status(conditions=[condition])
        return self

    def gated(self, *gates: str) -> Self:
        """Set the scheduling gates; none of them lets the pod go."""
        return self.set_spec(schedulingGates=[{"name": gate} for gate in gates])

    def on(self, node: str) -> Self:
        """Bind the pod."""
        return self.set_spec(nodeName=node)

    def _node_affinity(self, kind: str, value: Any) -> Self:
        affinity = self._manifest["spec"].setdefault("affinity", {})
        affinity.setdefault("nodeAffinity", {})[kind] = value
        return self


class NodeBuilder:
    """Builds one node: 4 cores, 16 GiB and 110 pods unless told otherwise."""

    def __init__(self, name: str) -> None:
        self._manifest: dict[str, Any] = {
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "spec": {},
            "status": {"allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"}},
        }

    def manifest(self) -> dict[str, Any]:
        """Return the node."""
        return copy.deepcopy(self._manifest)

    def allocatable(self, **resources: str | int) -> Self:
        """Set allocatable resources; write `ephemeral_storage` for ephemeral-storage."""
        return self.allocatable_of({name.replace("_", "-"): quantity for name, quantity in resources.items()})

    def allocatable_of(self, resources: dict[str, str | int]) -> Self:
        """Set allocatable resources by name."""
        self._manifest["status"]["allocatable"].update(resources)
        return self

    def label(self, key: str, value: str) -> Self:
        """Add a label."""
        self._manifest["metadata"]["labels"][key] = value
        return self

    def taint(self, key: str, value: str = "", effect: str = "NoSchedule") -> Self:
        """Add a taint."""
        self._manifest["spec"].setdefault("taints", []).append({"key": key, "value": value, "effect": effect})
        return self

    def image(self, name: str, size_bytes: int) -> Self:
        """Let the node hold an image."""
        self._manifest["status"].setdefault("images", []).append({"names": [name], "sizeBytes": size_bytes})
        return self

    def declared_features(self, *names: str) -> Self:
        """Let the node declare features of its kubelet."""
        self._manifest["status"]["declaredFeatures"] = sorted(names)
        return self

    def unschedulable(self, cordoned: bool = True) -> Self:
        """Cordon the node."""
        self._manifest["spec"]["unschedulable"] = cordoned
        return self


def pod(name: str = "pod", namespace: str = "default") -> PodBuilder:
    """Begin a pod that HYDATIS schedules."""
    return PodBuilder(name, namespace)


def node(name: str = "node") -> NodeBuilder:
    """Begin a node."""
    return NodeBuilder(name)


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    """Write one requirement of a selector term."""
    entry: dict[str, Any] = {"key": key, "operator": operator}
    return {**entry, "values": list(values)} if values else entry


def cluster_of(*nodes: NodeBuilder) -> Cluster:
    """Build the tables of these nodes."""
    cluster = Cluster()
    for builder in nodes:
        cluster.set_node(builder.manifest())
    return cluster


def pod_class_of(cluster: Cluster, builder: PodBuilder) -> PodClass:
    """Find the class of a pod, with its requests in the columns of this cluster."""
    pod_class = PodClasses(cluster.columns).of(builder.manifest())
    cluster.ensure_columns()
    return pod_class


def requirements_of(cluster: Cluster, builder: PodBuilder) -> Requirements:
    """Parse what a pod asks of nodes, in the columns of this cluster."""
    manifest = builder.manifest()
    volumes = PodVolumes.parse(manifest["spec"], manifest["metadata"])
    requirements = Requirements(manifest["spec"], manifest["status"], cluster.columns, volumes)
    cluster.ensure_columns()
    return requirements


def place(cluster: Cluster, builder: PodBuilder, node_name: str) -> None:
    """Count a pod on a node."""
    cluster.place(builder.uid, node_name, pod_class_of(cluster, builder))


def run_pod(cluster: Cluster, builder: PodBuilder, node_name: str, now: float) -> None:
    """Count a pod on a node as one that began to run there now."""
    cluster.load.advance(now)
    pod_class = pod_class_of(cluster, builder)
    row = cluster.place(builder.uid, node_name, pod_class)
    cluster.load.place(builder.uid, row, pod_class)


def measure_nodes(cluster: Cluster, sampled_at: float, samples: Mapping[str, tuple[float, float]]) -> None:
    """Let samples of nodes arrive: the millicores and bytes that each uses."""
    cluster.load.advance(sampled_at)
    rows = np.array([cluster.row_of(name) for name in samples], dtype=np.intp)
    used = np.array(list(samples.values()), dtype=np.float64).T
    cluster.load.measure_nodes(rows, np.full(len(rows), sampled_at), used[0], used[1])


def measure_pods(cluster: Cluster, sampled_at: float, samples: Mapping[str, tuple[float, float]]) -> None:
    """Let samples of pods arrive, by uid: the millicores and bytes that each uses."""
    cluster.load.advance(sampled_at)
    used = np.array(list(samples.values()), dtype=np.float64).T
    cluster.load.measure_pods(tuple(samples), np.full(len(samples), sampled_at), used[0], used[1])


def by_node(cluster: Cluster, values: BoolArray | Int64Array) -> dict[str, Any]:
    """Name the entries of an array that has one for each of the cluster's nodes, or for each of its rows."""
    rows = cluster.rows()
    if len(values) == cluster.capacity:
        values = values[rows]
    return dict(zip((cluster.node_name(row) for row in rows.tolist()), values.tolist(), strict=True))
