"""Preemption on a real API server: who makes way, what the victims and the pod they make way for are told, and that
nobody else takes the room meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from hydatis.sandbox.faults.scene import Manifest, Scene, Shape
from hydatis.sandbox.faults.verdict import settled
from hydatis.sandbox.operator_process import OperatorProcess

PRIORITIES = {"low": 100, "mid": 500, "high": 1000, "meek": 1000}
"""Pods of the last displace nobody."""
ONE_SLOT = Shape(nodes=1, slots=1)


@pytest.fixture(scope="module")
def operator(start_module_operator: Callable[..., OperatorProcess]) -> OperatorProcess:
    return start_module_operator()


@pytest.fixture
def make(make_scene: Callable[[Shape], Scene], operator: OperatorProcess) -> Iterator[Callable[..., Scene]]:
    """make(shape): a scene with priority classes and an operator."""

    def make_it(shape: Shape = ONE_SLOT) -> Scene:
        scene = make_scene(shape)
        scene.create("/apis/scheduling.k8s.io/v1/priorityclasses", [_priority_class(name) for name in PRIORITIES])
        return scene

    yield make_it
    assert operator.metrics()["scheduler_pod_scheduled_after_flush_total"] == 0


def _priority_class(name: str) -> Manifest:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": f"preemption-{name}"},
        "value": PRIORITIES[name],
        "preemptionPolicy": "Never" if name == "meek" else "PreemptLowerPriority",
    }


def _pod(scene: Scene, name: str, priority: str, **spec: Any) -> Manifest:
    return scene.pod(name, priorityClassName=f"preemption-{priority}", **spec)


def _create(scene: Scene, *pods: Manifest) -> None:
    scene.burst(pods).join()


def _gone(scene: Scene, name: str) -> bool:
    return name not in {pod["metadata"]["name"] for pod in scene.pods()}


def _node(scene: Scene, name: str) -> str | None:
    node: str | None = scene.pod_named(name)["spec"].get("nodeName")
    return node


def _condition(pod: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((c for c in pod["status"].get("conditions") or () if c["type"] == kind), {})


def _until_bound(scene: Scene, name: str) -> None:
    scene.wait_until(lambda: _node(scene, name) is not None, f"{name} has a node", 60.0)


def test_a_pod_of_higher_priority_takes_the_place_of_one_of_lower_priority(make: Callable[..., Scene]) -> None:
    scene = make()
    _create(scene, _pod(scene, "low", "low"))
    _until_bound(scene, "low")
    low = scene.pod_named("low")
    _create(scene, _pod(scene, "high", "high"))
    _until_bound(scene, "high")
    assert _gone(scene, "low")
    (told,) = scene.events(reason="Preempted")
    high = scene.pod_named("high")
    assert told["regarding"]["uid"] == low["metadata"]["uid"]
    assert told["related"]["uid"] == high["metadata"]["uid"]
    assert told["note"] == f"Preempted by pod {high['metadata']['uid']} on node {scene.node_name(0)}"
    assert any(
        "preemption: found a potential placement for pod on node" in event["note"]
        for event in scene.events(reason="FailedScheduling", pod="high")
    )
    assert "nominatedNodeName" not in high["status"]
    assert scene.overcommitments() == []


def test_the_pod_waits_for_its_victims_grace_and_nobody_else_takes_the_room(make: Callable[..., Scene]) -> None:
    scene = make()
    _create(scene, _pod(scene, "low", "low", terminationGracePeriodSeconds=600))
    _until_bound(scene, "low")
    _create(scene, _pod(scene, "high", "high"))
    scene.wait_until(lambda: "deletionTimestamp" in scene.pod_named("low")["metadata"], "low is on its way out", 30.0)
    low = scene.pod_named("low")
    target = _condition(low, "DisruptionTarget")
    assert (target["status"], target["reason"]) == ("True", "PreemptionByScheduler")
    assert target["message"] == "hydatis: preempting to accommodate a higher priority pod"
    assert low["metadata"]["deletionGracePeriodSeconds"] == 600
    scene.wait_until(
        lambda: scene.pod_named("high")["status"].get("nominatedNodeName") == scene.node_name(0),
        "the node is kept for high",
        30.0,
    )
    _create(scene, _pod(scene, "mid", "mid"))
    waiting = {pod["metadata"]["name"]: pod for pod in settled(scene)}
    assert not waiting["high"]["spec"].get("nodeName")
    assert not waiting["mid"]["spec"].get("nodeName")
    scene.delete_pod("low")
    _until_bound(scene, "high")
    high = scene.pod_named("high")
    assert "nominatedNodeName" not in high["status"]
    assert _node(scene, "mid") is None
    assert len(scene.events(reason="Preempted")) == 1


def test_a_pod_that_displaces_nobody_waits_and_says_so(make: Callable[..., Scene]) -> None:
    scene = make()
    _create(scene, _pod(scene, "low", "low"))
    _until_bound(scene, "low")
    _create(scene, _pod(scene, "meek", "meek"))
    settled(scene)
    (told,) = scene.events(reason="FailedScheduling", pod="meek")
    assert told["note"].endswith("preemption: not eligible due to preemptionPolicy=Never.")
    assert _node(scene, "low") is not None


def test_a_budget_is_kept_where_another_node_can_make_room(make: Callable[..., Scene]) -> None:
    scene = make(Shape(nodes=2, slots=1))
    guarded = _pod(scene, "guarded", "low")
    guarded["metadata"]["labels"] = {"app": "guarded"}
    budget = f"/apis/policy/v1/namespaces/{scene.name}/poddisruptionbudgets"
    scene.create(
        budget,
        [
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": "guard", "namespace": scene.name},
                "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "guarded"}}},
            }
        ],
    )
    # The other one is dearer in every other way.
    _create(scene, guarded, _pod(scene, "other", "mid"))
    _until_bound(scene, "guarded")
    _until_bound(scene, "other")
    _create(scene, _pod(scene, "high", "high"))
    _until_bound(scene, "high")
    assert _gone(scene, "other")
    assert _node(scene, "guarded") is not None


def test_equal_priority_displaces_nobody(make: Callable[..., Scene]) -> None:
    scene = make()
    _create(scene, _pod(scene, "first", "mid"))
    _until_bound(scene, "first")
    _create(scene, _pod(scene, "second", "mid"))
    settled(scene)
    (told,) = scene.events(reason="FailedScheduling", pod="second")
    assert told["note"].endswith("1 No preemption victims found for incoming pod.")
    assert _node(scene, "first") is not None
