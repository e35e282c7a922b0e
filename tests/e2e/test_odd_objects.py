"""Objects that are odd but legal: all of them at once on one cluster, before one running operator."""

from collections.abc import Iterator
from typing import Any

import pytest

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.faults.scene import Manifest, Scene, Shape
from hydatis.sandbox.faults.verdict import complaints_after_settling, is_unschedulable
from hydatis.sandbox.operator_process import OperatorProcess

NAME = "odd-objects"
LABELS = {f"label-{number}.example.com/name": "x" * 63 for number in range(1000)}
LONG_NAME = "longest-" + "x" * (253 - len("longest-"))


def requests(**amounts: str) -> Manifest:
    return {"resources": {"requests": amounts}}


def limits(amounts: dict[str, str]) -> Manifest:
    return {"resources": {"limits": amounts}}


NEAR_A = {"labelSelector": {"matchLabels": {"app": "a"}}, "topologyKey": "kubernetes.io/hostname"}
SPREAD = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "a"}}}


def affinity(kind: str, strength: str) -> Manifest:
    if strength == "required":
        return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [NEAR_A]}}}
    preferred = [{"weight": 1, "podAffinityTerm": NEAR_A}]
    return {"affinity": {kind: {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}}


BOUND: dict[str, Manifest] = {
    "without-requests": {"resources": {}},
    "zero-requests": requests(cpu="0", memory="0"),
    "zero-with-suffix": requests(cpu="0m", memory="0Gi"),
    "nano": requests(cpu="100n", memory="1"),
    "micro": requests(cpu="7u"),
    "milli": requests(cpu="150m", memory="64000m"),
    "plain-number": requests(cpu="1", memory="134217728"),
    "fraction": requests(cpu="0.1", memory="0.5Gi"),
    "no-leading-zero": requests(cpu=".1", memory="1.Gi"),
    "signed": requests(cpu="+0.1", memory="+1Mi"),
    "exponent": requests(cpu="1e-1", memory="2e3"),
    "capital-exponent": requests(cpu="1E-1", memory="2E3"),
    "kilo": requests(memory="1k"),
    "kibi": requests(memory="1Ki"),
    "mega": requests(memory="129M"),
    "mebi": requests(memory="123Mi"),
    "giga": requests(memory="0.1G"),
    "tera": requests(memory="0.0001T"),
    "tebi": requests(memory="0.0001Ti"),
    "peta": requests(memory="0.0000001P"),
    "pebi": requests(memory="0.0000001Pi"),
    "exa": requests(memory="0.0000000001E"),
    "exbi": requests(memory="0.0000000001Ei"),
    "limits-alone": limits({"cpu": "100m", "memory": "1.5Mi"}),
    "nothing-of-an-absent-resource": limits({"example.com/absent": "0"}),
    LONG_NAME: requests(cpu="1m"),
    "odd-node-selected": {"resources": {}, "nodeSelector": {"odd": "labels"}},
}
BOUND |= {
    "pod-affinity-preferred": affinity("podAffinity", "preferred"),
    "pod-anti-affinity-required": affinity("podAntiAffinity", "required"),
    "pod-anti-affinity-preferred": affinity("podAntiAffinity", "preferred"),
    "spread-hard": {"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "DoNotSchedule"}]},
    "spread-soft": {"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "ScheduleAnyway"}]},
}
"""Pods that have to get a node."""

WAITING: dict[str, tuple[Manifest, str]] = {
    "two-thousand-cores": (requests(cpu="2e3"), "Insufficient cpu"),
    "an-exabyte": (requests(memory="1E"), "Insufficient memory"),
    "seven-exbibytes": (requests(memory="7Ei"), "Insufficient memory"),
    "largest-int64": (requests(memory="9223372036854775807"), "Insufficient memory"),
    "beyond-int64": (requests(cpu="9223372036854775807"), "Insufficient cpu"),
    "absent-resource": (limits({"example.com/absent": "1"}), "Insufficient example.com/absent"),
    "only-on-a-node-without-status": ({"resources": {}, "nodeSelector": {"odd": "bare"}}, "Too many pods"),
    "only-on-a-node-of-no-pods": ({"resources": {}, "nodeSelector": {"odd": "no-pods"}}, "Too many pods"),
    "nobody-to-be-near": (affinity("podAffinity", "required"), "didn't match pod affinity rules"),
    "no-such-node": ({"nodeSelector": {"odd": "nowhere"}}, "didn't match Pod's node affinity/selector"),
    "no-such-claim": (
        {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
        'persistentvolumeclaim "data" not found',
    ),
}
"""Pods that no node can hold, and what they are told."""

NOT_HONOURED: dict[str, tuple[Manifest, str]] = {
    "resource-claim": (
        {"resourceClaims": [{"name": "gpu", "resourceClaimName": "gpu"}]},
        "spec.resourceClaims (plugin DynamicResources)",
    ),
}
"""Pods that ask for what HYDATIS does not honour yet, and what they are told."""


def odd_nodes(scene: Scene) -> list[Manifest]:
    """Beside the scene's own: without status, without room for pods, with many labels and odd quantities."""
    bare, no_pods, labelled = (scene.node(number) for number in (90, 91, 92))
    bare["metadata"]["labels"]["odd"] = "bare"
    del bare["status"]
    no_pods["metadata"]["labels"]["odd"] = "no-pods"
    no_pods["status"]["allocatable"]["pods"] = "0"
    labelled["metadata"]["labels"].update({"odd": "labels", **LABELS})
    labelled["status"]["allocatable"] = {"cpu": "1500m", "memory": "1.5Gi", "pods": "2e1", "example.com/odd": "1E"}
    return [bare, no_pods, labelled]


@pytest.fixture(scope="module")
def scene(stage: Any) -> Iterator[Scene]:
    scene = Scene(stage.control_plane, stage.audit, NAME, Shape(nodes=4, slots=10))
    scene.build()
    scene.create("/api/v1/nodes", odd_nodes(scene))
    yield scene
    scene.clear()


@pytest.fixture(scope="module", autouse=True)
def operator(scene: Scene, start_module_operator: Any) -> OperatorProcess:
    """Runs when the odd pods come; the last pod is a plain one."""
    started: OperatorProcess = start_module_operator()
    pods = [scene.pod(name, **spec) for name, spec in BOUND.items()]
    pods += [scene.pod(name, **spec) for name, (spec, _) in (WAITING | NOT_HONOURED).items()]
    many_labels = scene.pod("many-labels")
    many_labels["metadata"]["labels"] = LABELS
    unknown = scene.pod("unknown-fields", schedulingHints={"from": "a later version"})
    scene.burst([*pods, many_labels, unknown]).join()
    scene.burst([scene.pod("plain")]).join()
    return started


def test_all_that_can_be_placed_is_placed_and_counted_exactly_and_nothing_faults(
    scene: Scene, operator: OperatorProcess
) -> None:
    assert complaints_after_settling(scene, operator, bound=len(BOUND) + 3) == []
    assert operator.metrics()["hydatis_malformed_pods_total"] == 0
    assert "Traceback" not in operator.log.read_text()


@pytest.mark.parametrize("name", [*BOUND, "many-labels", "unknown-fields", "plain"], ids=lambda name: name[:30])
def test_an_odd_pod_that_fits_gets_a_node(name: str, scene: Scene) -> None:
    assert scene.pod_named(name)["spec"].get("nodeName")
    assert scene.events(reason="Scheduled", pod=name)


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, (_, reason) in WAITING.items()], ids=WAITING)
def test_a_pod_that_no_node_can_hold_waits_and_is_told_why(name: str, reason: str, scene: Scene) -> None:
    assert_waits(scene, name, reason)


@pytest.mark.parametrize(
    ("name", "missing"), [(name, missing) for name, (_, missing) in NOT_HONOURED.items()], ids=NOT_HONOURED
)
def test_a_pod_that_asks_for_what_is_not_honoured_yet_waits_and_is_told_what(
    name: str, missing: str, scene: Scene
) -> None:
    assert_waits(scene, name, f"HYDATIS does not honour {missing}")


def assert_waits(scene: Scene, name: str, reason: str) -> None:
    pod = scene.pod_named(name)
    assert "nodeName" not in pod["spec"]
    assert is_unschedulable(pod)
    described = describe(scene.control_plane, name)
    assert "FailedScheduling" in described
    assert reason in described


def describe(control_plane: ControlPlane, name: str) -> str:
    return control_plane.kubectl("describe", "pod", name, "--namespace", NAME)
