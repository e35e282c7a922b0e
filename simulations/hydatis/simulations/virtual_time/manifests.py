"""Nodes, owners and pods of a run as the API server would write them.

Called by the run and by `machines`. Pods of one owner share one specification, which the core reads and never writes.
"""

from collections.abc import Mapping
from typing import Any

from hydatis.scheduler.owner import Owner as OwnerKey
from hydatis.scheduler.workloads import Workload as Controller
from hydatis.simulations.clusters import Manifest, NodeShape, node_manifest
from hydatis.simulations.gpu_sharing.demands import GPU_MILLI
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI
from hydatis.simulations.virtual_time.workload import Owner

SCHEDULER_NAME = "hydatis"
_TEMPLATE_HASH = "simulated"
_UNREACHABLE = "node.kubernetes.io/unreachable"
_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


def ready_node(shape: NodeShape, name: str, zone: str) -> Manifest:
    """Write a node that is ready; GPUs are offered in thousandths."""
    manifest = node_manifest(shape, name, zone)
    amounts = manifest["status"]["allocatable"]
    if shape.gpus:
        amounts[GPU_MILLI] = str(shape.gpus * WHOLE_GPU_MILLI)
    return manifest


def cordoned(node: Manifest) -> Manifest:
    """Write a node that is being drained (kubectl cordon, and the taint that the node controller adds)."""
    taints = [*node["spec"].get("taints", ()), {"key": _UNSCHEDULABLE, "effect": "NoSchedule"}]
    return {**node, "spec": {**node["spec"], "unschedulable": True, "taints": taints}}


def unreachable(node: Manifest) -> Manifest:
    """Write a node of which nothing has been heard for too long (kubernetes pkg/controller/nodelifecycle)."""
    lost = [{"key": _UNREACHABLE, "effect": effect} for effect in ("NoSchedule", "NoExecute")]
    status = {**node["status"], "conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}
    return {**node, "spec": {**node["spec"], "taints": [*node["spec"].get("taints", ()), *lost]}, "status": status}


class OwnerManifests:
    """What all pods of one owner have in common."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        requests = {"cpu": f"{owner.cpu_millicores}m", "memory": f"{owner.memory_mib}Mi"}
        if owner.gpus:
            requests[GPU_MILLI] = str(owner.gpus * WHOLE_GPU_MILLI)
        self._spec: Manifest = {
            "schedulerName": SCHEDULER_NAME,
            "containers": [{"name": "main", "resources": {"requests": requests}}],
        }
        if owner.best_effort:
            kind, api_version, self._controller_name = "Job", "batch/v1", owner.name
            self._labels = {"app": owner.name, "batch.kubernetes.io/job-name": owner.name}
        else:
            kind, api_version, self._controller_name = "ReplicaSet", "apps/v1", f"{owner.name}-{_TEMPLATE_HASH}"
            self._labels = {"app": owner.name, "pod-template-hash": _TEMPLATE_HASH}
        self._references = [
            {
                "apiVersion": api_version,
                "kind": kind,
                "name": self._controller_name,
                "uid": f"uid-{self._controller_name}",
                "controller": True,
            }
        ]

    @property
    def key(self) -> OwnerKey:
        """How the core names the owner."""
        kind = "Job" if self.owner.best_effort else "Deployment"
        return OwnerKey(self.owner.namespace, kind, self.owner.name)

    @property
    def replica_set(self) -> tuple[Controller, Manifest] | None:
        """The controller, if it is one whose selector the scheduler heeds."""
        if self.owner.best_effort:
            return None
        namespace, name = self.owner.namespace, self._controller_name
        manifest = {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"matchLabels": self._labels}},
        }
        return Controller("ReplicaSet", namespace, name), manifest

    def pod(self, name: str, node: str | None = None) -> Manifest:
        """Write a pod, which waits or is on a node. Its uid is its name."""
        metadata: Mapping[str, Any] = {
            "name": name,
            "namespace": self.owner.namespace,
            "uid": name,
            "labels": self._labels,
            "ownerReferences": self._references,
        }
        return {"metadata": metadata, "spec": self._spec if node is None else {**self._spec, "nodeName": node}}
