"""Volumes that were decided on count as taken until the watch shows whose they are, or the pod is not bound."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydatis.scheduler import events
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.instructions import Bind, ReportUnschedulable, VolumeForClaim
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import PodBuilder, node, pod
from hydatis.scheduler.testing_storage import Manifest, claim, seen, storage_class, using, volume

_WAITING = storage_class("waiting")
_MADE = storage_class("made", "csi.example.com")


class World:
    """A scheduler with two nodes, told of objects and pods."""

    def __init__(self, *objects: Manifest, profile: Profile | None = None) -> None:
        self.scheduler = Scheduler(random=np.random.default_rng(0), profile=profile)
        self.now = 0.0
        for name in ("a", "b"):
            self.tell(events.NodeSeen(node(name).manifest()))
        self.see(*objects)

    def tell(self, event: events.Event) -> None:
        self.scheduler.handle(event, self.now)

    def see(self, *objects: Manifest) -> None:
        for manifest in objects:
            self.tell(seen(manifest))

    def decide(self, builder: PodBuilder | None = None) -> Bind | ReportUnschedulable:
        """Show a pod, if there is a new one, and decide about the next."""
        if builder is not None:
            self.tell(events.PodSeen(builder.manifest()))
        self.now += 20
        instruction = self.scheduler.schedule_next(self.now)
        assert instruction is not None
        return instruction

    def bind(self, builder: PodBuilder | None = None) -> Bind:
        instruction = self.decide(builder)
        assert isinstance(instruction, Bind)
        return instruction

    def is_parked(self, builder: PodBuilder) -> bool:
        return isinstance(self.decide(builder), ReportUnschedulable)


def _chosen(instruction: Bind) -> list[str]:
    return [binding.volume for binding in instruction.volumes.bind]


_FIRST, _SECOND = claim("first"), claim("second")


def _two_claims_one_volume() -> tuple[World, PodBuilder, PodBuilder]:
    """A pod on its way to a node, with the only volume there is, and one that is parked for want of it."""
    world = World(_WAITING, _FIRST, _SECOND, volume("only"))
    world.tell(events.NodeGone("b"))
    first, second = using(pod("first"), "first"), using(pod("second"), "second")
    assert _chosen(world.bind(first)) == ["only"]
    assert world.is_parked(second)
    return world, first, second


def test_a_volume_that_was_chosen_for_one_claim_is_not_chosen_for_another() -> None:
    _two_claims_one_volume()


def test_a_bind_that_failed_gives_the_volume_to_whoever_waits_for_it() -> None:
    world, first, second = _two_claims_one_volume()
    world.tell(events.BindFailed(first.uid, "conflict"))
    instructions = [world.bind()]
    assert instructions[0].pod.uid in {first.uid, second.uid}
    assert _chosen(instructions[0]) == ["only"]


def test_a_pod_that_is_deleted_on_its_way_gives_the_volume_back() -> None:
    world, first, second = _two_claims_one_volume()
    world.tell(events.PodGone(first.uid))
    instruction = world.bind()
    assert instruction.pod.uid == second.uid
    assert _chosen(instruction) == ["only"]


class _Never:
    name: ClassVar[str] = "Never"
    helped_by: ClassVar[ClusterEvent] = ClusterEvent.NONE

    def permit(self, pod: PodReference, node: str, cluster: Cluster) -> str | None:
        return "no" if pod.name == "first" else None


def test_a_pod_that_is_refused_in_permit_gives_the_volume_back() -> None:
    profile = replace(Profile(), permits=(_Never(),))
    world = World(_WAITING, _FIRST, _SECOND, volume("only"), profile=profile)
    assert world.is_parked(using(pod("first"), "first"))
    assert _chosen(world.bind(using(pod("second"), "second"))) == ["only"]


@pytest.mark.parametrize("shown_on_its_node", [False, True])
def test_a_volume_of_a_bound_pod_stays_taken_when_the_pod_goes_before_the_watch_shows_the_volume(
    shown_on_its_node: bool,
) -> None:
    world, first, _ = _two_claims_one_volume()
    if shown_on_its_node:
        world.tell(events.PodSeen(first.on("a").manifest()))
    else:
        world.tell(events.BindSucceeded(first.uid))
    world.tell(events.PodGone(first.uid))
    world.see(volume("another", size="500Mi"))
    assert world.is_parked(using(pod("third"), "second"))
    world.see(volume("only", kept_for=_FIRST, phase="Bound"))
    assert world.is_parked(using(pod("fourth"), "second"))
    # Released and made available again.
    world.see(volume("only"))
    assert _chosen(world.bind()) == ["only"]


def test_an_update_of_the_volume_that_does_not_show_its_claim_leaves_it_taken() -> None:
    world, _, _ = _two_claims_one_volume()
    world.see(volume("only", labels={"touched": "yes"}))
    assert world.is_parked(using(pod("third"), "second"))


def test_pods_that_share_a_claim_go_where_its_volume_is_and_get_no_other() -> None:
    world = World(_WAITING, _FIRST, volume("only"), volume("larger", size="5Gi"))
    assert _chosen(world.bind(using(pod("one"), "first"))) == ["only"]
    two = using(pod("two"), "first")
    assert _chosen(world.bind(two)) == ["only"]


def test_what_one_pod_gives_back_stays_taken_while_another_counts_on_it() -> None:
    world = World(_WAITING, _FIRST, _SECOND, volume("only"))
    one, two = using(pod("one"), "first"), using(pod("two"), "first")
    world.bind(one)
    world.bind(two)
    world.tell(events.PodGone(one.uid))
    assert world.is_parked(using(pod("three"), "second"))
    world.tell(events.PodGone(two.uid))
    assert _chosen(world.bind()) == ["only"]


def test_a_claim_that_is_to_be_provisioned_holds_all_its_pods_to_the_node_until_that_failed() -> None:
    world = World(_MADE, claim("data", "made"))
    one = using(pod("one"), "data")
    instruction = world.bind(one)
    assert [entry.name for entry in instruction.volumes.provision] == ["data"]
    others = [using(pod(f"p{number}"), "data") for number in range(8)]
    assert {world.bind(other).node for other in others} == {instruction.node}
    for builder in (one, *others):
        world.tell(events.PodGone(builder.uid))
    elsewhere = "b" if instruction.node == "a" else "a"
    world.tell(events.NodeGone(instruction.node))
    assert world.bind(using(pod("late"), "data")).node == elsewhere


def test_a_claim_of_the_same_name_made_anew_starts_without_a_node() -> None:
    world = World(_MADE, claim("data", "made"))
    instruction = world.bind(using(pod("one"), "data"))
    anew = claim("data", "made")
    anew["metadata"]["uid"] = "anew"
    world.see(anew)
    world.tell(events.NodeGone(instruction.node))
    assert world.bind(using(pod("two"), "data")).node != instruction.node


def test_a_parked_pod_comes_back_when_its_claim_is_made_and_when_a_volume_comes() -> None:
    world = World(_WAITING)
    assert world.is_parked(using(pod("p"), "first"))
    world.see(_FIRST)
    instruction = world.scheduler.schedule_next(world.now + 20)
    assert instruction is None
    world.see(volume("only"))
    assert _chosen(world.bind()) == ["only"]
    assert world.scheduler.statistics.scheduled_after_flush == 0


def test_like_pods_of_two_namespaces_use_the_claims_of_their_own() -> None:
    objects = [claim("data", namespace=namespace) for namespace in ("blue", "green")]
    for manifest in objects:
        manifest["metadata"]["uid"] = manifest["metadata"]["namespace"]
    world = World(_WAITING, *objects, volume("one"), volume("two"))
    taken = {world.bind(using(pod("p", namespace), "data")).volumes.bind[0] for namespace in ("blue", "green")}
    assert {(binding.claim.namespace, binding.claim.uid) for binding in taken} == {("blue", "blue"), ("green", "green")}
    assert {binding.volume for binding in taken} == {"one", "two"}


def test_like_pods_with_ephemeral_volumes_use_a_claim_each() -> None:
    world = World(_WAITING, volume("one"), volume("two", size="2Gi"))
    pods = [
        pod(name).set_spec(volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}]) for name in "pq"
    ]
    world.see(*(claim(f"{name}-scratch", owner=made.uid) for name, made in zip("pq", pods, strict=True)))
    taken = [world.bind(made).volumes.bind[0] for made in pods]
    assert [binding.claim.name for binding in taken] == ["p-scratch", "q-scratch"]
    assert {binding.volume for binding in taken} == {"one", "two"}


_Step = tuple[str, int]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["pod", "fail", "succeed", "delete", "show", "touch"]), st.integers(0, 4)),
        max_size=40,
    )
)
def test_whatever_happens_no_two_claims_hold_the_same_volume(steps: list[_Step]) -> None:
    claims = {f"c{number}": claim(f"c{number}") for number in range(5)}
    world = World(_WAITING, *claims.values(), *(volume(f"v{number}", size=f"{number + 1}Gi") for number in range(3)))
    under_way: dict[str, Bind | None] = {}
    """Pods not bound yet, by uid; None while one is not decided about."""
    settled: dict[str, VolumeForClaim] = {}
    """By volume: what was bound together with a pod."""
    for serial, (kind, number) in enumerate(steps):
        world.now += 20
        uid = sorted(under_way)[number % len(under_way)] if under_way else ""
        decided = under_way.get(uid)
        touched = f"v{number % 3}"
        if kind == "pod":
            builder = using(pod(f"p{serial}"), f"c{number}")
            under_way[builder.uid] = None
            world.tell(events.PodSeen(builder.manifest()))
        elif kind == "delete" and uid:
            del under_way[uid]
            world.tell(events.PodGone(uid))
        elif kind == "fail" and decided:
            under_way[uid] = None
            world.tell(events.BindFailed(uid, "conflict"))
        elif kind == "succeed" and decided:
            del under_way[uid]
            settled |= {binding.volume: binding for binding in decided.volumes.bind}
            world.tell(events.BindSucceeded(uid))
        elif kind == "show" and touched in settled:
            owner = claims[settled[touched].claim.name]
            world.see(volume(touched, kept_for=owner, size=f"{number % 3 + 1}Gi"))
        elif kind == "touch" and touched not in settled:
            world.see(volume(touched, labels={"touched": str(serial)}, size=f"{number % 3 + 1}Gi"))
        while (instruction := world.scheduler.schedule_next(world.now)) is not None:
            if isinstance(instruction, Bind):
                under_way[instruction.pod.uid] = instruction
        bound = [binding for bind in under_way.values() if bind for binding in bind.volumes.bind]
        holders = {(binding.volume, binding.claim.name) for binding in (*bound, *settled.values())}
        assert len(holders) == len({name for name, _ in holders})
