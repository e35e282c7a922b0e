"""Parked pods come back one after the other, each as long as there is still something for it: none that could be placed
stays behind, hardly any is tried in vain, and the order is the queue's.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from hydatis.scheduler import events
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.instructions import Instruction, ReportUnschedulable
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.queueing import QueueEvent
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, node, pod
from hydatis.scheduler.testing_driver import DrivenScheduler

_LONG = 60.0
"""Every backoff has ended by then."""


def _names(instructions: list[Instruction]) -> list[tuple[str, str]]:
    return [(type(instruction).__name__, instruction.pod.name) for instruction in instructions]


def _full(*pods: PodBuilder, profile: Profile | None = None, cpu: str = "2") -> tuple[DrivenScheduler, PodBuilder]:
    """Return a scheduler of one full node, where these pods wait, and the pod that fills the node."""
    occupant = pod("occupant").requests(cpu=cpu).priority(1000).on("n")
    driven = DrivenScheduler(node("n").allocatable(cpu=cpu), occupant, profile=profile)
    for number, builder in enumerate(pods):
        driven.now = number / 100.0
        driven.see(builder)
        driven.run()
    assert driven.scheduler.pending()["unschedulable"] == len(pods)
    return driven, occupant


def test_one_place_that_becomes_free_brings_back_one_pod_of_all_classes_that_fit_it() -> None:
    classes = [pod(f"p{number}").requests(cpu="2").labels(app=str(number)) for number in range(50)]
    driven, occupant = _full(*classes)
    driven.now = _LONG
    driven.tell(events.PodGone(occupant.uid))
    assert _names(driven.run()) == [("Bind", "p0")]
    driven.tell(events.PodGone(classes[0].uid))
    assert _names(driven.run()) == [("Bind", "p1")]


def test_as_many_come_back_as_there_is_room_for_whatever_their_classes() -> None:
    pods = [pod(f"p{number}").requests(cpu=f"{1 + number % 3}") for number in range(30)]
    driven, occupant = _full(*pods, cpu="20")
    driven.now = _LONG
    driven.tell(events.PodGone(occupant.uid))
    placed = (*range(10), 12)
    assert _names(driven.run()) == [("Bind", f"p{number}") for number in placed], "20 cores, none left"


@pytest.mark.parametrize("leaves", ["is deleted", "is gated", "is bound by another"])
def test_a_pod_that_leaves_when_it_is_its_turn_passes_it_on(leaves: str) -> None:
    first, second = (pod(name).requests(cpu="2") for name in ("first", "second"))
    driven, occupant = _full(first, second)
    driven.tell(events.PodGone(occupant.uid))
    # Its backoff has not ended, so the newcomer, which finds no node, goes first: the turn is still to come.
    driven.see(pod("newcomer").requests(cpu="100"))
    assert _names([_next(driven)]) == [("ReportUnschedulable", "newcomer")]
    if leaves == "is deleted":
        driven.tell(events.PodGone(first.uid))
    elif leaves == "is gated":
        driven.see(first.gated("quota"))
    else:
        driven.see(first.on("elsewhere"))
    assert _names(driven.run()) == [("Bind", "second")]


def test_a_pod_that_is_deleted_after_it_was_brought_back_passes_the_turn_on() -> None:
    first, second = (pod(name).requests(cpu="2") for name in ("first", "second"))
    driven, occupant = _full(first, second)
    driven.tell(events.PodGone(occupant.uid))
    scheduler = driven.scheduler
    scheduler._waking.look(driven.now)
    assert scheduler.pending()["backoff"] == 1
    driven.tell(events.PodGone(first.uid))
    assert _names(driven.run()) == [("Bind", "second")]


class _Unloved:
    name: ClassVar[str] = "Unloved"
    helped_by: ClassVar[ClusterEvent] = ClusterEvent.NONE

    def permit(self, pod: PodReference, node: str, cluster: Cluster) -> str | None:
        return "nobody loves it" if pod.name.startswith("unloved") else None


def test_a_pod_that_fails_for_a_reason_of_its_own_passes_the_turn_on_and_has_none_before_something_happens() -> None:
    pods = [pod(name).requests(cpu="2") for name in ("unloved-1", "unloved-2", "third", "fourth")]
    driven, occupant = _full(*pods, profile=Profile(permits=(_Unloved(),)))
    driven.now = _LONG
    driven.tell(events.PodGone(occupant.uid))
    assert _names(driven.run()) == [
        ("ReportUnschedulable", "unloved-1"),
        ("ReportUnschedulable", "unloved-2"),
        ("Bind", "third"),
    ]
    assert driven.run() == []


def test_a_suspected_class_goes_by_priority_and_time_among_pods_that_are_ready() -> None:
    driven, occupant = _full(
        pod("low").requests(cpu="1").priority(1),
        pod("high").requests(cpu="1").priority(3),
        pod("middle").requests(cpu="1").priority(2).labels(app="middle"),
    )
    driven.now = _LONG
    driven.see(pod("urgent").requests(cpu="1").priority(4).set_spec(preemptionPolicy="Never"))
    driven.see(pod("between").requests(cpu="1").priority(2).set_spec(preemptionPolicy="Never"))
    driven.tell(events.PodGone(occupant.uid))
    assert _names(driven.run()) == [("Bind", "urgent"), ("Bind", "high"), ("ReportUnschedulable", "between")]
    assert driven.scheduler.pending()["unschedulable"] == len({"middle", "low", "between"})


def test_a_class_whose_backoff_ends_while_others_are_tried_is_ready_from_then_on() -> None:
    waits = pod("waits").requests(cpu="1").priority(5).set_spec(preemptionPolicy="Never")
    driven, occupant = _full(waits)
    driven.tell(events.PodGone(occupant.uid))
    driven.see(*(pod(f"p{number}").requests(cpu="100m") for number in range(3)))
    assert _next(driven).pod.name == "p0", "its backoff leaves the turn to others"
    driven.now = 2.0
    assert [instruction.pod.name for instruction in driven.run()] == ["waits", "p1", "p2"]


def test_a_class_whose_backoff_ends_goes_ahead_of_others_that_wait_for_their_turn() -> None:
    driven, occupant = _full(pod("long parked").requests(cpu="2"))
    driven.now = _LONG
    driven.see(pod("urgent").requests(cpu="2").priority(5).set_spec(preemptionPolicy="Never"))
    driven.run()
    driven.tell(events.PodGone(occupant.uid))
    driven.see(pod("newcomer").requests(cpu="100").priority(9).set_spec(preemptionPolicy="Never"))
    assert _next(driven).pod.name == "newcomer"
    driven.now = _LONG + 3.0
    assert _names(driven.run()) == [("Bind", "urgent")]


def test_a_class_that_waits_for_its_turn_heeds_what_happens_meanwhile() -> None:
    driven, occupant = _full(pod("waits").requests(cpu="2"))
    elsewhere = pod("elsewhere").requests(cpu="2").priority(1000).on("m")
    driven.see(elsewhere, node("m").allocatable(cpu="2"))
    assert driven.run() == []
    driven.tell(events.PodGone(occupant.uid))
    driven.see(pod("newcomer").requests(cpu="2"))
    assert _names([_next(driven)]) == [("Bind", "newcomer")]
    driven.tell(events.PodGone(elsewhere.uid))
    assert _names([_next(driven)]) == [("Bind", "waits")]


def test_a_parked_pod_that_is_changed_takes_what_happened_with_it() -> None:
    first, second = (pod(name).requests(cpu="2") for name in ("first", "second"))
    driven, occupant = _full(first, second)
    driven.tell(events.PodGone(occupant.uid))
    driven.see(pod("newcomer").requests(cpu="100"))
    _next(driven)
    driven.see(first.labels(app="other"))
    driven.tell(events.PodGone(second.uid))
    assert _names(driven.run()) == [("Bind", "first")]


def _next(driven: DrivenScheduler) -> Instruction:
    instruction = driven.scheduler.schedule_next(driven.now)
    assert instruction is not None
    return instruction


# The flush


def test_the_flush_tries_one_pod_for_its_whole_class() -> None:
    driven, _ = _full(*(pod(f"p{number}").requests(cpu="2") for number in range(20)), pod("other").requests(cpu="1"))
    for round_number in range(1, 4):
        driven.now = 302.0 * round_number
        tried = [instruction.pod.name for instruction in driven.run()]
        driven.now += 1.5
        tried += [instruction.pod.name for instruction in driven.run()]
        assert len(tried) == 2
        assert "other" in tried


def test_a_flushed_pod_that_fails_for_a_reason_of_its_own_or_is_deleted_passes_the_flush_on() -> None:
    pods = [pod(name).requests(cpu="2") for name in ("unloved-1", "second", "third")]
    driven, occupant = _full(*pods, profile=Profile(permits=(_Unloved(),)))
    scheduler = driven.scheduler
    scheduler._waking.look = lambda now: None  # type: ignore[method-assign]  # All wake-ups are lost.
    driven.tell(events.PodGone(occupant.uid))
    driven.now = 310.0
    assert _names(driven.run()) == [("ReportUnschedulable", "unloved-1")]
    driven.see(pod("busy").requests(cpu="100").priority(1))
    driven.now = 312.0
    assert _next(driven).pod.name == "busy"
    assert scheduler.pending()["active"] == 1
    driven.tell(events.PodGone(pods[1].uid))
    driven.now = 314.0
    assert _names(driven.run()) == [("Bind", "third")]
    assert scheduler.statistics.scheduled_after_flush == 1


# Compared with bringing back everybody


class _World:
    """A cluster of pools with one node each, whose events are told to one scheduler."""

    def __init__(self, *, everybody: bool) -> None:
        """`everybody`: after every step all pods that are parked come back, whatever happened."""
        self.scheduler = Scheduler(random=np.random.default_rng(0))
        self.everybody = everybody
        self.pods: dict[str, dict[str, Any]] = {}
        self.placed: dict[str, str] = {}
        self._failing: list[str] = []
        self.failed = 0
        self.now = 0.0

    def tell(self, event: events.Event) -> None:
        """Tell the scheduler of an event."""
        self.scheduler.handle(event, self.now)

    def show(self, manifest: dict[str, Any]) -> None:
        """Show a pod."""
        self.pods[manifest["metadata"]["uid"]] = manifest
        self.tell(events.PodSeen(manifest))

    def lose(self, uid: str) -> None:
        """Delete a pod."""
        self.placed.pop(uid, None)
        if self.pods.pop(uid, None) is not None:
            self.tell(events.PodGone(uid))

    def run(self, binding_fails: Callable[[int], bool]) -> None:
        """Run cycles until no pod is ready. `binding_fails` tells by a pod's priority whether its binding is going to
        fail, which shows when this is called the next time: the room that it gives back is then there for pods whose
        backoff has ended, so that attempts in vain, which lengthen it, make no difference.
        """
        failed, self._failing = self._failing, []
        for uid in failed:
            self.tell(events.BindFailed(uid, "conflict"))
        if self.everybody:
            queue = self.scheduler._queue
            for parked in list(queue.unschedulable.pods()):
                queue.back_off(parked, self.now, QueueEvent.POD_UPDATE)
        while (instruction := self.scheduler.schedule_next(self.now)) is not None:
            uid = instruction.pod.uid
            if isinstance(instruction, ReportUnschedulable):
                self.failed += 1
                if instruction.preemption is not None:
                    for victim in instruction.preemption.victims:
                        self.lose(victim.uid)
            elif binding_fails(self.pods[uid]["spec"]["priority"]):
                self._failing.append(uid)
            else:
                manifest = self.pods[uid]
                self.placed[uid] = instruction.node
                self.tell(events.BindSucceeded(uid))
                self.show({**manifest, "spec": {**manifest["spec"], "nodeName": instruction.node}})


class _Story:
    """The same random events for two worlds."""

    def __init__(self, seed: int, preemption: str) -> None:
        self.random = np.random.default_rng(seed)
        self.worlds = (_World(everybody=False), _World(everybody=True))
        self._preemption = preemption
        self._priorities = iter(self.random.permutation(10_000).tolist())
        self.gated: dict[str, PodBuilder] = {}
        self.waiting: dict[str, PodBuilder] = {}
        for pool in range(3):
            self._node_has(pool, 6)

    def _node_has(self, pool: int, cpu: int) -> None:
        for world in self.worlds:
            world.tell(events.NodeSeen(_pool(pool).allocatable(cpu=str(cpu)).manifest()))

    def step(self) -> None:
        """Let some things happen."""
        for _ in range(int(self.random.integers(1, 6))):
            what = self.random.choice(("comes", "comes", "goes", "goes", "resizes", "gate", "label"))
            getattr(self, f"_{what}")()
        unlucky = int(self.random.integers(8))
        for world in self.worlds:
            world.now += 15.0
            world.run(lambda priority: priority % 8 == unlucky)
            for _ in range(2):
                # Bindings fail now, and then their pods are tried again.
                world.now += 15.0
                world.run(lambda priority: False)

    def _comes(self) -> None:
        builder = pod(f"p{self.random.integers(4)}").priority(next(self._priorities))
        builder.requests(cpu=str(self.random.integers(1, 4))).node_selector(pool=str(self.random.integers(3)))
        builder.set_spec(preemptionPolicy=self._preemption)
        if self.random.random() < 0.2:
            self.gated[builder.uid] = builder
            builder.gated("quota")
        self.waiting[builder.uid] = builder
        for world in self.worlds:
            world.show(builder.manifest())

    def _goes(self) -> None:
        if self.waiting:
            uid = list(self.waiting)[self.random.integers(len(self.waiting))]
            self.waiting.pop(uid)
            self.gated.pop(uid, None)
            for world in self.worlds:
                world.lose(uid)

    def _resizes(self) -> None:
        self._node_has(int(self.random.integers(3)), int(self.random.integers(2, 10)))

    def _gate(self) -> None:
        if self.gated:
            uid = next(iter(self.gated))
            builder = self.gated.pop(uid)
            for world in self.worlds:
                world.show(builder.gated().manifest())

    def _label(self) -> None:
        uid = next((uid for uid in self.waiting if uid not in self.gated), None)
        if uid is not None and all(uid in world.pods and uid not in world.placed for world in self.worlds):
            self.waiting[uid].labels(app=str(self.random.integers(3)))
            for world in self.worlds:
                world.show(self.waiting[uid].manifest())


def _pool(number: int) -> NodeBuilder:
    return node(f"node-{number}").label("pool", str(number))


@pytest.mark.parametrize("preemption", ["Never", "PreemptLowerPriority"])
@pytest.mark.parametrize("seed", range(10))
def test_the_same_pods_are_placed_as_if_everybody_came_back_after_everything_that_happens(
    seed: int, preemption: str
) -> None:
    story = _Story(seed, preemption)
    in_turn, everybody = story.worlds
    for number in range(60):
        story.step()
        assert in_turn.placed == everybody.placed, f"after {number} steps"
        assert in_turn.scheduler.pending() == everybody.scheduler.pending(), f"after {number} steps"
    assert in_turn.failed < everybody.failed
    assert in_turn.scheduler.statistics.scheduled_after_flush == 0
