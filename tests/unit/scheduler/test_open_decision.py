"""A decision can be left to the driver; all else is as when the core decides."""

import numpy as np
import pytest

from hydatis.scheduler import events
from hydatis.scheduler.instructions import Bind, ReportUnschedulable
from hydatis.scheduler.open_decision import OpenDecision
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import node, pod


def scheduler_with(*cpu_of_nodes: int) -> Scheduler:
    scheduler = Scheduler(random=np.random.default_rng(1))
    for number, cpu in enumerate(cpu_of_nodes):
        scheduler.handle(events.NodeSeen(node(f"n{number}").allocatable(cpu=str(cpu), memory="8Gi").manifest()), 0.0)
    return scheduler


def come(scheduler: Scheduler, name: str, cpu: str) -> str:
    manifest = pod(name).requests(cpu=cpu).manifest()
    scheduler.handle(events.PodSeen(manifest), 0.0)
    return str(manifest["metadata"]["uid"])


def test_the_caller_chooses_among_the_nodes_that_pass_the_filters() -> None:
    scheduler = scheduler_with(1, 4, 8)
    uid = come(scheduler, "web", "2")
    opened = scheduler.open_decision(0.0)
    assert isinstance(opened, OpenDecision)
    assert opened.pod.uid == uid
    assert opened.nodes == frozenset({"n1", "n2"})
    instruction = scheduler.decide("n1", 0.0)
    assert isinstance(instruction, Bind)
    assert (instruction.node, instruction.decision.feasible) == ("n1", 2)
    assert scheduler.statistics.attempts["scheduled"] == 1
    assert scheduler.open_decision(0.0) is None


def test_what_was_chosen_counts_for_the_next_pod() -> None:
    scheduler = scheduler_with(4, 4)
    for name in ("a", "b"):
        come(scheduler, name, "3")
    assert isinstance(scheduler.open_decision(0.0), OpenDecision)
    scheduler.decide("n0", 0.0)
    second = scheduler.open_decision(0.0)
    assert isinstance(second, OpenDecision)
    assert second.nodes == frozenset({"n1"})


def test_where_no_node_will_do_there_is_nothing_to_choose() -> None:
    scheduler = scheduler_with(1)
    uid = come(scheduler, "web", "2")
    assert isinstance(scheduler.open_decision(0.0), ReportUnschedulable)
    assert scheduler.is_pending(uid)
    assert scheduler.statistics.attempts["unschedulable"] == 1


def test_a_node_that_the_filters_rejected_is_refused_and_the_decision_stays_open() -> None:
    scheduler = scheduler_with(1, 4)
    come(scheduler, "web", "2")
    scheduler.open_decision(0.0)
    with pytest.raises(ValueError, match="n0 is not feasible"):
        scheduler.decide("n0", 0.0)
    assert isinstance(scheduler.decide("n1", 0.0), Bind)


def test_nothing_happens_while_a_decision_is_open() -> None:
    scheduler = scheduler_with(4)
    come(scheduler, "web", "1")
    with pytest.raises(ValueError, match="no decision is open"):
        scheduler.decide("n0", 0.0)
    scheduler.open_decision(0.0)
    with pytest.raises(RuntimeError, match="a decision is open"):
        come(scheduler, "next", "1")
    with pytest.raises(RuntimeError, match="a decision is open"):
        scheduler.schedule_next(0.0)
