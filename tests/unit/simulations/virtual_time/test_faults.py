"""The plan of node changes: complete, in order, one thing at a time, and at the assumed rates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydatis.simulations.virtual_time.faults import NodeChange, PlannedChange, plan_changes
from hydatis.simulations.virtual_time.scenario import Assumptions

_DAY = 86_400.0
_FAILURE = [NodeChange.FAILS, NodeChange.IS_KNOWN_LOST, NodeChange.PODS_ARE_DELETED, NodeChange.JOINS]
_DRAIN = [NodeChange.IS_DRAINED, NodeChange.LEAVES, NodeChange.JOINS]


def plan(
    nodes: int, days: float, assumptions: Assumptions, seed: int = 1
) -> tuple[list[PlannedChange], frozenset[int]]:
    return plan_changes(nodes, days * _DAY, assumptions, np.random.default_rng(seed))


def test_without_faults_nothing_is_planned() -> None:
    assert plan(50, 10, Assumptions()) == ([], frozenset())


def test_the_same_seed_plans_the_same() -> None:
    assumptions = Assumptions(failures_a_node_day=1, drains_a_node_day=1, late_share=0.2)
    assert plan(20, 5, assumptions) == plan(20, 5, assumptions)
    assert plan(20, 5, assumptions) != plan(20, 5, assumptions, seed=2)


@given(st.integers(1, 12), st.floats(0, 5), st.floats(0, 5), st.floats(0, 0.9), st.integers(0, 2**32 - 1))
def test_each_node_goes_through_one_thing_after_the_other(
    nodes: int, failures: float, drains: float, late_share: float, seed: int
) -> None:
    assumptions = Assumptions(failures_a_node_day=failures, drains_a_node_day=drains, late_share=late_share)
    changes, late = plan(nodes, 3, assumptions, seed)
    assert [change.seconds for change in changes] == sorted(change.seconds for change in changes)
    assert len(late) < nodes
    for node in range(nodes):
        steps = [change.change for change in changes if change.node == node]
        if node in late:
            assert steps[0] is NodeChange.JOINS
            del steps[0]
        while steps:
            whole = _FAILURE if steps[0] is NodeChange.FAILS else _DRAIN
            assert steps[: len(whole)] == whole
            del steps[: len(whole)]


def test_faults_come_as_often_as_assumed() -> None:
    changes, _ = plan(1000, 20, Assumptions(failures_a_node_day=0.1, drains_a_node_day=0.3, repair_seconds=60))
    failures = sum(change.change is NodeChange.FAILS for change in changes)
    drains = sum(change.change is NodeChange.IS_DRAINED for change in changes)
    # A node that is away cannot fail, which makes them a little rarer.
    assert failures == pytest.approx(0.1 * 20_000, rel=0.1)
    assert drains == pytest.approx(0.3 * 20_000, rel=0.1)


def test_a_failure_is_known_after_the_detection_and_its_pods_go_after_the_toleration() -> None:
    changes, _ = plan(1, 100, Assumptions(failures_a_node_day=1, detection_seconds=7, toleration_seconds=11))
    fails, known, deleted, back = changes[:4]
    assert known.seconds - fails.seconds == pytest.approx(7)
    assert deleted.seconds - known.seconds == pytest.approx(11)
    assert back.seconds > deleted.seconds
