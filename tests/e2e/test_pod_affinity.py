"""Pod affinity and anti-affinity: required, preferred, and what running pods ask of those that come after them.

Kubernetes' own tests of them pass without the plugin; these do not, which each play shows. Wherever a preference
decides, the resources of the nodes speak for the other side.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hydatis.sandbox.faults.scene import Manifest, Scene, Shape
from hydatis.sandbox.faults.verdict import settled
from hydatis.sandbox.operator_process import OperatorProcess

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
WITHOUT = "without-inter-pod-affinity"
PLAY = Callable[[Scene, str], list[str]]


def term(app: str, topology: str) -> Manifest:
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": topology}


def required(kind: str, app: str, topology: str) -> Manifest:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term(app, topology)]}}


def preferred(kind: str, app: str, topology: str) -> Manifest:
    weighted = {"weight": 100, "podAffinityTerm": term(app, topology)}
    return {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [weighted]}}


class Cast:
    """Puts pods on the stage of one scene, one after the other."""

    def __init__(self, scene: Scene, scheduler: str) -> None:
        self.scene = scene
        self.scheduler = scheduler

    def pods(self, app: str, count: int, affinity: Mapping[str, Any] | None = None) -> None:
        """`count` pods with the label app, wherever they may go."""
        self._place(app, count, affinity, {})

    def pod_on(self, node: int, app: str, affinity: Mapping[str, Any] | None = None) -> None:
        """A pod on that node."""
        self._place(f"{app}", 1, affinity, {"nodeSelector": {HOST: self.scene.node_name(node)}})

    def load(self, *nodes: int) -> None:
        """Half of what these nodes hold."""
        for node in nodes:
            for number in range(self.scene.shape.slots // 2):
                where = {HOST: self.scene.node_name(node)}
                pod = self.scene.pod(f"load-{node}-{number}", scheduler=self.scheduler, nodeSelector=where)
                self.scene.burst([pod]).join()
        settled(self.scene)

    def _place(self, app: str, count: int, affinity: Mapping[str, Any] | None, spec: Mapping[str, Any]) -> None:
        for number in range(count):
            asked = {"affinity": affinity} if affinity else {}
            pod = self.scene.pod(f"{app}-{number}", scheduler=self.scheduler, **spec, **asked)
            pod["metadata"]["labels"] = {"app": app}
            self.scene.burst([pod]).join()
            settled(self.scene)

    def numbers(self, app: str) -> list[int]:
        """The nodes of the app's pods that have one, by number."""
        names = {self.scene.node_name(number): number for number in range(self.scene.shape.nodes)}
        pods = (pod for pod in self.scene.pods() if pod["metadata"].get("labels", {}).get("app") == app)
        return sorted(names[pod["spec"]["nodeName"]] for pod in pods if pod["spec"].get("nodeName"))

    def notes(self, pod: str) -> str:
        """What its FailedScheduling Events say."""
        return " ".join(event["note"] for event in self.scene.events(reason="FailedScheduling", pod=pod))


def expect(found: object, wanted: object, what: str) -> list[str]:
    return [] if found == wanted else [f"{what}: {found}, not {wanted}"]


def one_on_each_node(scene: Scene, scheduler: str) -> list[str]:
    """Six replicas that keep apart from each other on four nodes: two wait, and say why."""
    cast = Cast(scene, scheduler)
    cast.pods("db", 6, required("podAntiAffinity", "db", HOST))
    why = "4 node(s) didn't match pod anti-affinity rules"
    return [
        *expect(cast.numbers("db"), [0, 1, 2, 3], "nodes of the replicas"),
        *expect(why in cast.notes("db-4") and why in cast.notes("db-5"), True, "the Events say why two wait"),
    ]


def kept_away_by_a_running_pod(scene: Scene, scheduler: str) -> list[str]:
    """A running pod that wants no web pod beside it keeps away web pods that ask for nothing themselves."""
    cast = Cast(scene, scheduler)
    cast.pod_on(0, "guard", required("podAntiAffinity", "web", HOST))
    cast.load(1, 2, 3)
    cast.pods("web", 3)
    return expect(0 in cast.numbers("web"), False, "a web pod is beside the guard")


