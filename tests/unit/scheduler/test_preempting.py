"""Preemption as the driver sees it: who makes way, where, and what becomes of the pod they make way for."""

from typing import Any

import pytest

from hydatis.scheduler import events
from hydatis.scheduler.instructions import Bind, Instruction, ReportUnschedulable
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, node, pod
from hydatis.scheduler.testing_driver import DrivenScheduler

_EARLY, _LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


class Cluster(DrivenScheduler):
    """A scheduler that never needs the flush."""

    def run(self) -> list[Instruction]:
        """Run cycles until no pod is ready."""
        instructions = super().run()
        assert self.scheduler.statistics.scheduled_after_flush == 0
        return instructions

    def victims(self) -> set[str]:
        """Run one cycle, expect the pod to be unschedulable, and name who makes way for it."""
        preemption = self.report().preemption
        return set() if preemption is None else {victim.name for victim in preemption.victims}


def _budget(app: str, allowed: int) -> events.DisruptionBudgetSeen:
    manifest: dict[str, Any] = {
        "metadata": {"name": app, "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": app}}},
        "status": {"disruptionsAllowed": allowed},
    }
    return events.DisruptionBudgetSeen(manifest)


def _low(name: str, on: str = "n", cpu: str = "2") -> PodBuilder:
    return pod(name).requests(cpu=cpu).priority(1).started(_EARLY).on(on)


def _high(cpu: str = "4", name: str = "high") -> PodBuilder:
    return pod(name).requests(cpu=cpu).priority(10)


def test_pods_of_lower_priority_make_way_and_the_node_is_kept_for_the_pod() -> None:
    cluster = Cluster(node("n"), _low("a"), _low("b"), _high())
    report = cluster.report()
    assert report.message == (
        "0/1 nodes are available: 1 Insufficient cpu. "
        "preemption: found a potential placement for pod on node n, preempting 2 victims"
    )
    assert report.nominated_node == "n"
    assert report.preemption is not None
    assert {victim.name for victim in report.preemption.victims} == {"a", "b"}
    assert report.preemption.scheduler_name == "hydatis"


def test_only_as_many_make_way_as_have_to_and_the_most_important_stay() -> None:
    young = pod("young").requests(cpu="1").priority(1).started(_LATE).on("n")
    old = pod("old").requests(cpu="1").priority(1).started(_EARLY).on("n")
    higher = pod("higher").requests(cpu="1").priority(2).started(_LATE).on("n")
    equal = pod("equal").requests(cpu="1").priority(10).on("n")
    assert Cluster(node("n"), young, old, higher, equal, _high("1")).victims() == {"young"}
    assert Cluster(node("n"), young, old, higher, equal, _high("2")).victims() == {"young", "old"}
    assert Cluster(node("n"), young, old, higher, equal, _high("4")).victims() == set()


def test_a_budget_spares_its_pods_where_others_can_go() -> None:
    web = _low("web").labels(app="web")
    cluster = Cluster(node("n"), web, _low("batch").started(_EARLY), _high("2"))
    cluster.tell(_budget("web", allowed=0))
    assert cluster.victims() == {"batch"}


def test_of_victims_that_have_not_started_the_one_that_came_to_the_node_first_is_named_first() -> None:
    first, second = (pod(name).requests(cpu="2").priority(1).on("n") for name in ("first", "second"))
    cluster = Cluster(node("n"), first, second.labels(app="web"))
    cluster.tell(_budget("web", allowed=0))
    cluster.see(_high())
    preemption = cluster.report().preemption
    assert preemption is not None
    assert [victim.name for victim in preemption.victims] == ["first", "second"]


def test_a_node_where_no_budget_is_broken_is_preferred_and_one_where_it_must_be_is_better_than_none() -> None:
    objects = (node("a"), node("b"), _low("web", "a", "4").labels(app="web"), _low("batch", "b", "4").priority(2))
    cluster = Cluster(*objects)
    cluster.tell(_budget("web", allowed=0))
    cluster.see(_high())
    assert cluster.victims() == {"batch"}
    relaxed = Cluster(*objects)
    relaxed.tell(_budget("web", allowed=0))
    relaxed.tell(events.DisruptionBudgetGone("default", "web"))
    relaxed.see(_high())
    assert relaxed.victims() == {"web"}
    alone = Cluster(node("a"), _low("web", "a", "4").labels(app="web"))
    alone.tell(_budget("web", allowed=0))
    alone.see(_high())
    assert alone.victims() == {"web"}


