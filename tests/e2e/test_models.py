"""Models in a live cluster: verified, swapped and rolled back while pods are scheduled, refused when hostile."""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from onnx import TensorProto, helper

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.faults.verdict import complaints_after_settling, settled
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import inline_manifest
from hydatis.scheduler.models.schemas import KNOWN_SCHEMAS
from hydatis.scheduler.testing_onnx import floats, graph_file, linear, tree

GROUP = "/apis/hydatis.io/v1alpha1"
SYSTEM_NAMESPACE = "hydatis-system"
CONFIG_MAPS = f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps"
SCHEMA, WIDTH = next(iter(KNOWN_SCHEMAS.get(ModelKind.LOAD, {"0" * 64: 3}).items()))
"""One that the operator takes for models of this kind, and how many features its rows have."""
SOUND = linear([1.0] * WIDTH)
CONDITION_SECONDS = 90.0
"""A trial is a process of low priority, on a machine that may be busy."""


class Cluster:
    """The cluster-wide objects of one test."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.api = scene.control_plane.api
        self._made: list[str] = []

    def name(self, part: str) -> str:
        return f"{self.scene.name[-12:].strip('-')}-{part}"

    def model(self, part: str, data: bytes = b"", **changes: Any) -> str:
        """Create a model; `changes` go over its spec."""
        manifest = inline_manifest(
            data or SOUND, name=self.name(part), kind=ModelKind.LOAD, version=part, schema_hash=SCHEMA
        )
        manifest["spec"].update(changes)
        self.create(f"{GROUP}/mlmodels", manifest)
        return self.name(part)

    def policy(self, **spec: Any) -> str:
        name = self.name("policy")
        selector = {"namespaces": [self.scene.name]}
        manifest = {"apiVersion": "hydatis.io/v1alpha1", "kind": "MLSchedulerPolicy", "metadata": {"name": name}}
        self.create(f"{GROUP}/mlschedulerpolicies", {**manifest, "spec": {"selector": selector, **spec}})
        return name

    def create(self, path: str, manifest: dict[str, Any]) -> None:
        self.api.call("POST", path, manifest)
        self._made.append(f"{path}/{manifest['metadata']['name']}")

    def delete_model(self, name: str) -> None:
        self.api.call("DELETE", f"{GROUP}/mlmodels/{name}")

    def change_policy(self, name: str, **spec: Any) -> None:
        patch = json.dumps({"spec": spec})
        self.scene.control_plane.kubectl("patch", "mlsp", name, "--type=merge", "-p", patch)

    def status(self, plural: str, name: str) -> dict[str, Any]:
        status: dict[str, Any] = self.api.call("GET", f"{GROUP}/{plural}/{name}").get("status", {})
        return status

    def condition(self, plural: str, name: str, kind: str) -> tuple[str, str, str]:
        """Status, reason and message of one condition; empty while it is not there."""
        for condition in self.status(plural, name).get("conditions", ()):
            if condition["type"] == kind:
                return condition["status"], condition["reason"], condition["message"]
        return "", "", ""

    def verified(self, name: str) -> tuple[str, str]:
        return self.condition("mlmodels", name, "Verified")[:2]

    def wait_verified(self, name: str, wanted: tuple[str, str] = ("True", "Verified")) -> None:
        self.scene.wait_until(
            lambda: self.verified(name) == wanted, f"{name} has {wanted}, not {self.verified(name)}", CONDITION_SECONDS
        )

    def wait_mode(self, policy: str, mode: str) -> None:
        self.scene.wait_until(
            lambda: self.status("mlschedulerpolicies", policy).get("mode") == mode, f"the mode is {mode}", 15.0
        )

    def clear(self) -> None:
        for path in self._made:
            with suppress(SandboxError):
                self.api.call("DELETE", path)


@pytest.fixture(scope="module")
def operator(start_module_operator: Callable[..., OperatorProcess]) -> OperatorProcess:
    return start_module_operator()


@pytest.fixture
def scene(make_scene: Callable[[Shape], Scene]) -> Scene:
    return make_scene(Shape(nodes=20, slots=12))


@pytest.fixture
def cluster(scene: Scene) -> Iterator[Cluster]:
    opened = Cluster(scene)
    yield opened
    opened.clear()


def ensemble(model: str) -> dict[str, Any]:
    return {"expectedOverload": {"weight": 0}, "load": {"model": model, "weight": 50}}


def test_models_are_swapped_and_rolled_back_under_load_without_a_missed_decision(
    cluster: Cluster, scene: Scene, operator: OperatorProcess
) -> None:
    first = cluster.model("v1")
    policy = cluster.policy(mode="Ensemble", ensemble=ensemble(first))
    cluster.wait_verified(first)
    cluster.wait_mode(policy, "Ensemble")
    assert cluster.condition("mlschedulerpolicies", policy, "Ready")[:2] == ("True", "InForce")
    assert cluster.status("mlmodels", first)["inUse"] == [policy]
    assert cluster.status("mlmodels", first)["size"] == len(SOUND)

    load = scene.burst(scene.pods_of_burst(scene.shape.pods))
    second = cluster.model("v2", tree(width=WIDTH))
    cluster.wait_verified(second)
    cluster.change_policy(policy, ensemble=ensemble(second))
    scene.wait_until(lambda: cluster.status("mlmodels", second).get("inUse") == [policy], "the new one is in use", 15.0)
    assert cluster.status("mlmodels", first)["inUse"] == []
    cluster.change_policy(policy, ensemble=ensemble(first))
    scene.wait_until(lambda: cluster.status("mlmodels", first)["inUse"] == [policy], "the old one is again", 15.0)
    cluster.delete_model(second)
    load.join()
    assert complaints_after_settling(scene, operator, bound=scene.shape.pods) == []

    cluster.delete_model(first)
    cluster.wait_mode(policy, "Fallback")
    status, reason, message = cluster.condition("mlschedulerpolicies", policy, "ModelsLoaded")
    assert (status, reason) == ("False", "ModelsMissing")
    assert f"spec.ensemble.load.model is {first}: there is no MLModel of this name; create it" in message
    assert cluster.condition("mlschedulerpolicies", policy, "Ready")[:2] == ("False", "ModelsMissing")


def external_data() -> bytes:
    tensor = floats("w", [[1.0]] * WIDTH)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return graph_file([helper.make_node("MatMul", ["x", "w"], ["y"])], width=WIDTH, initializers=[tensor])


def subgraph() -> bytes:
    output = helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, 1])
    branch = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "branch", [], [output])
    condition = helper.make_tensor("c", TensorProto.BOOL, [], [True])
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    return graph_file([node], width=WIDTH, initializers=[condition])


def memory_bomb() -> bytes:
    """Nothing tells beforehand how large the product of two features' worth of rows becomes."""
    ones = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    factor = helper.make_tensor("factor", TensorProto.INT64, [2], [2**24, 2**12])
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Mul", ["s", "factor"], ["huge"]),
        helper.make_node("ConstantOfShape", ["huge"], ["z"]),
        helper.make_node("ReduceSum", ["z", "one"], ["p"], keepdims=1),
        helper.make_node("Add", ["x", "p"], ["q"]),
        helper.make_node("ReduceSum", ["q", "one"], ["y"], keepdims=1),
    ]
    return graph_file(nodes, width=WIDTH, initializers=[ones, factor])


