"""Spreading over zones: by constraints, hard and soft, and by default for the pods of a service.

The zones have unequal numbers of nodes, so that spreading evenly over nodes is not spreading evenly over zones.
Kubernetes' own tests of spreading over zones pass without scoring; these do not, which each play shows.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hydatis.sandbox.faults.scene import Manifest, Scene, Shape
from hydatis.sandbox.faults.verdict import settled
from hydatis.sandbox.operator_process import OperatorProcess

ZONE = "topology.kubernetes.io/zone"
WITHOUT = "without-pod-topology-spread"
PLAY = Callable[[Scene, str], list[str]]


def constraint(when: str) -> Manifest:
    selector = {"matchLabels": {"app": "web"}}
    return {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": when, "labelSelector": selector}


def place(scene: Scene, scheduler: str, count: int, **spec: Any) -> None:
    """Pods of the app, one after the other."""
    for number in range(count):
        pod = scene.pod(f"web-{number}", scheduler=scheduler, **spec)
        pod["metadata"]["labels"] = {"app": "web"}
        scene.burst([pod]).join()
        settled(scene)


def by_zone(scene: Scene) -> Mapping[str, int]:
    """How many of the scene's pods each zone has."""
    zones = {scene.node_name(number): zone for number, zone in enumerate(scene.shape.zones)}
    nodes = (pod["spec"].get("nodeName") for pod in scene.pods())
    counts = Counter(zones[node] for node in nodes if node)
    return {zone: counts[zone] for zone in sorted(set(scene.shape.zones))}


def skew(counts: Mapping[str, int]) -> int:
    return max(counts.values()) - min(counts.values())


def a_hard_constraint(scene: Scene, scheduler: str) -> list[str]:
    """Nine pods over zones of three, two and one nodes: three in each."""
    place(scene, scheduler, 9, topologySpreadConstraints=[constraint("DoNotSchedule")])
    counts = by_zone(scene)
    return [] if counts == {"a": 3, "b": 3, "c": 3} else [f"pods by zone: {counts}"]


def a_zone_that_takes_none(scene: Scene, scheduler: str) -> list[str]:
    """While the only node of a zone is cordoned its zone stays empty, so no other may have more than one pod."""
    kubectl, node = scene.control_plane.kubectl, scene.node_name(5)
    kubectl("cordon", node)
    place(scene, scheduler, 5, topologySpreadConstraints=[constraint("DoNotSchedule")])
    counts = by_zone(scene)
    if counts != {"a": 1, "b": 1, "c": 0}:
        return [f"pods by zone while c is cordoned: {counts}"]
    notes = [event["note"] for event in scene.events(reason="FailedScheduling", pod="web-4")]
    wrong = [] if any("didn't match pod topology spread constraints" in note for note in notes) else [f"told: {notes}"]
    kubectl("uncordon", node)
    scene.wait_for_bound(5)
    counts = by_zone(scene)
    return wrong if skew(counts) == 1 else [*wrong, f"pods by zone afterwards: {counts}"]


def a_soft_constraint(scene: Scene, scheduler: str) -> list[str]:
    """Twelve pods that would rather be spread are, to one pod."""
    place(scene, scheduler, 12, topologySpreadConstraints=[constraint("ScheduleAnyway")])
    counts = by_zone(scene)
    return [] if skew(counts) <= 1 else [f"pods by zone: {counts}"]


def pods_of_a_service(scene: Scene, scheduler: str) -> list[str]:
    """Pods of a service state no constraint and are spread all the same."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    scene.control_plane.api.call("POST", f"/api/v1/namespaces/{scene.name}/services", service)
    place(scene, scheduler, 12)
    counts = by_zone(scene)
    return [] if skew(counts) <= 2 else [f"pods by zone: {counts}"]


PLAYS: list[PLAY] = [a_hard_constraint, a_zone_that_takes_none, a_soft_constraint, pods_of_a_service]


@pytest.fixture(scope="module", autouse=True)
def _schedulers(
    start_module_operator: Callable[..., OperatorProcess],
    start_without: Callable[[str, str], OperatorProcess],
    kube_scheduler: str,
) -> None:
    start_module_operator()
    start_without("PodTopologySpread", WITHOUT)


@pytest.fixture
def zones(make_scene: Callable[[Shape], Scene]) -> Scene:
    """Zones of three, two and one nodes, which hold six pods each."""
    return make_scene(Shape(nodes=6, zones=("a", "a", "a", "b", "b", "c")))


@pytest.mark.parametrize("scheduler", ["hydatis", "default-scheduler"])
@pytest.mark.parametrize("play", PLAYS)
def test_pods_are_spread_over_zones(play: PLAY, scheduler: str, zones: Scene) -> None:
    assert play(zones, scheduler) == []


@pytest.mark.parametrize("play", PLAYS)
def test_without_the_plugin_that_is_seen(play: PLAY, zones: Scene) -> None:
    assert play(zones, WITHOUT) != []