def test_a_pod_that_never_preempts_waits() -> None:
    cluster = Cluster(node("n"), _low("a"), _low("b"), _high().set_spec(preemptionPolicy="Never"))
    report = cluster.report()
    assert report.preemption is None
    assert report.message.endswith("preemption: not eligible due to preemptionPolicy=Never.")


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ((node("n"), _low("a")), "1 Preemption is not helpful for scheduling."),
        ((node("n").taint("t"), _low("a")), "1 Preemption is not helpful for scheduling."),
        (
            (node("n"), pod("a").requests(cpu="4").priority(10).on("n")),
            "1 No preemption victims found for incoming pod.",
        ),
        (
            (node("n"), pod("a").requests(cpu="3").priority(10).on("n"), _low("b", cpu="1")),
            "1 Insufficient cpu.",
        ),
    ],
)
def test_where_nobody_makes_way_the_message_says_why(objects: tuple[NodeBuilder | PodBuilder, ...], said: str) -> None:
    wanted = "5" if said.startswith("1 Preemption") else "4"
    report = Cluster(*objects, _high(wanted)).report()
    assert report.message.endswith(f"preemption: 0/1 nodes are available: {said}")
    assert report.nominated_node == ""


def test_the_pod_goes_to_its_node_when_its_victims_are_gone_and_not_before() -> None:
    victim = _low("a", cpu="4")
    cluster = Cluster(node("n"), victim, _high())
    assert cluster.victims() == {"a"}
    cluster.now = 30.0
    cluster.see(victim.deleted(displaced=True))
    assert cluster.run() == []
    cluster.tell(events.PodGone(victim.uid))
    (bind,) = cluster.run()
    assert isinstance(bind, Bind)
    assert (bind.pod.name, bind.node) == ("high", "n")
    assert bind.decision.summary() == "the node it was nominated to; policy built-in, mode Fallback"


def test_no_second_victim_is_taken_while_the_first_is_on_its_way_out() -> None:
    victim = _low("a", cpu="4")
    cluster = Cluster(node("n"), victim, _high())
    assert cluster.victims() == {"a"}
    # Something wakes it: another node, which does not help.
    cluster.now = 30.0
    cluster.see(node("n").label("some", "label"))
    for _ in range(2):
        cluster.now += 30.0
        cluster.see(_high(name="high").set_status(phase="Pending"))
        assert all(getattr(i, "preemption", None) is None for i in cluster.run() if i.pod.name == "high")
        cluster.see(victim.deleted(displaced=True))


def test_a_pod_of_lower_priority_does_not_take_the_room_meanwhile() -> None:
    victim = _low("a", cpu="4")
    cluster = Cluster(node("n"), victim, _high())
    assert cluster.victims() == {"a"}
    thief = pod("thief").requests(cpu="1").priority(5)
    cluster.tell(events.PodGone(victim.uid))
    cluster.see(thief)
    assert cluster.placements() == {"high": "n"}


def test_a_gated_pods_nomination_keeps_others_of_lower_priority_away_and_lets_higher_ones_pass() -> None:
    kept = pod("kept").requests(cpu="3").priority(5).nominated("n").gated("wait")
    cluster = Cluster(node("n"), kept, pod("lower").requests(cpu="2").priority(4))
    assert cluster.report().message.startswith("0/1 nodes are available: 1 Insufficient cpu. ")
    cluster.see(pod("equal").requests(cpu="2").priority(5))
    assert cluster.placements() == {}
    cluster.see(pod("higher").requests(cpu="2").priority(6))
    assert cluster.placements() == {"higher": "n"}


def test_who_was_kept_out_by_a_nomination_is_tried_again_when_it_is_withdrawn() -> None:
    kept = pod("kept").requests(cpu="3").priority(5).nominated("n").gated("wait")
    cluster = Cluster(node("n"), kept, pod("lower").requests(cpu="2").priority(4))
    assert cluster.placements() == {}
    cluster.now = 60.0
    cluster.see(kept.nominated(""))
    assert cluster.placements() == {"lower": "n"}


def test_who_was_kept_out_by_a_nomination_is_tried_again_when_the_pod_is_deleted() -> None:
    kept = pod("kept").requests(cpu="3").priority(5).nominated("n").gated("wait")
    cluster = Cluster(node("n"), kept, pod("lower").requests(cpu="2").priority(4))
    assert cluster.placements() == {}
    cluster.now = 60.0
    cluster.tell(events.PodGone(kept.uid))
    assert cluster.placements() == {"lower": "n"}