HOSTILE: dict[str, tuple[bytes, dict[str, Any], set[str]]] = {
    "truncated": (
        SOUND,
        {"weights": {"inline": base64.b64encode(gzip.compress(SOUND)[:-9]).decode()}},
        {"Truncated"},
    ),
    "digest": (SOUND, {"sha256": "a" * 64}, {"WrongDigest"}),
    "bomb": (
        SOUND,
        {"weights": {"inline": base64.b64encode(gzip.compress(bytes(2**28))).decode()}},
        {"TooLarge"},
    ),
    "pickle": (b"\x80\x04\x8c\x05posix\x94.", {}, {"NotOnnx"}),
    "operator": (graph_file([helper.make_node("Conv", ["x"], ["y"])], width=WIDTH), {}, {"UnknownOperator"}),
    "external": (external_data(), {}, {"ExternalData"}),
    "nan": (linear([float("nan")] * WIDTH), {}, {"NotFinite"}),
    "shape": (
        graph_file([helper.make_node("Identity", ["x"], ["y"])], width=WIDTH, output_shape=(None, WIDTH)),
        {},
        {"WrongShape"},
    ),
    "subgraph": (subgraph(), {}, {"Subgraph"}),
    "circle": (tree(right=0, width=WIDTH), {}, {"CyclicTree"}),
    "memory": (memory_bomb(), {}, {"TrialFailed", "NotRunnable", "NotLoadable", "TooLarge"}),
}


