"""Which parked pods a change makes the scheduler look at again, plugin by plugin, and that none is ever forgotten."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from hydatis.scheduler import events
from hydatis.scheduler.instructions import Bind, ReportUnschedulable
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, expression, node, pod
from hydatis.scheduler.testing_storage import (
    attachment,
    capacity,
    claim,
    csi_driver,
    csi_node,
    reached_from,
    seen,
    storage_class,
    using,
    volume,
)
from hydatis.scheduler.workloads import Workload

_HOST = "kubernetes.io/hostname"


class World:
    """A scheduler and what it saw; every pod that it places is confirmed at once."""

    def __init__(self, *nodes: NodeBuilder) -> None:
        self.scheduler = Scheduler(random=np.random.default_rng(0))
        self.now = 0.0
        self.waiting: dict[str, dict[str, Any]] = {}
        """Pods that the scheduler last reported as unschedulable."""
        self.seen: dict[str, dict[str, Any]] = {}
        for machine in nodes:
            self.tell(events.NodeSeen(machine.manifest()))

    def tell(self, event: events.Event) -> None:
        """Tell the scheduler of an event."""
        self.scheduler.handle(event, self.now)

    def see_pod(self, manifest: dict[str, Any]) -> None:
        """Show a pod."""
        uid = manifest["metadata"]["uid"]
        self.seen[uid] = manifest
        if uid in self.waiting:
            self.waiting[uid] = manifest
        self.tell(events.PodSeen(manifest))

    def lose_pod(self, uid: str) -> None:
        """Delete a pod."""
        self.seen.pop(uid)
        self.waiting.pop(uid, None)
        self.tell(events.PodGone(uid))

    def run(self, fail: bool = False) -> None:
        """Run cycles until no pod is ready, a bounded number of times; the bindings succeed, or all fail."""
        for _ in range(200):
            instruction = self.scheduler.schedule_next(self.now)
            if instruction is None:
                return
            uid = instruction.pod.uid
            manifest = self.seen[uid]
            if isinstance(instruction, ReportUnschedulable):
                self.waiting[uid] = manifest
                continue
            assert isinstance(instruction, Bind)
            self.waiting.pop(uid, None)
            if fail:
                self.tell(events.BindFailed(uid, "conflict"))
            else:
                self.tell(events.BindSucceeded(uid))
                self.see_pod({**manifest, "spec": {**manifest["spec"], "nodeName": instruction.node}})
        pytest.fail("the scheduler never comes to rest")

    def feasible_but_parked(self) -> list[str]:
        """Name the pods that were reported unschedulable and could be placed now, by filtering all nodes."""
        return [
            manifest["metadata"]["name"]
            for manifest in self.waiting.values()
            if self.scheduler.inspect(manifest).feasible
        ]


def _rule(app: str, kind: str, key: str = _HOST, **fields: Any) -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key, **fields}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _spread(key: str = "zone", **fields: Any) -> list[dict[str, Any]]:
    selector = {"matchLabels": {"app": "web"}}
    constraint = {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}
    return [{**constraint, **fields}]


def _machine(name: str) -> NodeBuilder:
    return node(name).label("place", name)


_DISK = [{"name": "disk", "gcePersistentDisk": {"pdName": "x"}}]
_RUNNING = pod("running").labels(app="web").requests(cpu="500m").host_port(80).set_spec(volumes=_DISK).on("n")
_ELSEWHERE = pod("elsewhere").host_port(80).set_spec(volumes=_DISK).on("other")
_KUBELETS_FEATURE = "UserNamespacesHostNetworkSupport"

_PARKED: Mapping[str, tuple[PodBuilder, Callable[[NodeBuilder], NodeBuilder]]] = {
    "NodeUnschedulable": (pod("p"), lambda machine: machine.unschedulable()),
    "TaintToleration": (pod("p"), lambda machine: machine.taint("gpu")),
    "NodeAffinity": (pod("p").node_selector(disk="ssd"), lambda machine: machine),
    "NodePorts": (pod("p").host_port(80), lambda machine: machine),
    "NodeResourcesFit": (pod("p").requests(cpu="100"), lambda machine: machine),
    "VolumeRestrictions": (pod("p").set_spec(volumes=_DISK), lambda machine: machine),
    "NodeVolumeLimits": (using(pod("p"), "of-a-driver"), lambda machine: machine),
    "VolumeBinding": (using(pod("p"), "out-of-reach"), lambda machine: machine),
    "VolumeZone": (using(pod("p"), "in-a-zone"), lambda machine: machine.label("topology.kubernetes.io/zone", "b")),
    "NodeDeclaredFeatures": (pod("p").set_spec(hostNetwork=True, hostUsers=False), lambda machine: machine),
    "PodTopologySpread": (pod("p").set_spec(topologySpreadConstraints=_spread()), lambda machine: machine),
    "InterPodAffinity": (pod("p").set_spec(affinity=_rule("db", "podAffinity")), lambda machine: machine),
}
"""For each filter plugin, a pod that no other plugin keeps from the nodes that are made like this."""
_STORAGE = (
    claim("of-a-driver", bound_to="of-a-driver"),
    volume("of-a-driver", csi={"driver": "absent", "volumeHandle": "1"}),
    csi_driver("absent", must_be_on_node=True),
    claim("out-of-reach", bound_to="out-of-reach"),
    volume("out-of-reach", terms=reached_from("place", "nowhere")),
    claim("in-a-zone", bound_to="in-a-zone"),
    volume("in-a-zone", labels={"topology.kubernetes.io/zone": "a"}),
)


def _heartbeat(world: World, machine: NodeBuilder) -> None:
    manifest = machine.manifest()
    manifest["metadata"]["annotations"] = {"seen": "again"}
    manifest["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastHeartbeatTime": "now"}]
    world.tell(events.NodeSeen(manifest))


def _node_is(change: Callable[[NodeBuilder], NodeBuilder]) -> Callable[[World, NodeBuilder], None]:
    return lambda world, machine: world.tell(events.NodeSeen(change(machine).manifest()))


def _cordon_changes(world: World, machine: NodeBuilder) -> None:
    manifest = machine.manifest()
    manifest["spec"]["unschedulable"] = not manifest["spec"].get("unschedulable", False)
    world.tell(events.NodeSeen(manifest))


_HAPPENINGS: Mapping[str, Callable[[World, NodeBuilder], None]] = {
    "a heartbeat": _heartbeat,
    "an image comes": _node_is(lambda machine: machine.image("web:1", 10)),
    "a label comes": _node_is(lambda machine: machine.label("colour", "blue")),
    "a taint comes": _node_is(lambda machine: machine.taint("old", effect="PreferNoSchedule")),
    "the cordon changes": _cordon_changes,
    "allocatable changes": _node_is(lambda machine: machine.allocatable(cpu="5")),
    "a feature is declared": _node_is(lambda machine: machine.declared_features("VolumeBindMountOptions")),
    "a node comes": lambda world, _: world.tell(events.NodeSeen(_machine("new").manifest())),
    "a node goes": lambda world, _: world.tell(events.NodeGone("other")),
    "a pod is placed": lambda world, _: world.see_pod(pod("new").on("n").manifest()),
    "a pod leaves": lambda world, _: world.lose_pod(_RUNNING.uid),
    "a namespace is labelled": lambda world, _: world.tell(
        events.NamespaceSeen({"metadata": {"name": "default", "labels": {"team": "a"}}})
    ),
    "a service comes": lambda world, _: world.tell(
        events.WorkloadSeen(Workload("Service", "default", "s"), {"spec": {"selector": {"app": "web"}}})
    ),
    "a claim comes": lambda world, _: world.tell(seen(claim("new"))),
    "a volume comes": lambda world, _: world.tell(seen(volume("new"))),
    "a volume is seen again": lambda world, _: world.tell(seen(_STORAGE[1])),
    "a storage class comes": lambda world, _: world.tell(seen(storage_class("new"))),
    "a node tells of its drivers": lambda world, _: world.tell(seen(csi_node("n"))),
    "a driver comes": lambda world, _: world.tell(seen(csi_driver("new"))),
    "storage capacity is told of": lambda world, _: world.tell(seen(capacity("new", "1Gi", {}))),
    "a volume is attached": lambda world, _: world.tell(seen(attachment("new", "n", "new", "absent"))),
    "another pod is parked": lambda world, _: world.see_pod(pod("hopeless").requests(cpu="1000").manifest()),
}
_LOOKED_AT_AFTER: Mapping[str, set[str]] = {
    "NodeUnschedulable": {"the cordon changes", "a taint comes", "a node comes"},
    "TaintToleration": {"the cordon changes", "a taint comes", "a node comes"},
    "NodeAffinity": {"a label comes", "a node comes"},
    "NodePorts": {"a pod leaves", "a node comes"},
    "NodeResourcesFit": {"a pod leaves", "allocatable changes", "a node comes"},
    "VolumeRestrictions": {"a pod leaves", "a node comes", "a claim comes"},
    "NodeVolumeLimits": {
        "a node comes",
        "a pod is placed",
        "a pod leaves",
        "a claim comes",
        "a volume comes",
        "a storage class comes",
        "a node tells of its drivers",
        "a driver comes",
        "a volume is attached",
    },
    "VolumeBinding": {
        "a label comes",
        "a node comes",
        "a claim comes",
        "a volume comes",
        "a storage class comes",
        "a node tells of its drivers",
        "a driver comes",
        "storage capacity is told of",
    },
    "VolumeZone": {"a label comes", "a node comes", "a claim comes", "a volume comes", "a storage class comes"},
    "NodeDeclaredFeatures": {"a feature is declared", "a node comes"},
    "PodTopologySpread": {
        "a label comes",
        "a taint comes",
        "the cordon changes",
        "a node comes",
        "a node goes",
        "a pod is placed",
        "a pod leaves",
        "a service comes",
    },
    "InterPodAffinity": {
        "a label comes",
        "a node comes",
        "a node goes",
        "a pod is placed",
        "a pod leaves",
        "a namespace is labelled",
    },
}


def test_the_tables_here_name_every_filter_plugin() -> None:
    profile = Profile()
    names = {p.name for p in profile.row_filters} | {p.name for p in profile.neighbour_filters}
    assert names - {"NodeName"} == _PARKED.keys() == _LOOKED_AT_AFTER.keys()


@pytest.mark.parametrize("plugin", _PARKED)
@pytest.mark.parametrize("happening", _HAPPENINGS)
def test_a_pod_parked_by_one_plugin_is_looked_at_only_after_what_can_help_against_it(
    plugin: str, happening: str
) -> None:
    waiting, shaped = _PARKED[plugin]
    world = World(shaped(_machine("n")), shaped(_machine("other")))
    for manifest in _STORAGE:
        world.tell(seen(manifest))
    world.see_pod(_RUNNING.manifest())
    world.see_pod(_ELSEWHERE.manifest())
    world.see_pod(waiting.manifest())
    instruction = world.scheduler.schedule_next(world.now)
    assert isinstance(instruction, ReportUnschedulable)
    assert instruction.decision.rejected_by == {plugin}
    world.run()
    before = world.scheduler.classes_looked_at
    _HAPPENINGS[happening](world, shaped(_machine("n")))
    world.run()
    looked_at = world.scheduler.classes_looked_at > before
    assert looked_at == (happening in _LOOKED_AT_AFTER[plugin])


def test_a_pod_that_names_nodes_which_are_not_there_is_looked_at_when_a_node_comes() -> None:
    absent = {"matchFields": [expression("metadata.name", "In", "absent")]}
    world = World(node("n"))
    world.see_pod(pod("p").required_node_affinity(absent).manifest())
    world.run()
    world.see_pod(pod("new").on("n").manifest())
    world.run()
    assert world.scheduler.classes_looked_at == 0
    world.tell(events.NodeSeen(node("absent").manifest()))
    world.run()
    assert world.waiting == {}


def test_a_pod_that_has_no_node_at_all_is_looked_at_whatever_happens() -> None:
    world = World()
    world.see_pod(pod("p").node_selector(disk="ssd").manifest())
    world.run()
    world.see_pod(pod("new").on("unknown").manifest())
    world.run()
    assert world.scheduler.classes_looked_at == 1
    world.tell(events.NodeSeen(node("n").manifest()))
    world.run()
    world.tell(events.NodeSeen(node("n").label("disk", "ssd").manifest()))
    world.run()
    assert world.waiting == {}


def test_thousands_of_pods_that_no_node_suits_cost_nothing_while_others_come_and_go() -> None:
    world = World(node("n"))
    for number in range(2000):
        world.scheduler.handle(events.PodSeen(pod(f"p{number}").node_selector(n=str(number)).manifest()), 0.0)
    while world.scheduler.schedule_next(0.0) is not None:
        pass
    for number in range(50):
        guest = pod(f"guest{number}").requests(cpu="1")
        world.see_pod(guest.manifest())
        world.run()
        world.lose_pod(guest.uid)
    assert world.scheduler.classes_looked_at == 0
    assert world.scheduler.pending()["unschedulable"] == 2000


def test_a_class_that_now_fails_for_another_reason_waits_for_what_helps_against_that_one() -> None:
    world = World(node("n").allocatable(cpu="1"))
    occupant = pod("occupant").requests(cpu="1").on("n")
    world.see_pod(occupant.manifest())
    world.see_pod(pod("p").requests(cpu="1").node_selector(disk="ssd").manifest())
    world.run()
    world.tell(events.NodeSeen(node("n").allocatable(cpu="1").label("disk", "ssd").manifest()))
    world.run()
    assert [manifest["metadata"]["name"] for manifest in world.waiting.values()] == ["p"]
    world.lose_pod(occupant.uid)
    world.run()
    assert world.waiting == {}


_SPREADS = pod("p").labels(app="web").set_spec(topologySpreadConstraints=_spread())
_SPREADS_OVER_TWO = pod("p").labels(app="web").set_spec(topologySpreadConstraints=_spread(minDomains=2))
_CROWDED = node("a").label("zone", "1")
_CLOSED = node("b").label("zone", "2").taint("gpu")
_WEB = pod("web").labels(app="web")
_SHY = pod("shy").set_spec(affinity=_rule("web", "podAntiAffinity", "zone")).on("b")


def _relabelled(world: World) -> None:
    (manifest,) = world.waiting.values()
    world.see_pod({**manifest, "metadata": {**manifest["metadata"], "labels": {"app": "other"}}})


_ELSEWHERE_HELPS: Mapping[str, tuple[list[NodeBuilder], list[PodBuilder], PodBuilder, Callable[[World], None]]] = {
    "spread: the second domain comes": (
        [_CROWDED],
        [_WEB.on("a")],
        _SPREADS_OVER_TWO,
        lambda world: world.tell(events.NodeSeen(node("c").label("zone", "3").manifest())),
    ),
    "spread: the emptiest domain goes, where the pod could not go either": (
        [_CROWDED, _CLOSED],
        [pod("web").labels(app="web").on("a")],
        _SPREADS,
        lambda world: world.tell(events.NodeGone("b")),
    ),
    "spread: the emptiest domain gets a pod": (
        [_CROWDED, _CLOSED],
        [pod("web").labels(app="web").on("a")],
        _SPREADS,
        lambda world: world.see_pod(pod("web2").labels(app="web").on("b").manifest()),
    ),
    "spread: the pod no longer counts itself": (
        [_CROWDED, _CLOSED],
        [pod("web").labels(app="web").on("a")],
        _SPREADS,
        _relabelled,
    ),
    "affinity: the node of a pod that shuns this one goes": (
        [_CROWDED, node("b").label("zone", "1")],
        [_SHY],
        pod("p").labels(app="web"),
        lambda world: world.tell(events.NodeGone("b")),
    ),
}


@pytest.mark.parametrize(("nodes", "running", "waiting", "change"), _ELSEWHERE_HELPS.values(), ids=_ELSEWHERE_HELPS)
def test_a_pod_that_heeds_others_comes_back_after_a_change_elsewhere(
    nodes: list[NodeBuilder], running: list[PodBuilder], waiting: PodBuilder, change: Callable[[World], None]
) -> None:
    world = World(*nodes)
    for builder in running:
        world.see_pod(builder.manifest())
    world.see_pod(waiting.manifest())
    world.run()
    assert len(world.waiting) == 1
    change(world)
    world.run()
    assert world.waiting == {}


def test_what_happens_while_a_binding_is_on_its_way_counts_when_it_fails() -> None:
    world = World(node("n").allocatable(cpu="2"))
    bound = pod("bound").requests(cpu="2")
    world.see_pod(bound.manifest())
    assert isinstance(world.scheduler.schedule_next(0.0), Bind)
    # While the request is under way another pod is parked for lack of room, the node is tainted and another one comes.
    other = pod("other").requests(cpu="2").toleration("gpu")
    world.see_pod(other.manifest())
    world.run()
    world.tell(events.NodeSeen(node("n").allocatable(cpu="2").taint("gpu").manifest()))
    world.tell(events.BindFailed(bound.uid, "conflict"))
    world.run()
    assert world.waiting == {}, "the room that came back is taken by the pod that tolerates the taint"
    assert world.scheduler.pending()["backoff"] == 1, "after an error the backoff is waited for"
    world.now = 2.0
    world.run()
    assert [manifest["metadata"]["name"] for manifest in world.waiting.values()] == ["bound"]
    world.tell(events.NodeSeen(node("m").allocatable(cpu="2").manifest()))
    world.run()
    assert world.waiting == {}
    assert world.scheduler.statistics.scheduled_after_flush == 0


def test_a_pod_that_is_changed_while_its_binding_is_on_its_way_is_tried_again_as_it_is_now() -> None:
    world = World(node("n"), node("m").label("disk", "ssd").taint("gpu"))
    manifest = pod("p").manifest()
    world.see_pod(manifest)
    instruction = world.scheduler.schedule_next(0.0)
    assert isinstance(instruction, Bind)
    assert instruction.node == "n"
    tolerant = {**manifest, "spec": {**manifest["spec"], "tolerations": [{"operator": "Exists"}]}}
    world.see_pod(tolerant)
    world.tell(events.NodeGone("n"))
    world.tell(events.BindFailed(manifest["metadata"]["uid"], "node is gone"))
    world.now = 2.0
    again = world.scheduler.schedule_next(world.now)
    assert isinstance(again, Bind)
    assert again.node == "m"


_OWN_CHANGES: Mapping[str, tuple[PodBuilder, PodBuilder, bool]] = {
    "a toleration that helps": (pod("p"), pod("p").toleration("gpu"), True),
    "a toleration that does not help": (pod("p"), pod("p").toleration("other"), False),
    "a label": (pod("p"), pod("p").labels(app="web"), False),
    "an annotation": (pod("p"), pod("p").annotation("note", "text"), False),
}


@pytest.mark.parametrize(("before", "after", "placed"), _OWN_CHANGES.values(), ids=_OWN_CHANGES.keys())
def test_a_parked_pod_comes_back_when_it_is_itself_changed_by(
    before: PodBuilder, after: PodBuilder, placed: bool
) -> None:
    world = World(node("n").taint("gpu"))
    manifest = before.manifest()
    world.see_pod(manifest)
    world.run()
    changed = after.manifest()
    changed["metadata"]["uid"] = manifest["metadata"]["uid"]
    world.see_pod(changed)
    world.run()
    assert (not world.waiting) == placed
    assert world.scheduler.pending()["unschedulable"] == int(not placed)


# Whatever happens

_NODES = ("a", "b", "c")
_WANTED: Mapping[str, Callable[[PodBuilder], PodBuilder]] = {
    "plain": lambda p: p,
    "large": lambda p: p.requests(cpu="2"),
    "port": lambda p: p.host_port(80),
    "ssd": lambda p: p.node_selector(disk="ssd"),
    "named": lambda p: p.required_node_affinity({"matchFields": [expression("metadata.name", "In", "c")]}),
    "feature": lambda p: p.set_spec(hostNetwork=True, hostUsers=False),
    "tolerant": lambda p: p.toleration("gpu").requests(cpu="1"),
    "near db": lambda p: p.set_spec(affinity=_rule("db", "podAffinity", "zone")),
    "near team a": lambda p: p.set_spec(
        affinity=_rule("db", "podAffinity", namespaceSelector={"matchLabels": {"team": "a"}})
    ),
    "away from web": lambda p: p.labels(app="db").set_spec(affinity=_rule("web", "podAntiAffinity", "zone")),
    "spread": lambda p: p.labels(app="web").set_spec(topologySpreadConstraints=_spread()),
    "spread where tolerated": lambda p: p.labels(app="web").set_spec(
        topologySpreadConstraints=_spread(_HOST, nodeTaintsPolicy="Honor")
    ),
}
_RUNS: Mapping[str, Callable[[PodBuilder], PodBuilder]] = {
    "web": lambda p: p.labels(app="web").requests(cpu="1"),
    "db": lambda p: p.labels(app="db").host_port(80),
    "shy": lambda p: p.labels(app="db").set_spec(affinity=_rule("web", "podAntiAffinity", "zone")),
    "large": lambda p: p.requests(cpu="2"),
}


class History:
    """Random changes, one at a time, of a small cluster in which little keeps a pod from its nodes."""

    def __init__(self, seed: int) -> None:
        self.world = World()
        self._random = np.random.default_rng(seed)
        self._faults: dict[str, set[str]] = {}
        """What is wrong with each node that exists."""
        self._steps: tuple[tuple[Callable[[], None], int], ...] = (
            (self._node_changes, 8),
            (self._node_comes_or_goes, 3),
            (self._pod_waits, 4),
            (self._pod_runs, 4),
            (self._pod_goes, 5),
            (self._pod_is_labelled, 2),
            (self._pod_tolerates, 1),
            (self._pod_is_resized, 1),
            (self._namespace_is_labelled, 1),
        )
        for name in _NODES[:2]:
            self._faults[name] = set()
            self._show(name)

    def step(self) -> None:
        """Let one thing happen."""
        weights = np.array([weight for _, weight in self._steps], dtype=np.float64)
        self._steps[self._random.choice(len(weights), p=weights / weights.sum())][0]()

    def _show(self, name: str) -> None:
        wrong = self._faults[name]
        machine = node(name).allocatable(cpu="1" if "small" in wrong else "3")
        if "without zone" not in wrong:
            machine.label("zone", "1" if name == "a" else "2")
        if "without disk" not in wrong:
            machine.label("disk", "ssd")
        if "without features" not in wrong:
            machine.declared_features(_KUBELETS_FEATURE)
        if "tainted" in wrong:
            machine.taint("gpu")
        self.world.tell(events.NodeSeen(machine.unschedulable("cordoned" in wrong).manifest()))

    def _one_of(self, choices: Iterable[str]) -> str:
        return str(self._random.choice(sorted(choices)))

    def _node_changes(self) -> None:
        if self._faults:
            name = self._one_of(self._faults)
            faults = ("small", "without zone", "without disk", "without features", "tainted", "cordoned")
            self._faults[name] ^= {self._one_of(faults)}
            self._show(name)

    def _node_comes_or_goes(self) -> None:
        name = self._one_of(_NODES)
        if name in self._faults:
            del self._faults[name]
            self.world.tell(events.NodeGone(name))
        else:
            self._faults[name] = set()
            self._show(name)

    def _pod_waits(self) -> None:
        if len(self.world.waiting) < 4:
            kind = self._one_of(_WANTED)
            self.world.see_pod(_WANTED[kind](pod(kind.replace(" ", "-"))).manifest())

    def _pod_runs(self) -> None:
        kind = self._one_of(_RUNS)
        self.world.see_pod(_RUNS[kind](pod(kind)).on(self._one_of(_NODES)).manifest())

    def _pod_goes(self) -> None:
        if self.world.seen:
            self.world.lose_pod(self._one_of(self.world.seen))

    def _pod_is_labelled(self) -> None:
        if self.world.seen:
            manifest = self.world.seen[self._one_of(self.world.seen)]
            labels = {"app": self._one_of(("web", "db", "other"))}
            self.world.see_pod({**manifest, "metadata": {**manifest["metadata"], "labels": labels}})

    def _pod_tolerates(self) -> None:
        if self.world.waiting:
            manifest = self.world.waiting[self._one_of(self.world.waiting)]
            self.world.see_pod({**manifest, "spec": {**manifest["spec"], "tolerations": [{"operator": "Exists"}]}})

    def _pod_is_resized(self) -> None:
        if self.world.waiting:
            manifest = self.world.waiting[self._one_of(self.world.waiting)]
            (main, *others) = manifest["spec"]["containers"]
            main = {**main, "resources": {"requests": {"cpu": self._one_of(("0", "1", "2"))}}}
            self.world.see_pod({**manifest, "spec": {**manifest["spec"], "containers": [main, *others]}})

    def _namespace_is_labelled(self) -> None:
        labels = {"team": self._one_of(("a", "b"))}
        self.world.tell(events.NamespaceSeen({"metadata": {"name": "default", "labels": labels}}))


@pytest.mark.parametrize("bindings_fail", [False, True], ids=["bindings succeed", "bindings fail at times"])
@pytest.mark.parametrize("seed", range(12))
def test_no_pod_is_left_parked_that_could_be_placed(seed: int, bindings_fail: bool) -> None:
    history = History(seed)
    for number in range(250):
        history.step()
        history.world.now += 0.5
        history.world.run(fail=bindings_fail and number % 3 == 0)
        assert history.world.feasible_but_parked() == [], f"after {number} steps"
    assert history.world.scheduler.statistics.scheduled_after_flush == 0


_ZONES = "topology.kubernetes.io/zone"
_OF_DRIVER = {"driver": "d", "volumeHandle": "h"}
_WANTED_VOLUMES: Mapping[str, Callable[[PodBuilder], PodBuilder]] = {
    "plain": lambda p: p,
    "bound": lambda p: using(p, "bound"),
    "first consumer": lambda p: using(p, "waits"),
    "provisioned": lambda p: using(p, "provisioned"),
    "alone": lambda p: using(p, "alone"),
    "of the driver": lambda p: using(p, "of-driver"),
    "disk": lambda p: p.set_spec(volumes=_DISK),
}
_OBJECTS: Mapping[str, tuple[dict[str, Any] | None, ...]] = {
    "bound": (claim("bound", bound_to="v1"), claim("bound", "immediate"), None),
    "waits": (claim("waits"), claim("waits", size="5Gi"), None),
    "provisioned": (claim("provisioned", "made"), claim("provisioned", "made", size="3Gi"), None),
    "alone": (claim("alone", bound_to="v3", modes=("ReadWriteOncePod",)), None),
    "of-driver": (claim("of-driver", bound_to="v4"), None),
    "v1": (
        volume("v1"),
        volume("v1", labels={_ZONES: "1"}, terms=reached_from("zone", "1")),
        volume("v1", labels={_ZONES: "nowhere"}),
        volume("v1", terms=reached_from("zone", "nowhere")),
        None,
    ),
    "v2": (volume("v2"), volume("v2", terms=reached_from("zone", "nowhere")), None),
    "v3": (volume("v3"), None),
    "v4": (volume("v4", csi=_OF_DRIVER), None),
    "waiting": (storage_class(), storage_class(waits=False), None),
    "made": (
        storage_class("made", "d"),
        storage_class("made", "d", topologies=[{"matchLabelExpressions": [{"key": "zone", "values": ["9"]}]}]),
        None,
    ),
    "d": (csi_driver("d", tracks_capacity=True), csi_driver("d"), csi_driver("d", must_be_on_node=True), None),
    "a": (csi_node("a", {"d": 1}), csi_node("a", {"d": 0}), csi_node("a"), None),
    "b": (csi_node("b", {"d": 1}), csi_node("b", {"d": 0}), csi_node("b"), None),
    "room": (capacity("room", "2Gi", {}, "made"), capacity("room", "1Mi", {}, "made"), None),
    "attached": (None, attachment("attached", "a", "v9", "d"), attachment("attached", "b", "v9", "d")),
}
"""Objects of storage by name: first the form in which they keep no pod away, then others; None: it is not there."""


class StorageHistory(History):
    """The same, with objects of storage that come, change and go, and pods that use them."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._there: dict[str, dict[str, Any]] = {}
        self._steps = (
            (self._object_changes, 14),
            (self._node_changes, 2),
            (self._node_comes_or_goes, 2),
            (self._pod_with_volumes_waits, 6),
            (self._pod_with_volumes_runs, 2),
            (self._pod_goes, 5),
        )
        for name, forms in _OBJECTS.items():
            self._turn_into(name, forms[0])

    def _show(self, name: str) -> None:
        super()._show(name)
        zone = "1" if name == "a" else "2"
        machine = node(name)
        if "without zone" not in self._faults[name]:
            machine.label("zone", zone).label(_ZONES, zone)
        self.world.tell(events.NodeSeen(machine.unschedulable("cordoned" in self._faults[name]).manifest()))

    def _object_changes(self) -> None:
        """Put one right that is wrong, or one wrong if all are right or by chance."""
        wrong = [name for name, forms in _OBJECTS.items() if self._there.get(name) != forms[0]]
        if wrong and self._random.random() < 0.6:
            name = self._one_of(wrong)
            self._turn_into(name, _OBJECTS[name][0])
        else:
            name = self._one_of(_OBJECTS)
            forms = _OBJECTS[name]
            self._turn_into(name, forms[self._random.integers(len(forms))])

    def _turn_into(self, name: str, manifest: dict[str, Any] | None) -> None:
        before = self._there.pop(name, None)
        if manifest is not None:
            self._there[name] = manifest
            self.world.tell(seen(manifest))
        elif before is not None:
            metadata, kind = before["metadata"], events.StorageKind(before["kind"])
            self.world.tell(events.StorageGone(kind, metadata.get("namespace", ""), metadata["name"]))

    def _pod_with_volumes_waits(self) -> None:
        if len(self.world.waiting) < 5:
            kind = self._one_of(_WANTED_VOLUMES)
            self.world.see_pod(_WANTED_VOLUMES[kind](pod(kind.replace(" ", "-"))).manifest())

    def _pod_with_volumes_runs(self) -> None:
        kind = self._one_of(("alone", "of the driver", "disk"))
        builder = _WANTED_VOLUMES[kind](pod(kind.replace(" ", "-"))).on(self._one_of(_NODES))
        self.world.see_pod(builder.manifest())


@pytest.mark.parametrize("seed", range(12))
def test_no_pod_with_volumes_is_left_parked_that_could_be_placed(seed: int) -> None:
    history = StorageHistory(seed)
    for number in range(250):
        history.step()
        history.world.now += 0.5
        history.world.run(fail=number % 5 == 0)
        assert history.world.feasible_but_parked() == [], f"after {number} steps"
    assert history.world.scheduler.statistics.scheduled_after_flush == 0


def test_a_node_that_went_is_no_longer_asked_about() -> None:
    world = World(node("a"), node("b"))
    for manifest in (claim("of-driver", bound_to="v4"), volume("v4", csi=_OF_DRIVER), csi_node("a"), csi_node("b")):
        world.tell(seen(manifest))
    first, second = (using(pod(name), "of-driver") for name in ("first", "second"))
    world.see_pod(first.manifest())
    world.run()
    (other,) = {"a", "b"} - {world.seen[first.uid]["spec"]["nodeName"]}
    world.tell(events.NodeGone(other))
    world.see_pod(second.manifest())
    world.run()
    assert world.waiting == {}
    assert world.seen[second.uid]["spec"]["nodeName"] != other
