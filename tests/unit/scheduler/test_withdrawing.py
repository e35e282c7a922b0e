"""A binding that has not left yet is withdrawn when others are seen to have taken its place."""

import numpy as np
import pytest

from hydatis.scheduler import events
from hydatis.scheduler.instructions import Bind
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, node, pod

FILLED = "the node has been filled by others meanwhile"


class Cluster:
    """A scheduler that has decided about one pod on one node."""

    def __init__(self, ours: PodBuilder, only: NodeBuilder) -> None:
        self.scheduler = Scheduler(random=np.random.default_rng(1))
        self.scheduler.handle(events.NodeSeen(only.manifest()), 0.0)
        self.uid = self.assume(ours)

    def assume(self, ours: PodBuilder) -> str:
        self.see(ours)
        assert isinstance(self.scheduler.schedule_next(0.0), Bind)
        return ours.uid

    def see(self, *pods: PodBuilder) -> None:
        for builder in pods:
            self.scheduler.handle(events.PodSeen(builder.manifest()), 0.0)

    def why(self) -> str | None:
        return self.scheduler.why_withdraw(self.uid)


def small_node() -> NodeBuilder:
    return node("n").allocatable(cpu="2", memory="4Gi", pods=3)


def rival(name: str = "rival") -> PodBuilder:
    return pod(name).set_spec(schedulerName="other").on("n")


def test_a_pod_that_just_fills_its_node_is_bound() -> None:
    assert Cluster(pod("ours").requests(cpu="2", memory="4Gi"), small_node()).why() is None


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ([rival().requests(cpu="1")], None),
        ([rival().requests(cpu="1100m")], FILLED),
        ([rival().requests(memory="8Gi")], None),
        ([rival().requests(cpu="500m"), rival("second").requests(cpu="501m")], FILLED),
        ([rival(), rival("second")], None),
        ([rival(), rival("second"), rival("third")], FILLED),
    ],
    ids=[
        "another pod leaves room",
        "another pod takes too much CPU",
        "another pod takes too much of what ours does not ask for",
        "two other pods together take too much",
        "other pods leave one place",
        "other pods take every place",
    ],
)
def test_what_others_bind_to_the_node_decides(others: list[PodBuilder], reason: str | None) -> None:
    cluster = Cluster(pod("ours").requests(cpu="1"), small_node())
    cluster.see(*others)
    assert cluster.why() == reason


@pytest.mark.parametrize(
    ("port", "address", "reason"),
    [
        (80, "", "a host port of the node has been taken by others meanwhile"),
        (80, "10.0.0.1", "a host port of the node has been taken by others meanwhile"),
        (80, "10.0.0.2", None),
        (81, "", None),
    ],
    ids=["the same port on all addresses", "the same port and address", "another address", "another port"],
)
def test_a_host_port_that_others_have_taken(port: int, address: str, reason: str | None) -> None:
    cluster = Cluster(pod("ours").host_port(80, address="10.0.0.1"), small_node())
    cluster.see(rival().host_port(port, address=address))
    assert cluster.why() == reason


def test_a_port_on_all_addresses_gives_way_to_any_address() -> None:
    cluster = Cluster(pod("ours").host_port(80), small_node())
    cluster.see(rival().host_port(80, address="10.0.0.1"))
    assert cluster.why() is not None


def test_a_node_that_is_gone() -> None:
    cluster = Cluster(pod("ours"), small_node())
    cluster.scheduler.handle(events.NodeGone("n"), 0.0)
    assert cluster.why() == "the node is gone"


def test_a_node_that_has_become_smaller() -> None:
    cluster = Cluster(pod("ours").requests(cpu="2"), small_node())
    cluster.scheduler.handle(events.NodeSeen(node("n").allocatable(cpu="1").manifest()), 0.0)
    assert cluster.why() == FILLED


def test_only_as_many_are_withdrawn_as_are_too_many() -> None:
    cluster = Cluster(pod("first").requests(cpu="1"), small_node())
    second = cluster.assume(pod("second").requests(cpu="1"))
    cluster.see(rival().requests(cpu="1"))
    assert cluster.why() == FILLED
    cluster.scheduler.handle(events.BindFailed(cluster.uid, FILLED), 0.0)
    assert cluster.scheduler.why_withdraw(second) is None


def test_a_withdrawn_pod_is_tried_again_and_finds_another_node() -> None:
    cluster = Cluster(pod("ours").requests(cpu="2"), small_node())
    cluster.see(rival().requests(cpu="1"))
    cluster.scheduler.handle(events.BindFailed(cluster.uid, FILLED), 0.0)
    cluster.scheduler.handle(events.NodeSeen(node("free").allocatable(cpu="2").manifest()), 0.0)
    again = cluster.scheduler.schedule_next(3.0)
    assert isinstance(again, Bind)
    assert again.node == "free"


@pytest.mark.parametrize("seen", ["bound", "gone"])
def test_a_pod_whose_fate_is_known_is_not_withdrawn(seen: str) -> None:
    ours = pod("ours").requests(cpu="2")
    cluster = Cluster(ours, small_node())
    if seen == "bound":
        cluster.see(ours.on("n"))
    else:
        cluster.scheduler.handle(events.PodGone(cluster.uid), 0.0)
    cluster.see(rival().requests(cpu="1"))
    assert cluster.why() is None
