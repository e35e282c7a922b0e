"""What the API server needs so that the pods of a history can be created as they are simulated.

Pods keep their labels, requests, scheduler name and owner references. Added is only what the API server insists on and
no plugin looks at here: an image, a service account. ReplicaSets are real objects, because PodTopologySpread's default
constraints take the selector of the ReplicaSet that a pod's owner reference names (kubernetes plugins/helper/spread.go,
DefaultSelector); no kube-controller-manager runs that would make pods for them, or delete pods whose owner reference
carries a made-up uid. Jobs are not looked up by kube-scheduler, so none is created.
"""

from collections.abc import Iterator

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.replaying.history import History
from hydatis.simulations.clusters import Manifest

_IMAGE = "registry.k8s.io/pause:3.10"
"""On no node, so that ImageLocality gives every node 0, as in the simulation."""
_RUNS_UNTIL_DELETED = {"sandbox.hydatis.io/runs-until-deleted": "true"}
"""KWOK completes pods of Jobs at once; these end when the history says so."""
_THERE_FROM_THE_BEGINNING = "default"
"""The namespace that the API server and the sandbox make, with its service account."""
_KWOK = {"kwok.x-k8s.io/node": "fake"}


def create_surroundings(control_plane: ControlPlane, history: History) -> None:
    """Create namespaces, service accounts, ReplicaSets and nodes. Raises `SandboxError`."""
    for path, manifest in _surroundings(history):
        control_plane.api.call("POST", path, manifest)


def pods_path(history: History, pod: int) -> str:
    """Return where pods of the pod's namespace are."""
    return f"/api/v1/namespaces/{history.owner_of(pod).owner.namespace}/pods"


def real_pod(history: History, pod: int) -> Manifest:
    """Write the pod for the API server, which gives it a uid of its own."""
    simulated = history.manifest(pod)
    containers = [{**container, "image": _IMAGE} for container in simulated["spec"]["containers"]]
    metadata = {**simulated["metadata"], "annotations": _RUNS_UNTIL_DELETED}
    del metadata["uid"]
    return {"metadata": metadata, "spec": {**simulated["spec"], "containers": containers}}


def _surroundings(history: History) -> Iterator[tuple[str, Manifest]]:
    for namespace in history.namespaces:
        if namespace == _THERE_FROM_THE_BEGINNING:
            continue
        yield "/api/v1/namespaces", {"metadata": {"name": namespace}}
        yield f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "default"}}
    for owner in history.owners:
        if owner.replica_set is not None:
            _, manifest = owner.replica_set
            yield f"/apis/apps/v1/namespaces/{owner.owner.namespace}/replicasets", _real_replica_set(manifest)
    for node in history.machines.manifests:
        yield "/api/v1/nodes", {**node, "metadata": {**node["metadata"], "annotations": _KWOK}}


def _real_replica_set(simulated: Manifest) -> Manifest:
    selector = simulated["spec"]["selector"]
    template = {
        "metadata": {"labels": selector["matchLabels"]},
        "spec": {"containers": [{"name": "main", "image": _IMAGE}]},
    }
    return {"metadata": simulated["metadata"], "spec": {"replicas": 0, "selector": selector, "template": template}}
