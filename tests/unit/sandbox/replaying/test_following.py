"""kube-scheduler is stood in for by what it would say of the small clusters here; the real one is in the end-to-end
tests.
"""

import pytest

from hydatis.sandbox.replaying.comparing import Agreement, Reason
from hydatis.sandbox.replaying.following import Decision, Following
from hydatis.sandbox.replaying.history import History
from hydatis.sandbox.replaying.scheduler_log import Attempt
from hydatis.simulations.virtual_time.testing import Pod, scenario_of, workload_of

TOO_SMALL = (
    "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
    "2 No preemption victims found for incoming pod."
)


@pytest.fixture
def history() -> History:
    pods = [Pod(cpu=1000, owner="web") for _ in range(4)]
    return History(scenario_of(4, 4), workload_of(*pods, Pod(cpu=3500)), 5)


@pytest.fixture
def following(history: History) -> Following:
    return Following(history, seed=1)


def placed(history: History, following: Following, pod: int, node: int) -> Decision:
    attempt = Attempt(history.key(pod), history.machines.names[node], evaluated=2, feasible=2)
    return following.decided(pod, attempt, 0.0)


def agreement(decision: Decision) -> tuple[Agreement, Reason | None]:
    return decision.comparison.agreement, decision.comparison.reason


def test_each_decision_is_compared_on_the_state_that_kube_scheduler_made(
    history: History, following: Following
) -> None:
    first = placed(history, following, 0, 1)
    assert first.comparison.agreement in (Agreement.SAME_NODE, Agreement.SAME_SCORE)
    assert first.best == 2
    # The first pod is on node 1, wherever the core would have put it: so the second belongs on node 0.
    second = placed(history, following, 1, 0)
    assert agreement(second) == (Agreement.SAME_NODE, None)
    assert second.best == 1


def test_a_placement_that_is_not_the_best_is_a_difference_and_still_taken_over(
    history: History, following: Following
) -> None:
    placed(history, following, 0, 0)
    worse = placed(history, following, 1, 0)
    assert worse.comparison.agreement is Agreement.DIFFERENT
    assert worse.simulation == history.machines.names[1]
    assert following.fill.placements == {0: 0, 1: 0}
    # With both on node 0 and one more on node 1, node 1 is the emptier one.
    placed(history, following, 2, 1)
    assert agreement(placed(history, following, 3, 1)) == (Agreement.SAME_NODE, None)


def test_a_pod_waits_for_both_until_there_is_room(history: History, following: Following) -> None:
    for pod, node in enumerate((0, 1)):
        placed(history, following, pod, node)
    refused = following.decided(4, Attempt(history.key(4), message=TOO_SMALL), 0.0)
    assert agreement(refused) == (Agreement.SAME_REFUSAL, None)
    assert following.fill.waiting == {4}
    assert following.overdue() == []
    following.removed(1, 0.0)
    assert following.overdue() == [4]
    only = Attempt(history.key(4), history.machines.names[1], evaluated=2, feasible=1)
    assert agreement(following.decided(4, only, 0.0)) == (Agreement.SAME_NODE, None)
    assert following.overdue() == []


def test_a_refusal_that_the_core_does_not_share_is_a_difference_and_the_core_takes_its_placement_back(
    history: History, following: Following
) -> None:
    refused = following.decided(4, Attempt(history.key(4), message=TOO_SMALL), 0.0)
    assert agreement(refused) == (Agreement.DIFFERENT, Reason.ONE_REFUSES)
    assert refused.simulation is not None
    assert following.fill.placements == {}
    # Nothing is left of it: both nodes are as empty as before.
    assert placed(history, following, 0, 0).best == 2
