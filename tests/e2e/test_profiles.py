"""Several scheduler names in one operator, each with a policy of its own, as kube-scheduler has profiles."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.faults.verdict import settled
from hydatis.sandbox.operator_process import OperatorProcess

NAMES = ("hydatis", "packer", "fenced")
POLICIES = "/apis/hydatis.io/v1alpha1/mlschedulerpolicies"


@pytest.fixture
def scene(make_scene: Callable[[Shape], Scene]) -> Scene:
    """Four equal nodes, each with room for all."""
    return make_scene(Shape(nodes=4, slots=12))


@pytest.fixture
def policies(scene: Scene) -> Iterator[None]:
    """One name packs, another keeps to one node."""
    only = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [scene.node_name(3)]}]}
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [only]}}
    specs: dict[str, dict[str, Any]] = {
        "packer": {"fallback": {"heuristic": "MostAllocated"}},
        "fenced": {"pluginArgs": {"NodeAffinity": {"addedAffinity": affinity}}},
    }
    for name, spec in specs.items():
        policy = {
            "apiVersion": "hydatis.io/v1alpha1",
            "kind": "MLSchedulerPolicy",
            "metadata": {"name": name},
            "spec": {"selector": {"schedulerNames": [name]}, **spec},
        }
        scene.control_plane.api.call("POST", POLICIES, policy)
    yield
    for name in specs:
        scene.control_plane.api.call("DELETE", f"{POLICIES}/{name}")


@pytest.mark.usefixtures("policies")
def test_each_scheduler_name_has_its_own_policy_and_is_named_in_events_and_metrics(
    scene: Scene, start_operator: Callable[..., OperatorProcess]
) -> None:
    operator = start_operator(*(argument for name in NAMES for argument in ("--scheduler-name", name)))
    for name in NAMES:
        for number in range(4):
            scene.burst([scene.pod(f"{name}-{number}", scheduler=name)]).join()
            settled(scene)
    large = scene.pod("packer-large", scheduler="packer")
    large["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1000"}}
    scene.burst([large]).join()
    pods = settled(scene)

    nodes = {
        name: Counter(pod["spec"]["nodeName"] for pod in pods if pod["metadata"]["name"][:-2] == name) for name in NAMES
    }
    assert set(nodes["hydatis"].values()) == {1}, "spread"
    assert list(nodes["packer"].values()) == [4], "packed"
    assert nodes["fenced"] == {scene.node_name(3): 4}, "where its policy says"

    controllers = {event["regarding"]["name"]: event["reportingController"] for event in scene.events()}
    assert controllers == {pod["metadata"]["name"]: pod["spec"]["schedulerName"] for pod in pods}
    metrics = operator.metrics()
    attempts = {
        (name, result): metrics[f'scheduler_schedule_attempts_total{{profile="{name}",result="{result}"}}']
        for name in NAMES
        for result in ("scheduled", "unschedulable")
    }
    assert attempts == {(name, "scheduled"): 4 for name in NAMES} | {
        ("hydatis", "unschedulable"): 0,
        ("packer", "unschedulable"): 1,
        ("fenced", "unschedulable"): 0,
    }
