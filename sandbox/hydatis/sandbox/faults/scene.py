"""A cluster on which faults are played: equal nodes, a burst of equal pods that just fills them, and what the API
server says about them afterwards.

With pods that are all alike and nodes that hold a whole number of them, the cluster is full to the last pod: a pod that
is counted twice or a reservation that is not given back leaves another pod without a node, and a pod that is not
counted shows as a node over its allocatable. One scene a test; its namespace and its nodes are its own.
"""

import asyncio
import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from hydatis.sandbox.api_session import ApiError, ApiSession
from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.faults.audit import AuditLog, Binding
from hydatis.simulations.recounting import Overcommitment, overcommitments

Manifest = dict[str, Any]

SLOT_MILLICORES = 300
"""What each pod of a burst asks for."""
_SCENE_LABEL = "hydatis.io/scene"
_POLL_SECONDS = 0.2
_CREATORS = 8
_RETRY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a scene is."""

    nodes: int = 40
    slots: int = 6
    """Pods of a burst that each node can hold."""
    zones: Sequence[str] = ()
    """The zones of the nodes, in turn; without any the nodes are in none."""

    @property
    def pods(self) -> int:
        """Pods of a burst that the cluster can hold."""
        return self.nodes * self.slots


class Scene:
    """Nodes and pods of one test. `name` is the namespace and the first part of the nodes' names."""

    def __init__(self, control_plane: ControlPlane, audit: AuditLog, name: str, shape: Shape) -> None:
        self.control_plane = control_plane
        self.audit = audit
        self.name = name
        self.shape = shape
        self._pods_path = f"/api/v1/namespaces/{name}/pods"

    # Set up, tear down

    def build(self) -> None:
        """Create the namespace and the nodes, and wait until pods may be created."""
        self.make_namespace()
        self.create("/api/v1/nodes", [self.node(number) for number in range(self.shape.nodes)])

    def make_namespace(self) -> None:
        """Create the namespace and wait for its service account, without which pods are refused."""
        api = self.control_plane.api
        api.call(
            "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}}
        )
        account = f"/api/v1/namespaces/{self.name}/serviceaccounts/default"
        self.wait_until(lambda: api.request("GET", account).status == http.client.OK, "the namespace is usable", 30.0)

    def clear(self) -> None:
        """Delete the scene's pods and nodes. Its namespace stays, since deleting one takes longer than a test."""
        api = self.control_plane.api
        for path in (
            f"{self._pods_path}?gracePeriodSeconds=0",
            f"/api/v1/nodes?labelSelector={_SCENE_LABEL}={self.name}",
        ):
            api.call("DELETE", path)

    def node_name(self, number: int) -> str:
        """The name of the scene's node with that number, from 0."""
        return f"{self.name}-{number:03}"

    def node(self, number: int) -> Manifest:
        """A node that holds `shape.slots` pods of a burst and not a millicore more."""
        name = self.node_name(number)
        labels = {_SCENE_LABEL: self.name, "kubernetes.io/hostname": name}
        if self.shape.zones:
            labels["topology.kubernetes.io/zone"] = self.shape.zones[number % len(self.shape.zones)]
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "status": {
                "allocatable": {
                    "cpu": f"{SLOT_MILLICORES * self.shape.slots}m",
                    "memory": "8Gi",
                    "ephemeral-storage": "10Gi",
                    "pods": "110",
                },
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }

    def pod(
        self,
        name: str,
        *,
        scheduler: str = "hydatis",
        resources: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> Manifest:
        """A pod that takes up one slot, or asks for other `resources`, with `spec` over its specification."""
        if resources is None:
            resources = {"requests": {"cpu": f"{SLOT_MILLICORES}m", "memory": "64Mi"}}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": self.name},
            "spec": {
                "schedulerName": scheduler,
                # Nothing runs the pods, so nobody would end them after a grace.
                "terminationGracePeriodSeconds": 0,
                "nodeSelector": {_SCENE_LABEL: self.name},
                "containers": [{"name": "main", "image": "pause", "resources": resources}],
                **spec,
            },
        }

    def pods_of_burst(self, count: int, prefix: str = "p") -> list[Manifest]:
        """`count` pods that are alike."""
        return [self.pod(f"{prefix}-{number:04}") for number in range(count)]

    # Act

    def create(self, path: str, manifests: Sequence[Mapping[str, Any]]) -> None:
        """Create objects, whatever happens to the API server meanwhile. Raises ApiError where it refuses one."""
        asyncio.run(self._create(path, manifests))

    def burst(self, manifests: Sequence[Mapping[str, Any]]) -> threading.Thread:
        """Create pods in the background; join the thread to wait for the last one."""
        thread = threading.Thread(target=self.create, args=(self._pods_path, manifests), name="burst", daemon=True)
        thread.start()
        return thread

    async def _create(self, path: str, manifests: Sequence[Mapping[str, Any]]) -> None:
        bodies = iter([orjson.dumps(manifest) for manifest in manifests])
        control_plane = self.control_plane
        async with ApiSession(control_plane.url, control_plane.ca_file, control_plane.admin_token) as session:

            async def work() -> None:
                for body in bodies:
                    await _create_surely(session, path, body)

            await asyncio.gather(*(work() for _ in range(_CREATORS)))

    def delete_bound_pods(self, count: int) -> None:
        """Delete so many pods that have a node, which frees as many slots."""
        names = [pod["metadata"]["name"] for pod in self.pods() if pod["spec"].get("nodeName")]
        for name in names[:count]:
            self.delete_pod(name)

    def delete_pod(self, name: str) -> None:
        """Delete a pod at once. Raises SandboxError where it does not exist."""
        self.control_plane.api.call("DELETE", f"{self._pods_path}/{name}?gracePeriodSeconds=0")

    # Look

    def pods(self) -> list[Manifest]:
        """The scene's pods, as the API server has them."""
        items: list[Manifest] = self.control_plane.api.call("GET", self._pods_path)["items"]
        return items

    def pod_named(self, name: str) -> Manifest:
        """One pod. Raises SandboxError where it does not exist."""
        return self.control_plane.api.call("GET", f"{self._pods_path}/{name}")

    def events(self, *, reason: str = "", pod: str = "") -> list[Manifest]:
        """The scene's Events, of one reason and about one pod where they are given."""
        path = f"/apis/events.k8s.io/v1/namespaces/{self.name}/events"
        items: list[Manifest] = self.control_plane.api.call("GET", path)["items"]
        return [item for item in items if reason in ("", item["reason"]) and pod in ("", item["regarding"]["name"])]

    def bound(self) -> int:
        """How many of the scene's pods have a node."""
        return sum(1 for pod in self.pods() if pod["spec"].get("nodeName"))

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        """Poll until the condition holds. Raises SandboxError after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= deadline:
                raise SandboxError(f"after {seconds:.0f} s it does not hold that {what}; see the operator's log")
            time.sleep(_POLL_SECONDS)

    def wait_for_bound(self, count: int, seconds: float = 60.0) -> None:
        """Wait until at least `count` pods have a node. Raises SandboxError with how many have."""
        seen = 0

        def enough() -> bool:
            nonlocal seen
            seen = self.bound()
            return seen >= count

        try:
            self.wait_until(enough, f"{count} pods are bound", seconds)
        except SandboxError as error:
            raise SandboxError(f"{error} ({seen} are)") from None

    # Judge

    def overcommitments(self) -> list[Overcommitment]:
        """Nodes that were promised more than they have, recounted from the API server's objects."""
        api = self.control_plane.api
        nodes = api.call("GET", f"/api/v1/nodes?labelSelector={_SCENE_LABEL}={self.name}")["items"]
        return overcommitments(nodes, self.pods())

    def bound_more_than_once(self) -> dict[str, list[Binding]]:
        """Pods, by uid, for which the API server accepted more than one binding."""
        accepted: dict[str, list[Binding]] = {}
        for binding in self.audit.bindings(self.name):
            if binding.accepted:
                accepted.setdefault(binding.uid, []).append(binding)
        return {uid: bindings for uid, bindings in accepted.items() if len(bindings) > 1}

    def told_more_than_once(self) -> list[str]:
        """Names of pods with more than one Scheduled Event about the same uid."""
        counts = Counter(
            (event["regarding"]["name"], event["regarding"].get("uid")) for event in self.events(reason="Scheduled")
        )
        return [name for (name, _), count in counts.items() if count > 1]


async def _create_surely(session: ApiSession, path: str, body: bytes) -> None:
    """Create one object; an earlier try whose answer was lost may have created it already."""
    while True:
        try:
            await session.post(path, body)
        except ApiError as error:
            if error.status == http.client.CONFLICT:
                return
            if 0 < error.status < 500 and not _is_starting(error):
                raise
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


def _is_starting(error: ApiError) -> bool:
    """An API server that has just been started refuses what it cannot judge yet."""
    return error.status in (http.client.FORBIDDEN, http.client.UNAUTHORIZED)
