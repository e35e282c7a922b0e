"""Another scheduler on the same nodes: a plain client that binds its own pods and asks nobody.

It stands for any scheduler that shares nodes with HYDATIS. It reads the cluster before every binding, chooses the first
node with room, and binds as the administrator.
"""

import threading
from collections import Counter

from hydatis.sandbox.faults.scene import Manifest, Scene

NAME = "rival"
_PAUSE_SECONDS = 0.02


class Rival:
    """Binds the scene's pods of the scheduler `rival`, one after the other, until all are bound or `stop`."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Bind no more. Idempotent."""
        self._stop.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            pods = self._scene.pods()
            waiting = [pod for pod in pods if pod["spec"]["schedulerName"] == NAME and not pod["spec"].get("nodeName")]
            node = self._first_with_room(pods)
            if waiting and node is not None:
                self._bind(waiting[0], node)

    def _first_with_room(self, pods: list[Manifest]) -> str | None:
        taken = Counter(pod["spec"].get("nodeName") for pod in pods)
        names = (self._scene.node(number)["metadata"]["name"] for number in range(self._scene.shape.nodes))
        return next((name for name in names if taken[name] < self._scene.shape.slots), None)

    def _bind(self, pod: Manifest, node: str) -> None:
        metadata = pod["metadata"]
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/binding"
        self._scene.control_plane.api.request("POST", path, body)
