"""What KWOK and the controllers do with nodes and pods in a full sandbox."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.nodes import create_nodes, node_manifest

PODS = "/api/v1/namespaces/default/pods"
NODES = "/api/v1/nodes"


@pytest.fixture(scope="module")
def plane(full_control_plane: ControlPlane) -> ControlPlane:
    create_nodes(full_control_plane, 2)
    return full_control_plane


def _eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.1)


def _pod(name: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i"} | spec.pop("container", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeName": "node-0", "containers": [container], **spec},
    }


def _phase(plane: ControlPlane, name: str) -> str:
    return str(plane.api.call("GET", f"{PODS}/{name}")["status"]["phase"])


def _exists(plane: ControlPlane, name: str) -> bool:
    return plane.api.request("GET", f"{PODS}/{name}").status == 200


def test_a_node_turns_ready_loses_its_taint_and_gets_its_capacity_as_allocatable(plane: ControlPlane) -> None:
    node = plane.api.call("GET", f"{NODES}/node-0")
    assert node["status"]["allocatable"] == node["status"]["capacity"] == node_manifest(0)["status"]["capacity"]
    assert {address["type"] for address in node["status"]["addresses"]} == {"InternalIP", "Hostname"}
    _eventually(lambda: "taints" not in plane.api.call("GET", f"{NODES}/node-0")["spec"])


def test_allocatable_that_was_given_is_kept_and_only_filled_up(plane: ControlPlane) -> None:
    manifest = node_manifest(77)
    manifest["status"]["allocatable"] = {"cpu": "6500m"}
    plane.api.call("POST", NODES, manifest)
    _eventually(lambda: "memory" in plane.api.call("GET", f"{NODES}/node-77")["status"]["allocatable"])
    allocatable = plane.api.call("GET", f"{NODES}/node-77")["status"]["allocatable"]
    assert allocatable == manifest["status"]["capacity"] | {"cpu": "6500m"}
    plane.kubectl("delete", "node", "node-77")


def test_an_extended_resource_that_appears_becomes_allocatable(plane: ControlPlane) -> None:
    patch = json.dumps({"status": {"capacity": {"example.com/gpu": "4"}}})
    plane.kubectl("patch", "node", "node-1", "--subresource=status", "--type=merge", "-p", patch)
    _eventually(lambda: plane.api.call("GET", f"{NODES}/node-1")["status"]["allocatable"].get("example.com/gpu") == "4")


def test_a_node_keeps_a_lease_and_a_node_without_the_annotation_is_left_alone(plane: ControlPlane) -> None:
    _eventually(lambda: "node-0" in plane.kubectl("get", "leases", "-n", "kube-node-lease", "-o", "name"))
    manifest = node_manifest(78)
    del manifest["metadata"]["annotations"]
    plane.api.call("POST", NODES, manifest)
    time.sleep(1)
    assert "phase" not in plane.api.call("GET", f"{NODES}/node-78")["status"]
    plane.kubectl("delete", "node", "node-78")


def test_a_bound_pod_runs_with_its_init_and_sidecar_containers_and_goes_when_deleted(plane: ControlPlane) -> None:
    init = [{"name": "once", "image": "i"}, {"name": "sidecar", "image": "i", "restartPolicy": "Always"}]
    plane.api.call("POST", PODS, _pod("runs", initContainers=init))
    _eventually(lambda: _phase(plane, "runs") == "Running")
    status = plane.api.call("GET", f"{PODS}/runs")["status"]
    assert [each["state"].popitem()[0] for each in status["initContainerStatuses"]] == ["terminated", "running"]
    assert {each["type"] for each in status["conditions"] if each["status"] == "True"} >= {"Ready", "ContainersReady"}
    plane.kubectl("delete", "pod", "runs", "--wait=false")
    _eventually(lambda: not _exists(plane, "runs"))


def test_an_unbound_pod_stays_pending(plane: ControlPlane) -> None:
    manifest = _pod("unbound")
    del manifest["spec"]["nodeName"]
    plane.api.call("POST", PODS, manifest)
    time.sleep(1)
    assert _phase(plane, "unbound") == "Pending"
    plane.kubectl("delete", "pod", "unbound")


def test_a_pod_with_a_pre_stop_hook_lives_until_its_grace_is_over(plane: ControlPlane) -> None:
    hook = {"lifecycle": {"preStop": {"exec": {"command": ["true"]}}}}
    plane.api.call("POST", PODS, _pod("hooked", container=hook, terminationGracePeriodSeconds=3))
    _eventually(lambda: _phase(plane, "hooked") == "Running")
    deleted = time.monotonic()
    plane.kubectl("delete", "pod", "hooked", "--wait=false")
    time.sleep(1)
    assert _exists(plane, "hooked")
    _eventually(lambda: not _exists(plane, "hooked"))
    assert time.monotonic() - deleted >= 2


def test_a_pod_made_anew_after_a_forced_delete_is_not_deleted_with_the_old_one(plane: ControlPlane) -> None:
    for _ in range(5):
        plane.api.call("POST", PODS, _pod("again"))
        _eventually(lambda: _phase(plane, "again") == "Running")
        plane.api.call("DELETE", f"{PODS}/again?gracePeriodSeconds=0")
    plane.api.call("POST", PODS, _pod("again"))
    time.sleep(1.5)
    assert _phase(plane, "again") == "Running"
    plane.kubectl("delete", "pod", "again")


def test_the_controllers_make_pods_of_deployments_and_jobs_and_jobs_complete(plane: ControlPlane) -> None:
    on_node = {"nodeName": "node-0", "containers": [{"name": "c", "image": "i"}]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "d"}},
            "template": {"metadata": {"labels": {"app": "d"}}, "spec": on_node},
        },
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {"template": {"spec": on_node | {"restartPolicy": "Never"}}},
    }
    plane.api.call("POST", "/apis/apps/v1/namespaces/default/deployments", deployment)
    plane.api.call("POST", "/apis/batch/v1/namespaces/default/jobs", job)
    plane.kubectl("wait", "--for=condition=Available", "deployment/d", "--timeout=30s")
    plane.kubectl("wait", "--for=condition=Complete", "job/j", "--timeout=30s")
    plane.kubectl("delete", "deployment/d", "job/j")


def test_a_namespace_is_emptied_and_deleted(plane: ControlPlane) -> None:
    plane.kubectl("create", "namespace", "passing")
    _eventually(lambda: plane.api.request("GET", "/api/v1/namespaces/passing/serviceaccounts/default").status == 200)
    plane.api.call("POST", "/api/v1/namespaces/passing/pods", _pod("inside"))
    plane.kubectl("delete", "namespace", "passing", "--timeout=60s")
    assert plane.api.request("GET", "/api/v1/namespaces/passing").status == 404
