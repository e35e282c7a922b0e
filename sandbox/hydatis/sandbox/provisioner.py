"""Stands in for a CSI driver's external provisioner: makes PersistentVolume objects for claims, with nothing behind.

Tests start one beside the control plane. Claims, volumes and who binds them are real: the scheduler names the node,
kube-controller-manager asks for the volume (annotation `volume.kubernetes.io/storage-provisioner`), this makes one that
only that node can reach, and kube-controller-manager binds the two. Like the real one it says that it cannot serve a
node by setting the node's CSIStorageCapacity to 0 and removing the node from the claim. One thread of its own;
everything public may be used from any other.
"""

import http.client
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.requesting import ApiServer

PROVISIONER = "volume.kubernetes.io/storage-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
HOSTNAME = "kubernetes.io/hostname"
_LOOK_SECONDS = 0.1

Manifest = Mapping[str, Any]


class Provisioner:
    """Serves the claims of classes whose provisioner is `driver`. Use as a context manager."""

    def __init__(self, control_plane: ControlPlane, driver: str, *, refusals: int = 0, held: bool = False) -> None:
        """Refuse the first so many nodes that are asked for; where `held`, do nothing until `release`."""
        self.driver = driver
        self.refused: list[str] = []
        """Nodes that were asked for and refused."""
        self.failures: list[str] = []
        """Answers of the API server that it did not expect; a test holds this to be empty."""
        self._api: ApiServer = control_plane.api
        self._refusals = refusals
        self._released, self._stopped = threading.Event(), threading.Event()
        if not held:
            self._released.set()
        self._thread = threading.Thread(target=self._run, name=f"provisioner {driver}", daemon=True)

    def release(self) -> None:
        """Begin to serve claims, those included that have waited."""
        self._released.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._released.set()
        self._thread.join()

    def _run(self) -> None:
        self._released.wait()
        while not self._stopped.wait(_LOOK_SECONDS):
            try:
                for claim in self._api.call("GET", "/api/v1/persistentvolumeclaims")["items"]:
                    if self._asks_for_a_volume(claim):
                        self._serve(claim)
            except SandboxError as error:
                self.failures.append(str(error))

    def _asks_for_a_volume(self, claim: Manifest) -> bool:
        annotations = claim["metadata"].get("annotations") or {}
        asked = annotations.get(PROVISIONER) == self.driver and SELECTED_NODE in annotations
        return asked and not claim["spec"].get("volumeName") and "deletionTimestamp" not in claim["metadata"]

    def _serve(self, claim: Manifest) -> None:
        node = claim["metadata"]["annotations"][SELECTED_NODE]
        if len(self.refused) < self._refusals:
            self.refused.append(node)
            self._exhaust(node)
            self._give_back(claim)
            return
        path, volume = "/api/v1/persistentvolumes", self._volume(claim, node)
        answer = self._api.request("POST", path, volume)
        # Until the controller has bound the claim, its volume is found to be there already.
        if answer.status not in (http.client.CREATED, http.client.CONFLICT):
            self.failures.append(f"{path} was answered {answer.status}: {answer.text()[:200]}")

    def _volume(self, claim: Manifest, node: str) -> Manifest:
        metadata, spec = claim["metadata"], claim["spec"]
        name = f"pvc-{metadata['uid']}"
        here = {"key": HOSTNAME, "operator": "In", "values": [node]}
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": self.driver}},
            "spec": {
                "accessModes": spec["accessModes"],
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": metadata["namespace"],
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                },
                "csi": {"driver": self.driver, "volumeHandle": name},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": spec["storageClassName"],
            },
        }

    def _exhaust(self, node: str) -> None:
        """Say that there is no room left for volumes of the node."""
        for capacity in self._api.call("GET", "/apis/storage.k8s.io/v1/csistoragecapacities")["items"]:
            labels = (capacity.get("nodeTopology") or {}).get("matchLabels") or {}
            if labels.get(HOSTNAME) == node:
                path = f"/apis/storage.k8s.io/v1/namespaces/{capacity['metadata']['namespace']}/csistoragecapacities"
                self._api.call("PUT", f"{path}/{capacity['metadata']['name']}", {**capacity, "capacity": "0"})

    def _give_back(self, claim: Manifest) -> None:
        metadata = claim["metadata"]
        annotations = {key: value for key, value in metadata["annotations"].items() if key != SELECTED_NODE}
        path = f"/api/v1/namespaces/{metadata['namespace']}/persistentvolumeclaims/{metadata['name']}"
        self._api.call("PUT", path, {**claim, "metadata": {**metadata, "annotations": annotations}})