def test_a_pod_on_its_way_to_the_node_it_names_counts_there_once() -> None:
    waiting = pod("waiting").requests(cpu="3").priority(5)
    cluster = Cluster(node("n"), waiting)
    assert cluster.placements() == {"waiting": "n"}
    cluster.see(waiting.nominated("n"), pod("other").requests(cpu="1").priority(5))
    assert cluster.placements() == {"other": "n"}


def test_a_pod_that_could_not_be_bound_keeps_no_room_on_the_node_it_still_names() -> None:
    waiting = pod("waiting").requests(cpu="3").priority(5)
    cluster = Cluster(node("n"), waiting)
    assert cluster.placements() == {"waiting": "n"}
    cluster.see(waiting.nominated("n"))
    cluster.tell(events.BindFailed(waiting.uid, "volumes_not_bound"))
    cluster.see(waiting.set_status(phase="Pending"), pod("other").requests(cpu="4").priority(5))
    assert cluster.placements() == {"other": "n"}


def test_the_nominated_node_is_taken_though_another_scores_higher() -> None:
    cluster = Cluster(node("small").allocatable(cpu="1"), node("big").allocatable(cpu="64"))
    cluster.see(pod("p").requests(cpu="1").nominated("small"))
    assert cluster.placements() == {"p": "small"}


@pytest.mark.parametrize("nominated", ["full", "gone"])
def test_another_node_is_taken_when_the_nominated_one_does_not_do(nominated: str) -> None:
    cluster = Cluster(node("full").allocatable(cpu="1"), node("free"))
    cluster.see(pod("p").requests(cpu="2").nominated(nominated))
    assert cluster.placements() == {"p": "free"}


def test_those_it_outranks_lose_their_nomination_to_the_node_and_look_elsewhere() -> None:
    cluster = Cluster(node("n"), _low("a", cpu="4"), pod("mid").requests(cpu="4").priority(5))
    assert cluster.victims() == {"a"}
    cluster.see(_high())
    report, retried = cluster.run()
    assert isinstance(report, ReportUnschedulable)
    assert isinstance(retried, ReportUnschedulable)
    assert (retried.pod.name, retried.preemption) == ("mid", None)
    assert report.preemption is not None
    # The victim is on its way out already: nobody is deleted twice.
    assert report.preemption.victims == ()
    assert report.preemption.victim_count == 1
    assert [outranked.name for outranked in report.preemption.outranked] == ["mid"]
    assert report.nominated_node == "n"


def test_a_pod_is_tried_again_when_a_node_opens_on_which_others_can_make_way() -> None:
    machine = node("n").unschedulable()
    cluster = Cluster(machine, _low("a", cpu="4"), _high())
    assert cluster.victims() == set()
    cluster.now = 60.0
    cluster.see(machine.unschedulable(False))
    assert cluster.victims() == {"a"}


def test_a_pod_is_tried_again_when_pods_it_can_displace_took_the_room_of_one_it_could_not() -> None:
    top = pod("top").requests(cpu="4").priority(100).on("n")
    cluster = Cluster(node("n"), top, _high())
    assert cluster.victims() == set()
    cluster.now = 60.0
    cluster.tell(events.PodGone(top.uid))
    cluster.see(_low("a", cpu="4"))
    assert cluster.victims() == {"a"}


def test_a_pod_is_tried_again_when_it_tolerates_a_node_on_which_others_can_make_way() -> None:
    high = _high()
    cluster = Cluster(node("n").taint("t"), _low("a", cpu="4"), high)
    assert cluster.victims() == set()
    cluster.now = 60.0
    cluster.see(high.toleration("t"))
    assert cluster.victims() == {"a"}


@pytest.mark.parametrize("lost", ["taken by others", "closed", "gone"])
def test_a_pod_is_tried_again_when_its_victims_are_gone_and_so_is_its_node(lost: str) -> None:
    victim, machine = _low("a", cpu="4"), node("n")
    cluster = Cluster(machine, node("m"), victim, _low("b", "m", "4").priority(2), _high())
    assert cluster.victims() == {"a"}
    cluster.now = 60.0
    if lost == "taken by others":
        cluster.see(pod("top").requests(cpu="1").priority(100).on("n"))
    elif lost == "closed":
        cluster.see(machine.unschedulable())
    else:
        cluster.tell(events.NodeGone("n"))
    assert cluster.run() == []
    cluster.tell(events.PodGone(victim.uid))
    assert cluster.victims() == {"b"}


