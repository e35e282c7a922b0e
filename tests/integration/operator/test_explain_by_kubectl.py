"""`hydatis explain` finds the pod of HYDATIS and asks it through the API server, by kubectl's port-forwarding.

The kubelet that forwards is KWOK's; the operator listens on loopback alone, as in its pod.
"""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hydatis.operator.commands import explain
from hydatis.operator.explain_client import EXPLAIN_PORT
from hydatis.sandbox.binaries import locate
from hydatis.sandbox.certificates import Certificates
from hydatis.sandbox.components import STAGES
from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.go_module import Program
from hydatis.sandbox.installing import install_chart
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.sandbox.ports import Port
from hydatis.sandbox.processes import spawn

NAMESPACE = "operator-test-system"
"""That of the other tests on this control plane: one release of the chart owns the definitions."""


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, int]]:
    """A running operator, and the port on which it alone tells decisions."""
    kubeconfig = install_chart(control_plane, namespace=NAMESPACE)
    local = Port()
    log = tmp_path_factory.mktemp("explained") / "operator.log"
    arguments = ["--explain-listen", f"127.0.0.1:{local.number}"]
    with OperatorProcess.start(kubeconfig, scheduler_name="explained", log=log, arguments=arguments) as started:
        yield started, local.number
    local.close()


@pytest.fixture
def kubelet(control_plane: ControlPlane, operator: tuple[Any, int], tmp_path: Path) -> Iterator[int]:
    """What forwards a pod's port to the operator's; the port of the kubelet."""
    reserved = Port()
    port = reserved.number
    configuration = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterPortForward",
        "metadata": {"name": "operator"},
        "spec": {
            "forwards": [{"ports": [EXPLAIN_PORT], "target": {"address": "127.0.0.1", "port": operator[1]}}],
        },
    }
    (tmp_path / "kwok.yaml").write_text(json.dumps(configuration))
    pki = Certificates(control_plane.directory / "pki")
    command = [
        *(str(_path(Program.KWOK)), "--kubeconfig", str(control_plane.admin_kubeconfig)),
        # Without stages it does not start; of the nodes it manages none.
        *("--config", str(tmp_path / "kwok.yaml"), "--config", str(STAGES), "--manage-single-node", "nobody"),
        *("--server-address", f"127.0.0.1:{port}", "--node-port", str(port), "--node-ip", "127.0.0.1"),
        *("--tls-cert-file", str(pki.certificate), "--tls-private-key-file", str(pki.key)),
    ]
    child = spawn(command, tmp_path / "kwok.log", detached=False)
    try:
        deadline = time.monotonic() + 60.0
        while not _listens(port):
            assert child.alive(), child.log_end()
            assert time.monotonic() < deadline, child.log_end()
            time.sleep(0.1)
        yield port
    finally:
        child.stop(kill=True)
        reserved.close()


def _listens(port: int) -> bool:
    with socket.socket() as probing:
        return probing.connect_ex(("127.0.0.1", port)) == 0


def _path(program: Program) -> Path:
    found = locate(program)
    assert found is not None
    return found.path


def explained(control_plane: ControlPlane, *arguments: str) -> Any:
    own = ["--namespace", NAMESPACE, "--kubeconfig", str(control_plane.admin_kubeconfig)]
    return CliRunner().invoke(explain, [*arguments, *own])


@pytest.fixture
def _kubectl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(_path(Program.KUBECTL).parent), prepend=":")


@pytest.mark.usefixtures("_kubectl")
def test_a_namespace_without_hydatis_is_one_sentence(control_plane: ControlPlane, operator: tuple[Any, int]) -> None:
    result = explained(control_plane, "last")
    assert result.exit_code == 1
    assert result.output == (
        f"error: No pod of HYDATIS (label app.kubernetes.io/name=hydatis) runs in the namespace {NAMESPACE}. "
        "Name its namespace with --namespace, or its address with --url.\n"
    )


@pytest.mark.usefixtures("_kubectl")
def test_decisions_come_through_the_api_server(
    control_plane: ControlPlane, operator: tuple[Any, int], kubelet: int
) -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "explained"},
        "status": {
            "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"},
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet}},
        },
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": NAMESPACE}}
    container = {"name": "scheduler", "image": "none"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "hydatis-0", "namespace": NAMESPACE, "labels": {"app.kubernetes.io/name": "hydatis"}},
        "spec": {"nodeName": "explained", "containers": [container]},
    }
    subject = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "asked-about", "namespace": NAMESPACE},
        "spec": {"schedulerName": "explained", "containers": [container]},
    }
    items = {"apiVersion": "v1", "kind": "List", "items": [account, node, pod, subject]}
    control_plane.kubectl("apply", "-f", "-", stdin=json.dumps(items))
    running = json.dumps({"status": {"phase": "Running"}})
    control_plane.kubectl("patch", "pod", "hydatis-0", "-n", NAMESPACE, "--subresource=status", "-p", running)
    try:
        deadline = time.monotonic() + 30.0
        while True:
            result = explained(control_plane, "pod", f"{NAMESPACE}/asked-about")
            if result.exit_code == 0:
                break
            assert time.monotonic() < deadline, result.output
        assert result.output.startswith(f"{NAMESPACE}/asked-about: ")
        assert " on explained, " in result.output
    finally:
        control_plane.kubectl("delete", "pods", "--all", "-n", NAMESPACE, "--grace-period=0", "--force")
        control_plane.kubectl("delete", "node", "explained")