def test_hostile_weights_are_refused_each_with_its_reason_while_pods_are_scheduled(
    cluster: Cluster, scene: Scene, operator: OperatorProcess
) -> None:
    names = {what: cluster.model(what, data, **changes) for what, (data, changes, _) in HOSTILE.items()}
    policy = cluster.policy(ensemble=ensemble(names["digest"]))
    scene.burst(scene.pods_of_burst(scene.shape.pods)).join()
    scene.wait_until(
        lambda: all(cluster.verified(name)[0] == "False" for name in names.values()), "all are refused", 120.0
    )
    found = {what: cluster.verified(name)[1] for what, name in names.items()}
    assert {what: reason for what, reason in found.items() if reason not in HOSTILE[what][2]} == {}
    assert complaints_after_settling(scene, operator, bound=scene.shape.pods) == []
    assert cluster.status("mlschedulerpolicies", policy)["mode"] == "Fallback"
    assert "WrongDigest: spec.sha256 is" in cluster.condition("mlschedulerpolicies", policy, "ModelsLoaded")[2]


def test_weights_in_config_maps_are_found_when_they_come(
    cluster: Cluster, scene: Scene, operator: OperatorProcess
) -> None:
    packed = gzip.compress(SOUND)
    parts = [packed[:100], packed[100:]]
    maps = [{"name": cluster.name(f"part{number}")} for number in range(2)]
    model = cluster.model("chunks", weights={"configMaps": maps})
    cluster.wait_verified(model, ("False", "ConfigMapMissing"))
    message = cluster.condition("mlmodels", model, "Verified")[2]
    assert f"names the ConfigMap {SYSTEM_NAMESPACE}/{maps[0]['name']}, which does not exist: create it" in message
    for place, data in zip(maps, parts, strict=True):
        config_map = {"metadata": place, "binaryData": {"weights": base64.b64encode(data).decode()}}
        cluster.create(CONFIG_MAPS, config_map)
    cluster.wait_verified(model)
    assert operator.alive()


def test_a_paused_policy_keeps_its_pods_waiting_until_it_goes_on(
    cluster: Cluster, scene: Scene, operator: OperatorProcess
) -> None:
    policy = cluster.policy(mode="Paused")
    cluster.wait_mode(policy, "Paused")
    scene.burst([scene.pod(f"p{number}") for number in range(3)]).join()

    def reasons() -> set[str]:
        conditions = (pod.get("status", {}).get("conditions") or [{"reason": ""}] for pod in scene.pods())
        return {entries[0].get("reason", "") for entries in conditions}

    scene.wait_until(lambda: reasons() == {"SchedulingPaused"}, "the pods say that they are paused", 15.0)
    told = scene.events(reason="FailedScheduling", pod="p0")
    assert f"Scheduling is paused by the policy {policy}." in told[0]["note"]
    assert scene.bound() == 0
    cluster.change_policy(policy, mode="Auto")
    settled(scene)
    assert scene.bound() == 3
    assert operator.metrics()["scheduler_pod_scheduled_after_flush_total"] == 0
