"""A scene's storage: classes, volumes that single nodes can reach, claims, and pods that use them.

Tests play volumes on it, under HYDATIS and under kube-scheduler. Names of what belongs to no namespace begin with the
scene's; `clear` deletes all of it.
"""

from collections.abc import Mapping
from typing import Any

from hydatis.sandbox.faults.scene import Manifest, Scene
from hydatis.sandbox.provisioner import HOSTNAME, SELECTED_NODE

STATIC = "kubernetes.io/no-provisioner"
"""The provisioner of classes whose volumes people make."""
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_DRIVERS = "/apis/storage.k8s.io/v1/csidrivers"
_VOLUMES = "/api/v1/persistentvolumes"


class StorageScene:
    """Makes the scene's storage objects and looks at them. `scheduler` is the schedulerName of its pods."""

    def __init__(self, scene: Scene, scheduler: str) -> None:
        self.scene = scene
        self.scheduler = scheduler
        self._api = scene.control_plane.api
        self._made: list[str] = []
        self._claims_path = f"/api/v1/namespaces/{scene.name}/persistentvolumeclaims"
        self._capacities_path = f"/apis/storage.k8s.io/v1/namespaces/{scene.name}/csistoragecapacities"

    # Make

    def node(self, number: int) -> str:
        """The name of one of the scene's nodes."""
        name: str = self.scene.node(number)["metadata"]["name"]
        return name

    def storage_class(self, provisioner: str = STATIC, *, mode: str = "WaitForFirstConsumer") -> str:
        """Make a class; its name."""
        name = f"{self.scene.name}-{len(self._made)}"
        body = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
        self._make(_CLASSES, {**body, "provisioner": provisioner, "volumeBindingMode": mode})
        return name

    def driver(self, name: str, storage_class: str) -> None:
        """Make a CSI driver that says how much room it has: 10Gi for the class on each of the scene's nodes."""
        api_version = "storage.k8s.io/v1"
        spec = {"storageCapacity": True, "attachRequired": False}
        self._make(_DRIVERS, {"apiVersion": api_version, "kind": "CSIDriver", "metadata": {"name": name}, "spec": spec})
        for number in range(self.scene.shape.nodes):
            capacity = {
                "apiVersion": api_version,
                "kind": "CSIStorageCapacity",
                "metadata": {"name": self.node(number), "namespace": self.scene.name},
                "storageClassName": storage_class,
                "nodeTopology": {"matchLabels": {HOSTNAME: self.node(number)}},
                "capacity": "10Gi",
            }
            self._make(self._capacities_path, capacity)

    def volume(self, storage_class: str, number: int, *modes: str) -> str:
        """Make a volume of 1Gi that only this node of the scene can reach; its name."""
        name = f"{self.scene.name}-{len(self._made)}"
        here = {"key": HOSTNAME, "operator": "In", "values": [self.node(number)]}
        spec = {
            "accessModes": list(modes or ("ReadWriteOnce",)),
            "capacity": {"storage": "1Gi"},
            "local": {"path": "/data"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "storageClassName": storage_class,
        }
        body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}
        self._make(_VOLUMES, body)
        return name

    def claim(self, name: str, storage_class: str, *modes: str) -> None:
        """Make a claim of 1Gi."""
        body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}}
        self._make(self._claims_path, {**body, "spec": claim_spec(storage_class, *modes)})

    def pod(self, name: str, *claims: str, **spec: Any) -> None:
        """Make a pod that uses the claims."""
        volumes = [{"name": one, "persistentVolumeClaim": {"claimName": one}} for one in claims]
        manifest = self.scene.pod(name, scheduler=self.scheduler, **{"volumes": volumes, **spec})
        self.scene.create(f"/api/v1/namespaces/{self.scene.name}/pods", [manifest])

    def _make(self, path: str, body: Manifest) -> None:
        self._api.call("POST", path, body)
        self._made.append(f"{path}/{body['metadata']['name']}")

    # Look

    def claim_named(self, name: str) -> Manifest:
        """One claim. Raises SandboxError where it does not exist."""
        return self._api.call("GET", f"{self._claims_path}/{name}")

    def volume_of(self, claim: str) -> str:
        """The volume that the claim is bound to; empty while there is none."""
        found = self.claim_named(claim)
        volume: str = found["spec"].get("volumeName", "")
        return volume if found["status"].get("phase") == "Bound" else ""

    def selected_node(self, claim: str) -> str:
        """The node that the claim is to be provisioned for; empty while there is none."""
        annotations: Mapping[str, str] = self.claim_named(claim)["metadata"].get("annotations") or {}
        return annotations.get(SELECTED_NODE, "")

    def node_that_reaches(self, volume: str) -> str:
        """The one node that can reach a volume."""
        selector = self._api.call("GET", f"{_VOLUMES}/{volume}")["spec"]["nodeAffinity"]["required"]
        (term,) = selector["nodeSelectorTerms"]
        (node,) = term["matchExpressions"][0]["values"]
        return str(node)

    def node_of(self, pod: str) -> str:
        """The node that the pod is bound to; empty while there is none."""
        node: str = self.scene.pod_named(pod)["spec"].get("nodeName", "")
        return node

    def wait_for_node(self, pod: str, seconds: float = 30.0) -> str:
        """Wait until the pod is bound; its node. Raises SandboxError with what was said about the pod."""
        what = f"pod {pod} is bound"
        self.scene.wait_until(lambda: bool(self.node_of(pod)), what, seconds)
        return self.node_of(pod)

    def wait_for_message(self, pod: str, part: str, seconds: float = 30.0) -> None:
        """Wait until the condition PodScheduled or a FailedScheduling Event says so. Raises SandboxError otherwise.

        Both, because kube-scheduler's recorder counts an Event of the same reason about the same pod up and keeps the
        first one's note (client-go, tools/events/event_broadcaster.go): what a pod is told later is in its condition.
        """

        def said() -> bool:
            conditions = self.scene.pod_named(pod)["status"].get("conditions") or []
            told = [condition.get("message", "") for condition in conditions if condition["type"] == "PodScheduled"]
            told += [event["note"] for event in self.scene.events(reason="FailedScheduling", pod=pod)]
            return any(part in message for message in told)

        self.scene.wait_until(said, f"pod {pod} is told {part!r}", seconds)

    # Tear down

    def delete_claim(self, name: str) -> None:
        """Delete a claim; one that a pod on a node uses stays until that pod is gone."""
        self._api.call("DELETE", f"{self._claims_path}/{name}")

    def clear(self) -> None:
        """Delete all that was made here, and what was made for it. The scene's pods are deleted first."""
        pods = f"/api/v1/namespaces/{self.scene.name}/pods?gracePeriodSeconds=0"
        self._api.call("DELETE", pods)
        self._api.call("DELETE", self._claims_path)
        for volume in self._api.call("GET", _VOLUMES)["items"]:
            if (volume["spec"].get("claimRef") or {}).get("namespace") == self.scene.name:
                self._api.request("DELETE", f"{_VOLUMES}/{volume['metadata']['name']}")
        for path in reversed(self._made):
            self._api.request("DELETE", path)


def claim_spec(storage_class: str, *modes: str) -> Manifest:
    """What a claim of 1Gi asks for."""
    return {
        "accessModes": list(modes or ("ReadWriteOnce",)),
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": storage_class,
    }