def told_when_running_pods_leave_no_node(scene: Scene, scheduler: str) -> list[str]:
    """When every node has such a guard, a web pod waits and is told; it is placed as soon as one guard leaves."""
    cast = Cast(scene, scheduler)
    for node in range(scene.shape.nodes):
        cast.pod_on(node, f"guard{node}", required("podAntiAffinity", "web", HOST))
    cast.pods("web", 1)
    wrong = expect(cast.numbers("web"), [], "nodes of the web pod")
    why = "4 node(s) didn't satisfy existing pods anti-affinity rules"
    wrong += expect(why in cast.notes("web-0"), True, "the Event says why it waits")
    if not wrong:
        scene.delete_pod("guard2-0")
        scene.wait_for_bound(4)
        wrong += expect(cast.numbers("web"), [2], "node of the web pod after a guard has left")
    return wrong


def beside_the_cache(scene: Scene, scheduler: str) -> list[str]:
    """Web pods that have to be in the zone of the cache are, although its nodes are the fuller ones."""
    cast = Cast(scene, scheduler)
    cast.pod_on(0, "cache")
    cast.load(0, 1)
    cast.pods("web", 4, required("podAffinity", "cache", ZONE))
    cast.pods("lost", 1, required("podAffinity", "nobody", ZONE))
    return [
        *expect(set(cast.numbers("web")) | {0, 1}, {0, 1}, "nodes of the web pods"),
        *expect(len(cast.numbers("web")), 4, "web pods placed"),
        *expect(cast.numbers("lost"), [], "nodes of a pod that wants to be beside nobody"),
    ]


def a_group_stays_together(scene: Scene, scheduler: str) -> list[str]:
    """Pods that want to be with each other: the first may go anywhere, the others follow it into its zone."""
    cast = Cast(scene, scheduler)
    cast.pods("group", 4, required("podAffinity", "group", ZONE))
    zones = Counter(scene.shape.zones[number] for number in cast.numbers("group"))
    return expect(list(zones.values()), [4], "pods of the group by zone")


def rather_beside_the_cache(scene: Scene, scheduler: str) -> list[str]:
    """A preference for the cache's zone outweighs that its nodes are half full."""
    cast = Cast(scene, scheduler)
    cast.pod_on(0, "cache")
    cast.load(0, 1)
    cast.pods("web", 2, preferred("podAffinity", "cache", ZONE))
    return expect(set(cast.numbers("web")) <= {0, 1}, True, f"zone a has the web pods, on {cast.numbers('web')}")


def rather_not_beside_the_noise(scene: Scene, scheduler: str) -> list[str]:
    """A preference against a zone outweighs that the other zone's nodes are half full."""
    cast = Cast(scene, scheduler)
    cast.pod_on(0, "noise")
    cast.load(2, 3)
    cast.pods("web", 2, preferred("podAntiAffinity", "noise", ZONE))
    return expect(set(cast.numbers("web")) <= {2, 3}, True, f"zone b has the web pods, on {cast.numbers('web')}")


def drawn_by_a_running_pod(scene: Scene, scheduler: str) -> list[str]:
    """A running pod's preference for web pods draws them into its zone, though they ask for nothing themselves."""
    cast = Cast(scene, scheduler)
    cast.pod_on(0, "cache", preferred("podAffinity", "web", ZONE))
    cast.load(0, 1)
    cast.pods("web", 2)
    return expect(set(cast.numbers("web")) <= {0, 1}, True, f"zone a has the web pods, on {cast.numbers('web')}")


PLAYS: list[PLAY] = [
    one_on_each_node,
    kept_away_by_a_running_pod,
    told_when_running_pods_leave_no_node,
    beside_the_cache,
    a_group_stays_together,
    rather_beside_the_cache,
    rather_not_beside_the_noise,
    drawn_by_a_running_pod,
]


@pytest.fixture(scope="module", autouse=True)
def _schedulers(
    start_module_operator: Callable[..., OperatorProcess],
    start_without: Callable[[str, str], OperatorProcess],
    kube_scheduler: str,
) -> None:
    start_module_operator()
    start_without("InterPodAffinity", WITHOUT)


@pytest.fixture
def zones(make_scene: Callable[[Shape], Scene]) -> Scene:
    """Two zones of two nodes each, which hold six pods."""
    return make_scene(Shape(nodes=4, zones=("a", "a", "b", "b")))


@pytest.mark.parametrize("scheduler", ["hydatis", "default-scheduler"])
@pytest.mark.parametrize("play", PLAYS)
def test_pods_go_where_affinity_sends_them(play: PLAY, scheduler: str, zones: Scene) -> None:
    assert play(zones, scheduler) == []


@pytest.mark.parametrize("play", PLAYS)
def test_without_the_plugin_that_is_seen(play: PLAY, zones: Scene) -> None:
    assert play(zones, WITHOUT) != []
