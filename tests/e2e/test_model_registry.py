"""From a training into the registry, into a cluster, into use, and back: a real MLflow server, a real API server and a
real operator.
"""

import asyncio
import json
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from onnx import helper
from typer.testing import CliRunner, Result

from hydatis.operator.connection import Connection
from hydatis.operator.credentials import CredentialSource
from hydatis.registry.commands import model
from hydatis.registry.errors import RegistryError
from hydatis.registry.promoting import name_model, previous_model
from hydatis.registry.pushing import condition
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.mlflow_server import MlflowServer
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.testing_onnx import floats, graph_file, linear, tree
from hydatis.simulations.training.tracking.naming import WEIGHTS_FILE
from hydatis.simulations.training.tracking.opening import opened
from hydatis.simulations.training.tracking.registering import register
from hydatis.simulations.training.tracking.testing import made_model

pytest.importorskip("mlflow", reason="the registry needs the extra `models`")

GROUP = "/apis/hydatis.io/v1alpha1"
SYSTEM_NAMESPACE = "hydatis-system"
WIDTH = SCHEMAS[ModelKind.LOAD].width
POLICY = "registry-e2e"
NAME = "hydatis-load"
ROLE = "hydatis-model-publisher"
DOCUMENTATION = Path(__file__).parents[2] / "docs/rbac.md"


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """Starts while the control plane does."""
    server = MlflowServer.begin(tmp_path_factory.mktemp("mlflow"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def operator(beginning: MlflowServer, start_module_operator: Callable[..., OperatorProcess]) -> OperatorProcess:
    return start_module_operator()


@pytest.fixture
def mlflow_server(beginning: MlflowServer, operator: OperatorProcess, monkeypatch: pytest.MonkeyPatch) -> MlflowServer:
    """The registry of the commands, empty; the operator runs."""
    beginning.wait()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", beginning.url)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with opened(beginning.url) as client:
        if client.search_registered_models():
            client.delete_registered_model(NAME)
    return beginning


@pytest.fixture(scope="module")
def publisher(stage: Any) -> Path:
    """Return the kubeconfig of somebody with the rights that docs/rbac.md grants, and no others."""
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    (documented,) = (block for block in blocks if f"name: {ROLE}\n" in block)
    kubectl = stage.control_plane.kubectl
    kubectl("apply", "--filename", "-", stdin=documented)
    user = f"--serviceaccount={SYSTEM_NAMESPACE}:publisher"
    kubectl("create", "serviceaccount", "publisher", f"--namespace={SYSTEM_NAMESPACE}")
    kubectl("create", "clusterrolebinding", ROLE, f"--clusterrole={ROLE}", user)
    kubectl("create", "rolebinding", ROLE, f"--role={ROLE}", user, f"--namespace={SYSTEM_NAMESPACE}")
    found: Path = stage.control_plane.service_account_kubeconfig(SYSTEM_NAMESPACE, "publisher")
    return found


class Commands:
    """`hydatis model` as somebody calls it who may do just that; `api` is the administrator's."""

    def __init__(self, stage: Any, kubeconfig: Path) -> None:
        self._kubeconfig = str(kubeconfig)
        self.api = stage.control_plane.api

    def call(self, *arguments: str) -> Result:
        asked = [*arguments, "--kubeconfig", self._kubeconfig]
        return CliRunner().invoke(model, asked, catch_exceptions=False)

    def done(self, *arguments: str) -> str:
        result = self.call(*arguments)
        assert result.exit_code == 0, result.output
        return result.output

    def refused(self, *arguments: str) -> str:
        result = self.call(*arguments)
        assert (result.exit_code, result.stdout) == (1, ""), result.output
        return result.stderr

    def named(self) -> str:
        policy: dict[str, Any] = self.api.call("GET", f"{GROUP}/mlschedulerpolicies/{POLICY}")
        return str(policy["spec"]["ensemble"]["load"]["model"])

    def in_use(self, name: str) -> bool:
        found: dict[str, Any] = self.api.call("GET", f"{GROUP}/mlmodels/{name}")
        return POLICY in found["status"]["inUse"]

    def verified(self, name: str) -> tuple[str, str]:
        """Status and reason, once HYDATIS has looked at the model."""
        end = time.monotonic() + 90.0
        while True:
            found: dict[str, Any] = self.api.call("GET", f"{GROUP}/mlmodels/{name}")
            status, reason, _ = condition(found, "Verified")
            if status in ("True", "False") or time.monotonic() > end:
                return status, reason
            time.sleep(0.1)

    def create(self, plural: str, manifest: dict[str, Any]) -> None:
        self.api.call("POST", f"{GROUP}/{plural}", manifest)


@pytest.fixture
def commands(stage: Any, publisher: Path) -> Iterator[Commands]:
    called = Commands(stage, publisher)
    part = {"model": "hydatis-load-0", "weight": 50}
    called.create(
        "mlschedulerpolicies",
        {
            "apiVersion": "hydatis.io/v1alpha1",
            "kind": "MLSchedulerPolicy",
            "metadata": {"name": POLICY},
            "spec": {"selector": {"namespaces": ["registry-e2e"]}, "ensemble": {"load": part}},
        },
    )
    yield called
    paths = [f"{GROUP}/mlschedulerpolicies/{POLICY}"]
    paths += [f"{GROUP}/mlmodels/{NAME}-{number}" for number in range(5)]
    paths += [f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps/{NAME}-1-{number}" for number in range(4)]
    for path in paths:
        with suppress(SandboxError):
            called.api.call("DELETE", path)


def aliases(server: MlflowServer) -> dict[str, str]:
    with opened(server.url) as client:
        return dict(client.get_registered_model(NAME).aliases)


def test_a_trained_model_is_pushed_promoted_and_rolled_back(mlflow_server: MlflowServer, commands: Commands) -> None:
    register(made_model(onnx=linear([1.0] * WIDTH)))
    assert "hydatis-load-1 is verified" in commands.done("push", NAME, "1")
    assert "the MLModel hydatis-load-1 is there already" in commands.done("push", NAME, "1")
    assert not commands.in_use("hydatis-load-1")
    told = commands.done("promote", NAME, "1", "--policy", POLICY, "--weight", "70")
    assert f"policy {POLICY}: hydatis-load-0 -> hydatis-load-1" in told
    assert (commands.named(), commands.in_use("hydatis-load-1")) == ("hydatis-load-1", True)
    assert aliases(mlflow_server) == {"champion": "1"}

    register(made_model(onnx=tree(width=WIDTH), metrics={"error": 0.125}))
    told = commands.done("promote", NAME, "2", "--policy", POLICY)
    assert f"policy {POLICY}: hydatis-load-1 -> hydatis-load-2" in told
    assert (commands.named(), commands.in_use("hydatis-load-2")) == ("hydatis-load-2", True)
    assert aliases(mlflow_server) == {"champion": "2", "previous": "1"}
    listed = commands.done("list")
    assert [line.split() for line in listed.splitlines()[1:]] == [
        ["hydatis-load", "2", "champion", *listed.split("champion")[1].split()[:3], "hydatis-load-2", "True", POLICY],
        ["hydatis-load", "1", "previous", *listed.split("previous")[1].split()[:5], "hydatis-load-1", "True", "-"],
    ]
    rows = json.loads(commands.done("list", "--json"))
    assert rows[0]["metrics"] == {"error": 0.125}
    assert rows[0]["mlmodels"] == [{"name": "hydatis-load-2", "verified": "True", "inUse": [POLICY]}]

    # The earlier one is pushed again if somebody tidied up.
    commands.api.call("DELETE", f"{GROUP}/mlmodels/hydatis-load-1")
    told = commands.done("rollback", "--policy", POLICY, "--kind", "load")
    assert "the MLModel hydatis-load-1 is gone; looking for it in the registry" in told
    assert "hydatis-load-1 is in use" in told
    assert (commands.named(), commands.in_use("hydatis-load-1")) == ("hydatis-load-1", True)
    assert aliases(mlflow_server) == {"champion": "1", "previous": "2"}
    # Forward again, by alias.
    assert "-> hydatis-load-2" in commands.done("promote", NAME, "@previous", "--policy", POLICY)
    policy = commands.api.call("GET", f"{GROUP}/mlschedulerpolicies/{POLICY}")
    assert policy["metadata"]["annotations"]["hydatis.io/previous-load-model"] == "hydatis-load-1"
    assert policy["spec"]["ensemble"]["load"]["weight"] == 70


def weights_of(server: MlflowServer) -> Path:
    (found,) = server.artifacts.glob(f"*/*/artifacts/model/{WEIGHTS_FILE}")
    return found


def test_what_is_altered_or_unsound_is_refused_and_changes_nothing(
    mlflow_server: MlflowServer, commands: Commands
) -> None:
    shutil.rmtree(mlflow_server.artifacts, ignore_errors=True)
    register(made_model(onnx=linear([1.0] * WIDTH)))
    assert "there is no MLSchedulerPolicy nosuch" in commands.refused("promote", NAME, "1", "--policy", "nosuch")
    by_reference = yaml.safe_load(commands.done("push", NAME, "1", "--by-reference", "--output", "-"))
    sound = weights_of(mlflow_server).read_bytes()
    weights_of(mlflow_server).write_bytes(linear([9.0] * WIDTH))
    # Here, before anything is created.
    for command in ("push", "promote"):
        problem = commands.refused(command, NAME, "1", *(["--policy", POLICY] if command == "promote" else []))
        assert "were altered since; register the model again." in problem
    # And there, for who has the manifest already.
    commands.create("mlmodels", by_reference)
    assert commands.verified("hydatis-load-1") == ("False", "WrongDigest")
    weights_of(mlflow_server).write_bytes(sound)
    told = commands.done("push", NAME, "1", "--by-reference")
    assert "waiting: WrongDigest: spec.sha256 is " in told
    assert "hydatis-load-1 is verified" in told

    # Sound bytes of a model that no operator takes: refused in the cluster, and the policy keeps what it has.
    register(made_model(onnx=linear([float("nan")] * WIDTH)))
    problem = commands.refused("promote", NAME, "2", "--policy", POLICY)
    assert "error: HYDATIS refuses hydatis-load-2: NotFinite: " in problem
    assert commands.named() == "hydatis-load-0"
    # Another model under the same name.
    with opened(mlflow_server.url) as client:
        client.delete_registered_model(NAME)
    register(made_model(onnx=tree(width=WIDTH)))
    problem = commands.refused("push", NAME, "1")
    assert "the MLModel hydatis-load-1 is another one: its sha256 is " in problem


def test_large_weights_go_into_config_maps_or_are_fetched_from_the_server(
    mlflow_server: MlflowServer, commands: Commands
) -> None:
    # Of random numbers nothing can be packed.
    chance = random.Random(1)  # noqa: S311 - repeatable, and no secret
    many = floats("w", [[chance.gauss(0, 1e-6) for _ in range(15_000)] for _ in range(WIDTH)])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("ReduceMean", ["p"], ["y"], axes=[1], keepdims=1),
    ]
    register(made_model(onnx=graph_file(nodes, width=WIDTH, initializers=[many])))
    told = commands.done("push", NAME, "1", "--namespace", SYSTEM_NAMESPACE)
    assert f"created the ConfigMap {SYSTEM_NAMESPACE}/hydatis-load-1-2" in told
    assert "hydatis-load-1 is verified" in told
    found = commands.api.call("GET", f"{GROUP}/mlmodels/hydatis-load-1")
    assert len(found["spec"]["weights"]["configMaps"]) == 3
    piece = commands.api.call("GET", f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps/hydatis-load-1-0")
    assert piece["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]

    commands.api.call("DELETE", f"{GROUP}/mlmodels/hydatis-load-1")
    assert "hydatis-load-1 is verified" in commands.done("push", NAME, "1", "--by-reference")
    found = commands.api.call("GET", f"{GROUP}/mlmodels/hydatis-load-1")
    assert found["spec"]["weights"]["url"].startswith(f"{mlflow_server.url}/api/2.0/mlflow-artifacts/artifacts/")


def test_a_policy_that_others_change_meanwhile_keeps_what_they_wrote(
    stage: Any, publisher: Path, commands: Commands
) -> None:
    outcomes: list[int] = []

    def meddle(verb: str, resource: str, status: int, _: float) -> None:
        """Change the policy between its reading and its writing, three times."""
        if verb == "patch":
            outcomes.append(status)
        elif len(outcomes) < 3:
            stage.control_plane.kubectl("annotate", "mlsp", POLICY, f"meddled-{len(outcomes)}=yes")

    async def change() -> None:
        connection = await Connection.open(CredentialSource(publisher), meddle)
        try:
            made = await name_model(connection, POLICY, ModelKind.LOAD, "hydatis-load-4", None)
            assert (made.before, made.after, made.none) == ("hydatis-load-0", "hydatis-load-4", False)
            # Named already: nothing is written, and what is remembered stays.
            assert (await name_model(connection, POLICY, ModelKind.LOAD, "hydatis-load-4", 50)).none
            assert await previous_model(connection, POLICY, ModelKind.LOAD) == "hydatis-load-0"
            with pytest.raises(RegistryError, match=r"has no spec\.ensemble\.anomaly; say with --weight"):
                await name_model(connection, POLICY, ModelKind.ANOMALY, "hydatis-anomaly-1", None)
            await name_model(connection, POLICY, ModelKind.ANOMALY, "hydatis-anomaly-1", 10)
            with pytest.raises(RegistryError, match="remembers no anomaly model from before"):
                await previous_model(connection, POLICY, ModelKind.ANOMALY)
        finally:
            await connection.close()

    asyncio.run(change())
    assert outcomes == [409, 409, 409, 200, 200]
    policy = commands.api.call("GET", f"{GROUP}/mlschedulerpolicies/{POLICY}")
    annotations = policy["metadata"]["annotations"]
    assert {name for name in annotations if name.startswith("meddled")} == {"meddled-0", "meddled-1", "meddled-2"}
    assert annotations["hydatis.io/previous-load-model"] == "hydatis-load-0"
    assert policy["spec"]["ensemble"]["anomaly"] == {"model": "hydatis-anomaly-1", "weight": 10}


def test_without_its_server_a_command_says_so_and_a_rollback_still_works(
    mlflow_server: MlflowServer, commands: Commands
) -> None:
    register(made_model(onnx=linear([1.0] * WIDTH)))
    register(made_model(onnx=tree(width=WIDTH)))
    for version in ("1", "2"):
        commands.done("promote", NAME, version, "--policy", POLICY)
    mlflow_server.kill()
    for arguments in (["list"], ["push", NAME, "1"], ["promote", NAME, "1", "--policy", POLICY]):
        (line,) = commands.refused(*arguments).splitlines()
        assert line.startswith(f"error: the registry of models at {mlflow_server.url} cannot be used: ")
        assert line.endswith("Check MLFLOW_TRACKING_URI, and that its server is up.")
    assert commands.named() == "hydatis-load-2"
    told = commands.done("rollback", "--policy", POLICY, "--kind", "load")
    assert "warning: the aliases of the registry stay as they were: " in told
    assert (commands.named(), commands.in_use("hydatis-load-1")) == ("hydatis-load-1", True)
    # Before the first promotion there was a name without an MLModel, and no registry can bring it back now.
    commands.api.call("DELETE", f"{GROUP}/mlmodels/hydatis-load-2")
    problem = commands.refused("rollback", "--policy", POLICY, "--kind", "load")
    assert "the earlier model, the MLModel hydatis-load-2, was deleted, and cannot be pushed again: " in problem
    assert "remembers no placement model" in commands.refused("rollback", "--policy", POLICY, "--kind", "placement")
