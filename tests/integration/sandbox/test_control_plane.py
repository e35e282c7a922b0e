import http.client
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydatis.sandbox import controlplane
from hydatis.sandbox.controlplane import MINIMAL, Component, ControlPlane, SandboxError
from hydatis.sandbox.ports import Port
from hydatis.sandbox.processes import ProcessIdentity
from hydatis.sandbox.records import find_record, reap_abandoned
from hydatis.sandbox.requesting import ApiServer


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane whose components the tests of this module may end."""
    with ControlPlane.start(tmp_path_factory.mktemp("own")) as started:
        yield started


def _config_map(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def test_a_pod_is_accepted_as_soon_as_the_start_returns(control_plane: ControlPlane) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "first"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    created = control_plane.api.call("POST", "/api/v1/namespaces/default/pods", pod)
    # Set by the admission plugins ServiceAccount, Priority and DefaultTolerationSeconds: admission is on.
    assert created["spec"]["serviceAccountName"] == "default"
    assert created["spec"]["priority"] == 0
    assert len(created["spec"]["tolerations"]) == 2
    control_plane.kubectl("delete", "pod", "first", "--grace-period=0", "--force")


def test_a_node_is_born_without_the_not_ready_taint_where_nobody_would_lift_it(control_plane: ControlPlane) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "untainted"}}
    assert "taints" not in control_plane.api.call("POST", "/api/v1/nodes", node)["spec"]
    control_plane.kubectl("delete", "node", "untainted")


def test_the_server_does_not_let_strangers_in(control_plane: ControlPlane) -> None:
    assert ApiServer(control_plane.url, control_plane.ca_file, "wrong").request("GET", "/api/v1/pods").status == 401


def test_rbac_refuses_a_fresh_service_account_until_a_role_is_bound_to_it(control_plane: ControlPlane) -> None:
    control_plane.kubectl("create", "serviceaccount", "fresh")
    kubeconfig = control_plane.service_account_kubeconfig("default", "fresh")
    assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600
    as_fresh = (f"--kubeconfig={kubeconfig}", "get", "nodes")
    with pytest.raises(SandboxError, match=r"system:serviceaccount:default:fresh.* cannot list resource \"nodes\""):
        control_plane.kubectl(*as_fresh)
    control_plane.kubectl("create", "clusterrole", "fresh", "--verb=list", "--resource=nodes")
    control_plane.kubectl(
        "create", "clusterrolebinding", "fresh", "--clusterrole=fresh", "--serviceaccount=default:fresh"
    )
    assert isinstance(control_plane.kubectl(*as_fresh), str)
    control_plane.kubectl("delete", "clusterrole,clusterrolebinding", "fresh")


def test_a_kubeconfig_can_name_a_proxy_in_front_and_leaves_the_other_as_it_is(control_plane: ControlPlane) -> None:
    direct = control_plane.service_account_kubeconfig("default", "default")
    proxied = control_plane.service_account_kubeconfig("default", "default", server="https://127.0.0.1:9")
    assert "https://127.0.0.1:9\n" in proxied.read_text()
    assert f"{control_plane.url}\n" in direct.read_text()


@pytest.mark.parametrize("name", ["nobody", "../../nodes", "a b", "?x=1"])
def test_a_service_account_that_does_not_exist_is_refused(control_plane: ControlPlane, name: str) -> None:
    with pytest.raises(SandboxError, match="was answered"):
        control_plane.service_account_kubeconfig("default", name)


def test_kubectl_reads_its_standard_input_and_reports_its_errors(control_plane: ControlPlane) -> None:
    manifest = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "from-stdin"}}'
    assert "created" in control_plane.kubectl("apply", "-f", "-", stdin=manifest)
    control_plane.kubectl("delete", "configmap", "from-stdin")
    with pytest.raises(SandboxError, match=r'configmaps "from-stdin" not found'):
        control_plane.kubectl("get", "configmap", "from-stdin")


@pytest.mark.parametrize("component", [Component.APISERVER, Component.ETCD])
@pytest.mark.parametrize("kill", [False, True], ids=["SIGTERM", "SIGKILL"])
def test_a_restart_keeps_address_and_data(own: ControlPlane, component: Component, kill: bool) -> None:
    url, pid = own.url, own.pid(component)
    name = f"kept-{component}-{kill}".lower()
    own.api.call("POST", "/api/v1/namespaces/default/configmaps", _config_map(name))
    own.restart_component(component, kill=kill)
    assert own.url == url
    assert own.pid(component) != pid
    assert own.api.call("GET", f"/api/v1/namespaces/default/configmaps/{name}")["metadata"]["name"] == name


def test_a_stopped_api_server_does_not_answer_and_comes_back(own: ControlPlane) -> None:
    own.stop_component(Component.APISERVER, kill=True)
    with pytest.raises(SandboxError, match="does not answer"):
        own.api.call("GET", "/api/v1/namespaces")
    own.restart_component(Component.APISERVER)
    assert own.api.ready()


def test_an_api_server_that_is_started_with_other_arguments_keeps_its_address_and_what_the_sandbox_set(
    own: ControlPlane,
) -> None:
    url = own.url
    own.stop_component(Component.APISERVER, kill=True)
    own.start_component(Component.APISERVER, ["--event-ttl=30m"])
    assert own.url == url
    command = Path(f"/proc/{own.pid(Component.APISERVER)}/cmdline").read_text().split("\0")
    assert {"--event-ttl=30m", "--disable-admission-plugins=TaintNodesByCondition"} <= set(command)


def test_settings_of_the_user_for_the_tools_do_not_lead_to_another_cluster(
    control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HELM_KUBEAPISERVER", "https://127.0.0.1:9")
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    assert control_plane.helm("list", "--short") == ""
    assert "default" in control_plane.kubectl("get", "namespaces", "-o", "name")


def test_etcd_settings_of_the_user_do_not_reach_the_sandbox(own: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETCD_NAME", "someone-elses")
    monkeypatch.setenv("ETCD_FORCE_NEW_CLUSTER", "not-a-boolean")
    own.restart_component(Component.ETCD, kill=True)
    assert own.api.ready()


def test_kube_scheduler_can_be_added_later_and_binds_as_its_own_user(own: ControlPlane) -> None:
    own.start_component(Component.SCHEDULER, ["--v=2"])
    assert "--v=2" in Path(f"/proc/{own.pid(Component.SCHEDULER)}/cmdline").read_text().split("\0")
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": {"capacity": {"pods": "9"}}}
    own.api.call("POST", "/api/v1/nodes", node)
    own.kubectl("run", "bound", "--image=i")
    own.kubectl("wait", "--for=condition=PodScheduled", "pod/bound", "--timeout=30s")
    assert own.kubectl("get", "pod", "bound", "-o", "jsonpath={.spec.nodeName}") == "n"
    metrics = ApiServer(own.component_url(Component.SCHEDULER), own.ca_file, own.admin_token)
    assert 'schedule_attempts_total{profile="default-scheduler",result="scheduled"} 1' in (
        metrics.request("GET", "/metrics").text()
    )
    own.stop_component(Component.SCHEDULER)
    assert not own.alive(Component.SCHEDULER)


def test_etcd_answers_only_who_has_a_certificate_of_the_sandbox(own: ControlPlane) -> None:
    stranger = ApiServer(own.component_url(Component.ETCD), own.ca_file, own.admin_token)
    with pytest.raises(SandboxError, match="does not answer"):
        stranger.request("GET", "/health")
    assert own.ready(Component.ETCD)


def test_a_component_that_was_not_started_is_named(own: ControlPlane) -> None:
    with pytest.raises(SandboxError, match="kwok was not started"):
        own.pid(Component.KWOK)
    with pytest.raises(SandboxError, match="etcd already runs"):
        own.start_component(Component.ETCD)


def test_a_second_sandbox_in_the_same_directory_is_refused(own: ControlPlane) -> None:
    with pytest.raises(SandboxError, match="already runs"):
        ControlPlane.start(own.directory)
    assert own.api.ready()


def test_a_component_that_dies_at_its_start_is_named_with_its_log_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"kube-apiserver exited with status 1 (.|\n)*unknown flag: --no-such-flag"):
        ControlPlane.start(tmp_path, apiserver_arguments=["--no-such-flag"])
    assert find_record(tmp_path) is None
    assert not _processes_of(tmp_path)


def test_a_port_that_is_taken_is_given_up_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        taken = occupant.getsockname()[1]
        chosen: list[int] = []

        class FirstTaken(Port):
            def __init__(self) -> None:
                super().__init__()
                # The first two are etcd's, the third is the API server's.
                if len(chosen) in {0, 3}:
                    self.number = taken
                chosen.append(self.number)

        monkeypatch.setattr(controlplane, "Port", FirstTaken)
        with ControlPlane.start(tmp_path, MINIMAL) as started:
            assert started.api.ready()
            assert str(taken) not in started.url
        assert chosen.count(taken) == 2


def test_stop_ends_everything_and_may_be_called_again(tmp_path: Path) -> None:
    started = ControlPlane.start(tmp_path)
    assert len(_processes_of(tmp_path)) == 2
    started.stop()
    started.stop()
    assert not _processes_of(tmp_path)
    assert find_record(tmp_path) is None
    with pytest.raises(SandboxError, match="no sandbox runs"):
        ControlPlane.attach(tmp_path)


OWNER = """
import sys, time
from pathlib import Path
from hydatis.sandbox.controlplane import Component, ControlPlane
with ControlPlane.start(Path(sys.argv[1])) as started:
    print("up", flush=True)
    time.sleep(120)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the processes end at the next start of a sandbox")
