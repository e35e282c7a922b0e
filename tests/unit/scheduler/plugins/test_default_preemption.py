"""DefaultPreemption: the rules by which victims and nodes are weighed."""

import pytest

from hydatis.scheduler.plugins.default_preemption import Candidate, DefaultPreemption, Victim

RULES = DefaultPreemption()


def _victim(priority: int = 0, started_at: str = "2026-01-01T00:00:00Z", uid: str = "") -> Victim:
    return Victim(uid, priority, started_at)


def _candidate(*victims: Victim, violations: int = 0) -> Candidate:
    return Candidate(0, victims, violations)


@pytest.mark.parametrize(("nodes", "wanted"), [(3, 3), (100, 100), (101, 100), (999, 100), (1009, 100), (5000, 500)])
def test_a_tenth_of_the_nodes_is_enough_to_choose_from_and_at_least_a_hundred(nodes: int, wanted: int) -> None:
    assert RULES.candidates_wanted(nodes) == wanted


def test_higher_priority_is_more_important_then_an_earlier_start_and_equals_keep_their_order() -> None:
    victims = [
        _victim(0, "2026-01-02T00:00:00Z", "late"),
        _victim(0, "2026-01-01T00:00:00Z", "early"),
        _victim(0, "2026-01-02T00:00:00Z", "late too"),
        _victim(0, "~", "not started"),
        _victim(5, "2026-01-03T00:00:00Z", "high"),
    ]
    sorted_uids = [victim.uid for victim in RULES.by_importance(victims)]
    assert sorted_uids == ["high", "early", "late", "late too", "not started"]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param(
            _candidate(_victim(9), _victim(9)), _candidate(_victim(1), violations=1), id="fewer budgets are broken"
        ),
        pytest.param(
            _candidate(_victim(1), _victim(1)), _candidate(_victim(2)), id="the most important victim is less important"
        ),
        pytest.param(
            _candidate(_victim(5), _victim(1)), _candidate(_victim(5), _victim(2)), id="the victims weigh less together"
        ),
        pytest.param(
            _candidate(_victim(-5)), _candidate(_victim(-5), _victim(-9)), id="fewer victims of negative priority"
        ),
        pytest.param(
            _candidate(_victim(-(2**31) + 1)),
            _candidate(_victim(-(2**31) + 1), _victim(-(2**31) + 1)),
            id="fewer victims of the lowest priority",
        ),
        pytest.param(
            _candidate(_victim(1, "2026-01-02T00:00:00Z"), _victim(0, "2025-01-01T00:00:00Z")),
            _candidate(_victim(1, "2026-01-01T00:00:00Z"), _victim(0, "2026-01-03T00:00:00Z")),
            id="the most important victims began later",
        ),
    ],
)
def test_the_better_candidate_is_the_one_of_which(better: Candidate, worse: Candidate) -> None:
    assert RULES.best([worse, better]) == [better]


def test_candidates_that_no_rule_tells_apart_are_all_best() -> None:
    one, other = Candidate(1, (_victim(),), 0), Candidate(2, (_victim(),), 0)
    assert RULES.best([one, other]) == [one, other]