def test_only_as_many_pods_are_tried_again_as_find_others_to_displace() -> None:
    machines = [node(f"n{number}").unschedulable() for number in range(3)]
    cluster = Cluster(*machines, *(_low(f"low-{number}", f"n{number}", "4") for number in range(3)))
    cluster.see(*(_high(name=f"high-{number}") for number in range(20)))
    assert len(cluster.run()) == 20
    cluster.now = 60.0
    cluster.see(*(machine.unschedulable(False) for machine in machines))
    displacing = [getattr(instruction, "preemption", None) is not None for instruction in cluster.run()]
    assert displacing == [True, True, True]


def test_a_node_that_is_kept_for_one_pod_brings_back_no_other_one_of_its_class() -> None:
    names = [f"n-{number}" for number in range(8)]
    victims = {name: _low(f"low-{name}", on=name, cpu="4") for name in names}
    cluster = Cluster(*map(node, names), *victims.values(), *(_high(name=f"high-{name}") for name in names))
    kept = {
        report.nominated_node: report.pod.name for report in cluster.run() if isinstance(report, ReportUnschedulable)
    }
    assert set(kept) == set(names)
    cluster.now = 20.0
    cluster.tell(events.PodGone(victims["n-3"].uid))
    (bind,) = cluster.run()
    assert isinstance(bind, Bind)
    assert (bind.pod.name, bind.node) == (kept["n-3"], "n-3")


def test_a_node_with_room_beyond_what_is_kept_brings_back_others_of_the_class() -> None:
    cluster = Cluster(node("n"), _low("low", cpu="4"), _high(name="first"))
    assert cluster.victims() == {"low"}
    cluster.see(_high(name="second"))
    assert [instruction.pod.name for instruction in cluster.run()] == ["second"]
    cluster.now = 20.0
    cluster.see(node("n").allocatable(cpu="12"))
    assert cluster.placements() == {"first": "n", "second": "n"}


def test_a_pod_waits_for_victims_that_were_on_their_way_out_already() -> None:
    leaving = [_low("a", "m", "4").deleted(), _low("b", "n", "4").deleted()]
    machine = node("m")
    cluster = Cluster(machine, node("n"), *leaving, _high())
    assert cluster.report().preemption is not None
    cluster.now = 60.0
    cluster.see(machine.allocatable(cpu="4", memory="1Gi"))
    assert cluster.run() == []


def test_a_pod_that_counted_on_anothers_victims_is_tried_again_when_they_stay() -> None:
    victim, first, second = _low("a", cpu="4"), _high("2", "first"), _high("2", "second")
    cluster = Cluster(node("n"), victim, first)
    assert cluster.victims() == {"a"}
    cluster.see(second)
    preemption = cluster.report().preemption
    assert preemption is not None
    assert preemption.victims == (), "the victim is on its way out already"
    cluster.now = 60.0
    cluster.tell(events.PodGone(first.uid))
    assert cluster.run() == []
    cluster.tell(events.PreemptionFailed(first.uid, frozenset({victim.uid})))
    assert cluster.victims() == {"a"}


def test_victims_that_could_not_be_deleted_are_counted_on_no_longer() -> None:
    victim = _low("a", cpu="4")
    high = _high()
    cluster = Cluster(node("n"), victim, high)
    assert cluster.victims() == {"a"}
    cluster.now = 60.0
    cluster.tell(events.PreemptionFailed(high.uid, frozenset({victim.uid})))
    assert cluster.victims() == {"a"}


def test_a_placement_that_is_not_confirmed_yet_can_make_way() -> None:
    cluster = Cluster(node("n"), pod("low").requests(cpu="4").priority(1))
    assert cluster.placements() == {"low": "n"}
    cluster.see(_high())
    assert cluster.victims() == {"low"}


def test_pods_that_differ_in_priority_alone_are_classes_of_their_own_and_share_their_evaluation() -> None:
    cluster = Cluster(node("n"))
    cluster.see(*(pod(f"p{number}").priority(number) for number in range(5)))
    assert cluster.placements() == {f"p{number}": "n" for number in range(5)}