def test_an_owner_that_is_ended_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert owner.stdout is not None
    try:
        assert owner.stdout.readline() == "up\n"
        record = find_record(tmp_path)
        assert record is not None
        identities = [component.process for component in record.components.values()]
        assert len(identities) == 2
        owner.send_signal(number)
        owner.wait(timeout=30)
    finally:
        owner.kill()
        owner.stdout.close()
    _wait_until_ended(identities)
    reap_abandoned()
    assert find_record(tmp_path) is None


def _wait_until_ended(identities: list[ProcessIdentity]) -> None:
    deadline = time.monotonic() + 10
    while any(identity.alive() for identity in identities):
        assert time.monotonic() < deadline, "still running"
        time.sleep(0.05)


def _processes_of(directory: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text()
        except OSError:
            continue
        if str(directory) in command and "etcd" in command:
            found.append(command)
    return found


def test_an_api_call_that_fails_says_the_servers_own_reason(control_plane: ControlPlane) -> None:
    with pytest.raises(SandboxError, match=r"answered 422: .*metadata.name"):
        control_plane.api.call("POST", "/api/v1/namespaces/default/configmaps", _config_map("Not Legal"))
    answer = control_plane.api.request("GET", "/api/v1/namespaces/nowhere")
    assert answer.status == http.client.NOT_FOUND
