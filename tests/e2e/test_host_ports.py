"""Host ports: two pods share a node only where their ports can.

Kubernetes' own tests of host ports pass without the plugin; these do not, which the last test shows.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import pytest

from hydatis.sandbox.faults.scene import Manifest, Scene, Shape
from hydatis.sandbox.faults.verdict import settled
from hydatis.sandbox.operator_process import OperatorProcess

NO_FREE_PORT = "node(s) didn't have free ports for the requested pod ports"
ALL = "0.0.0.0"  # noqa: S104 - nobody listens there


class HostPort(NamedTuple):
    """A port of the node that a container takes; without an address it takes it on all of them."""

    port: int
    protocol: str = "TCP"
    address: str = ""


class Case(NamedTuple):
    """Two pods that ask for the same node."""

    name: str
    first: Sequence[HostPort]
    second: Sequence[HostPort]
    together: bool
    """Whether the second one fits beside the first."""


CASES = [
    Case("the same port", [HostPort(80)], [HostPort(80)], together=False),
    Case("another port", [HostPort(80)], [HostPort(81)], together=True),
    Case("another protocol", [HostPort(80, "TCP")], [HostPort(80, "UDP")], together=True),
    Case("another address", [HostPort(80, "TCP", "10.0.0.1")], [HostPort(80, "TCP", "10.0.0.2")], together=True),
    Case("the same address", [HostPort(80, "TCP", "10.0.0.1")], [HostPort(80, "TCP", "10.0.0.1")], together=False),
    Case("all addresses after one", [HostPort(80, "TCP", "10.0.0.1")], [HostPort(80)], together=False),
    Case("one address after all", [HostPort(80)], [HostPort(80, "TCP", "10.0.0.1")], together=False),
    Case("0.0.0.0 after one", [HostPort(80, "TCP", "10.0.0.1")], [HostPort(80, "TCP", ALL)], together=False),
    Case("one after 0.0.0.0", [HostPort(80, "TCP", ALL)], [HostPort(80, "TCP", "10.0.0.1")], together=False),
    Case("0.0.0.0 and none stated", [HostPort(80, "TCP", ALL)], [HostPort(80)], together=False),
    Case("0.0.0.0, another protocol", [HostPort(80, "UDP", ALL)], [HostPort(80)], together=True),
    Case("the last of several", [HostPort(80), HostPort(443)], [HostPort(8080), HostPort(443)], together=False),
]


def container(ports: Sequence[HostPort], name: str = "main") -> Manifest:
    listed = [
        {"containerPort": 1000 + number, "hostPort": port.port, "protocol": port.protocol, "hostIP": port.address}
        for number, port in enumerate(ports)
    ]
    return {"name": name, "image": "pause", "ports": listed}


def host_ports(pod: Mapping[str, Any]) -> set[HostPort]:
    """The ports that the API server's pod takes of its node."""
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
    return {
        HostPort(port["hostPort"], port.get("protocol", "TCP"), port.get("hostIP", ""))
        for one in containers
        for port in one.get("ports", ())
        if "hostPort" in port
    }


def collide(one: HostPort, other: HostPort) -> bool:
    """Whether a kernel would refuse the second of two such sockets."""
    same_address = one.address == other.address or bool({one.address, other.address} & {"", ALL})
    return one[:2] == other[:2] and same_address


def conflicts(pods: Sequence[Mapping[str, Any]]) -> list[str]:
    """Pairs of pods on one node that take the same port."""
    bound = [pod for pod in pods if pod["spec"].get("nodeName")]
    return [
        f"{one['metadata']['name']} and {other['metadata']['name']} on {one['spec']['nodeName']}"
        for one, other in combinations(bound, 2)
        if one["spec"]["nodeName"] == other["spec"]["nodeName"]
        and any(collide(a, b) for a in host_ports(one) for b in host_ports(other))
    ]


def pairs(scene: Scene, scheduler: str) -> list[str]:
    """Both pods of every case, each case on a node of its own: what is wrong with where they end."""
    for which in ("first", "second"):
        manifests = []
        for number, case in enumerate(CASES):
            manifests.append(
                scene.pod(
                    f"{which}-{number}",
                    scheduler=scheduler,
                    nodeSelector={"kubernetes.io/hostname": scene.node_name(number)},
                    containers=[container(case.first if which == "first" else case.second)],
                )
            )
        scene.burst(manifests).join()
        settled(scene)
    wrong = conflicts(scene.pods())
    for number, case in enumerate(CASES):
        name = f"second-{number}"
        if case.together != bool(scene.pod_named(name)["spec"].get("nodeName")):
            wrong.append(f"{case.name}: the second pod has {'no' if case.together else 'a'} node")
        if not case.together and not any(f"1 {NO_FREE_PORT}" in note for note in notes(scene, name)):
            wrong.append(f"{case.name}: the Event does not say why")
    return wrong


def crowd(scene: Scene, scheduler: str) -> list[str]:
    """Eight pods with the same port on five nodes; when one leaves, one that waits takes its place."""
    pods = [
        scene.pod(f"p-{number}", scheduler=scheduler, containers=[container([HostPort(80)])]) for number in range(8)
    ]
    scene.burst(pods).join()
    placed = [pod for pod in settled(scene) if pod["spec"].get("nodeName")]
    wrong = conflicts(placed)
    if len(placed) != 5:
        return [*wrong, f"{len(placed)} pods are placed on 5 nodes"]
    leaving = placed[2]
    scene.delete_pod(leaving["metadata"]["name"])
    scene.wait_for_bound(5)
    return [*wrong, *conflicts(scene.pods())]


def notes(scene: Scene, pod: str) -> list[str]:
    return [event["note"] for event in scene.events(reason="FailedScheduling", pod=pod)]


PLAYS = [(pairs, Shape(nodes=len(CASES))), (crowd, Shape(nodes=5))]
WITHOUT = "without-node-ports"


@pytest.fixture(scope="module", autouse=True)
def _schedulers(
    start_module_operator: Callable[..., OperatorProcess],
    start_without: Callable[[str, str], OperatorProcess],
    kube_scheduler: str,
) -> None:
    start_module_operator()
    start_without("NodePorts", WITHOUT)


@pytest.mark.parametrize("scheduler", ["hydatis", "default-scheduler"])
@pytest.mark.parametrize(("play", "shape"), PLAYS)
def test_pods_share_a_node_only_where_their_ports_can(
    play: Callable[[Scene, str], list[str]], shape: Shape, scheduler: str, make_scene: Callable[[Shape], Scene]
) -> None:
    assert play(make_scene(shape), scheduler) == []


@pytest.mark.parametrize(("play", "shape"), PLAYS)
def test_without_the_plugin_that_is_seen(
    play: Callable[[Scene, str], list[str]], shape: Shape, make_scene: Callable[[Shape], Scene]
) -> None:
    scene = make_scene(shape)
    assert play(scene, WITHOUT) != []
    assert conflicts(scene.pods()) != []
