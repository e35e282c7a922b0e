"""The operator as a process, on a real API server, with the rights that the chart gives it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hydatis.operator.commands import explain
from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.installing import install_chart
from hydatis.sandbox.operator_process import OperatorProcess

SCHEDULER = "operator-test"
NAMESPACE = "operator-test"


class Cluster:
    """What the tests do to the cluster, and wait for."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane

    def apply(self, *manifests: dict[str, Any]) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.control_plane.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def get(self, *what: str) -> Any:
        return json.loads(self.control_plane.kubectl("get", *what, "-o", "json"))

    def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.2)

    def pods(self) -> list[Any]:
        return list(self.get("pods", "-n", NAMESPACE)["items"])

    def bound(self) -> dict[str, str]:
        return {p["metadata"]["name"]: p["spec"]["nodeName"] for p in self.pods() if p["spec"].get("nodeName")}


def node(name: str, cpu: str = "4") -> dict[str, Any]:
    resources = {"cpu": cpu, "memory": "16Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"operator-test": "yes"}},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def pod(name: str, cpu: str = "100m") -> dict[str, Any]:
    container = {"name": "main", "image": "none", "resources": {"requests": {"cpu": cpu, "memory": "16Mi"}}}
    spec = {"schedulerName": SCHEDULER, "nodeSelector": {"operator-test": "yes"}, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


@pytest.fixture(scope="module")
def kubeconfig(control_plane: ControlPlane) -> Path:
    return install_chart(control_plane, namespace="operator-test-system")


@pytest.fixture
def cluster(control_plane: ControlPlane, kubeconfig: Path) -> Iterator[Cluster]:
    opened = Cluster(control_plane)
    opened.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    account = {"metadata": {"name": "default", "namespace": NAMESPACE}}
    opened.apply({"apiVersion": "v1", "kind": "ServiceAccount", **account}, node("operator-1"), node("operator-2"))
    yield opened
    control_plane.kubectl("delete", "pods", "--all", "-n", NAMESPACE, "--grace-period=0", "--force")
    control_plane.kubectl("delete", "nodes", "operator-1", "operator-2")
    control_plane.kubectl("delete", "mlschedulerpolicies", "--all")


@pytest.fixture
def operator(cluster: Cluster, kubeconfig: Path, tmp_path: Path) -> Iterator[OperatorProcess]:
    with OperatorProcess.start(kubeconfig, scheduler_name=SCHEDULER, log=tmp_path / "operator.log") as started:
        yield started


def test_pods_are_bound_and_describe_says_why(cluster: Cluster, operator: OperatorProcess) -> None:
    cluster.apply(*(pod(f"p{number}") for number in range(20)))
    cluster.until(lambda: len(cluster.bound()) == 20)
    assert set(cluster.bound().values()) == {"operator-1", "operator-2"}
    cluster.until(lambda: operator.metrics()['hydatis_events_total{outcome="recorded"}'] >= 20)
    described = cluster.control_plane.kubectl("describe", "pod", "p3", "-n", NAMESPACE)
    assert f"Successfully assigned {NAMESPACE}/p3 to {cluster.bound()['p3']}: score" in described
    metrics = operator.metrics()
    assert metrics[f'scheduler_schedule_attempts_total{{profile="{SCHEDULER}",result="scheduled"}}'] == 20
    assert metrics['hydatis_bind_outcomes_total{outcome="bound"}'] == 20
    assert metrics["scheduler_pod_scheduled_after_flush_total"] == 0


def test_a_pod_that_fits_nowhere_says_so_and_is_bound_when_a_node_comes(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    cluster.apply(pod("large", cpu="6"))

    def condition() -> Any:
        status = cluster.get("pod", "large", "-n", NAMESPACE)["status"]
        return next((c for c in status.get("conditions", []) if c["type"] == "PodScheduled"), None)

    cluster.until(lambda: condition() is not None)
    assert (condition()["status"], condition()["reason"]) == ("False", "Unschedulable")
    assert "Insufficient cpu" in condition()["message"]
    cluster.until(
        lambda: "FailedScheduling" in cluster.control_plane.kubectl("describe", "pod", "large", "-n", NAMESPACE)
    )
    cluster.apply(node("operator-3", cpu="8"))
    try:
        cluster.until(lambda: cluster.bound().get("large") == "operator-3")
    finally:
        cluster.control_plane.kubectl("delete", "node", "operator-3")


def test_decisions_are_explained_placed_or_not(cluster: Cluster, operator: OperatorProcess) -> None:
    cluster.apply(pod("placed"), pod("huge", cpu="99"))

    def explained(name: str) -> str:
        arguments = ["pod", f"{NAMESPACE}/{name}", "--url", operator.url]
        return CliRunner().invoke(explain, arguments).output

    cluster.until(lambda: "placed: Bound on operator-" in explained("placed"))
    text = explained("placed")
    assert "policy built-in of generation 0, scheduler name operator-test" in text
    assert {"operator-1", "operator-2"} <= set(text.split())
    cluster.until(lambda: "huge: Unschedulable" in explained("huge"))
    text = explained("huge")
    assert "Insufficient cpu" in text
    assert "operator-1 operator-2" in text
    listed = CliRunner().invoke(explain, ["last", "-n", "10", "--url", operator.url]).output
    assert f"{NAMESPACE}/placed" in listed
    assert f"{NAMESPACE}/huge" in listed
    assert operator.metrics()["hydatis_decisions_kept"] == 2


def test_a_policy_takes_effect_and_its_status_follows_right_and_wrong_specs(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    def ready() -> Any:
        status = cluster.get("mlschedulerpolicy", "gold").get("status", {})
        return next((c for c in status.get("conditions", []) if c["type"] == "Ready"), {"reason": ""})

    manifest: dict[str, Any] = {
        "apiVersion": "hydatis.io/v1alpha1",
        "kind": "MLSchedulerPolicy",
        "metadata": {"name": "gold"},
        "spec": {"fallback": {"heuristic": "MostAllocated"}},
    }
    cluster.apply(manifest)
    cluster.until(lambda: ready()["reason"] == "InForce")
    shown = cluster.get("mlschedulerpolicy", "gold")
    assert "finalizers" not in shown["metadata"]
    assert not any("kopf" in name for name in shown["metadata"].get("annotations", {}))
    cluster.apply(*(pod(f"packed{number}") for number in range(6)))
    cluster.until(lambda: len(cluster.bound()) == 6)
    assert len(set(cluster.bound().values())) == 1, "MostAllocated packs"

    # Only the parser bounds the whole length of a label's prefix; the schema lets it pass.
    key = f"{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}/name"
    wrong = {"fallback": {"heuristic": "LeastAllocated"}, "selector": {"podSelector": {"matchLabels": {key: "x"}}}}
    cluster.apply({**manifest, "spec": wrong})
    cluster.until(lambda: ready()["reason"] == "LastGoodInForce")
    assert "spec.selector.podSelector" in ready()["message"]
    cluster.control_plane.kubectl("delete", "mlschedulerpolicy", "gold")
    cluster.until(lambda: not any(name.startswith("hydatis_policy_in_force{") for name in operator.metrics()))


def test_sigkill_in_the_middle_of_a_burst_loses_and_doubles_nothing(
    cluster: Cluster, kubeconfig: Path, tmp_path: Path
) -> None:
    cluster.apply(*(pod(f"p{number}", cpu="50m") for number in range(150)))
    first = OperatorProcess.start(kubeconfig, scheduler_name=SCHEDULER, log=tmp_path / "first.log")
    cluster.until(lambda: len(cluster.bound()) > 10)
    first.kill()
    with OperatorProcess.start(kubeconfig, scheduler_name=SCHEDULER, log=tmp_path / "second.log"):
        cluster.until(lambda: len(cluster.bound()) == 150)
    per_node = [list(cluster.bound().values()).count(name) for name in ("operator-1", "operator-2")]
    assert sum(per_node) == 150
    assert max(per_node) <= 80, "50m each on 4 CPUs"


def test_sigterm_ends_it_cleanly_and_soon(cluster: Cluster, kubeconfig: Path, tmp_path: Path) -> None:
    operator = OperatorProcess.start(kubeconfig, scheduler_name=SCHEDULER, log=tmp_path / "operator.log")
    cluster.apply(pod("last"))
    cluster.until(lambda: bool(cluster.bound()))
    started = time.monotonic()
    operator.stop()
    assert time.monotonic() - started < 5
    described = cluster.control_plane.kubectl("describe", "pod", "last", "-n", NAMESPACE)
    assert "Successfully assigned" in described, "the Event was sent before it ended"


def test_an_identity_without_rights_is_one_sentence_that_lists_what_is_missing(
    control_plane: ControlPlane, kubeconfig: Path, tmp_path: Path
) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": "default"}}
    control_plane.kubectl("apply", "-f", "-", stdin=json.dumps(account))
    powerless = control_plane.service_account_kubeconfig("default", "nobody")
    with pytest.raises(SandboxError) as raised:
        OperatorProcess.start(powerless, log=tmp_path / "operator.log")
    said = (tmp_path / "operator.log").read_text()
    assert said.startswith(
        "error: This identity lacks the permission to list pods, watch pods, get pods, create pods/bin"
    )
    assert "patch mlschedulerpolicies/status.hydatis.io" in said
    assert "Traceback" not in said
    assert "lacks the permission" in str(raised.value)
