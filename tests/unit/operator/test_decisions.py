"""The ring of the last decisions."""

from dataclasses import replace

import pytest

from hydatis.operator.decisions import DecisionLog, State
from hydatis.scheduler.decision import Decision, Mode, NodeScore, PluginRejections, PodReference
from hydatis.scheduler.instructions import Bind, ReportUnschedulable


def decision(name: str, **changes: object) -> Decision:
    plain = Decision(
        pod=PodReference("shop", name, f"uid-{name}"),
        scheduler_name="hydatis",
        policy="gold",
        policy_generation=3,
        mode=Mode.FALLBACK,
        nodes=2,
        feasible=1,
        chosen=NodeScore("a", 5, ()),
        runner_up=None,
        rejections={},
        rejected_by=frozenset(),
        attempts=1,
        first_queued_at=1.0,
        decided_at=2.0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def bind(name: str) -> Bind:
    made = decision(name)
    return Bind(made.pod, "a", made)


def unschedulable(name: str, attempts: int = 1, message: str = "0/2 nodes are available") -> ReportUnschedulable:
    rejected = (PluginRejections("NodeResourcesFit", 2, {"Insufficient cpu": 2}, ("a", "b")),)
    made = decision(name, chosen=None, feasible=0, attempts=attempts, rejected=rejected)
    return ReportUnschedulable(made.pod, message, made)


def names(log: DecisionLog) -> list[str]:
    return [record.decision.pod.name for record in log.latest(100)]


def test_the_newest_come_first_and_the_oldest_make_way() -> None:
    log = DecisionLog(most=3)
    for number in range(5):
        log.note(bind(f"p{number}"), float(number))
    assert names(log) == ["p4", "p3", "p2"]
    assert [record.at for record in log.latest(2)] == [4.0, 3.0]
    assert log.of_pod("shop", "p1") == []
    assert [record.at for record in log.of_pod("shop", "p3")] == [3.0]
    assert log.of_pod("other", "p3") == []


def test_memory_is_bounded_and_counted() -> None:
    log = DecisionLog(most_bytes=20_000)
    for number in range(50):
        log.note(unschedulable(f"p{number}", message="x" * 1000), 0.0)
        assert log.bytes <= 20_000
    assert 2 <= len(log) < 10
    log.note(unschedulable("huge", message="x" * 100_000), 0.0)
    assert names(log) == ["huge"], "the last decision is kept whatever its size"
    log.note(bind("small"), 0.0)
    assert names(log) == ["small"]
    assert 0 < log.bytes < 5_000


def test_a_pod_that_waits_takes_one_place() -> None:
    log = DecisionLog()
    log.note(bind("other"), 0.0)
    for attempt in range(1, 6):
        log.note(unschedulable("waits", attempt), float(attempt))
    (record,) = log.of_pod("shop", "waits")
    assert (record.decision.attempts, record.at, record.state) == (5, 5.0, State.UNSCHEDULABLE)
    assert names(log) == ["waits", "other"]
    log.note(bind("waits"), 6.0)
    assert [one.state for one in log.of_pod("shop", "waits")] == [State.BINDING, State.UNSCHEDULABLE]


@pytest.mark.parametrize("bound", [True, False])
def test_what_became_of_a_binding_is_told(bound: bool) -> None:
    log = DecisionLog()
    log.note(bind("p"), 0.0)
    if bound:
        log.bound("uid-p")
    else:
        log.not_bound("uid-p", "admission said no")
    log.bound("uid-unknown")
    log.not_bound("uid-unknown", "gone")
    (record,) = log.latest(1)
    assert (record.state, record.message) == ((State.BOUND, "") if bound else (State.FAILED, "admission said no"))
