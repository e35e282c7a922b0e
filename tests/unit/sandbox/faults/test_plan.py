import random

import pytest

from hydatis.sandbox.faults.actions import Answer, Hang
from hydatis.sandbox.faults.calls import Call
from hydatis.sandbox.faults.plan import FaultPlan, Rule

BIND = Call("create", "pods/binding", namespace="a", name="b")


def plan(*rules: Rule, seed: int = 0) -> FaultPlan:
    made = FaultPlan(random.Random(seed))  # noqa: S311 - a seed that repeats
    made.add(*rules)
    return made


def test_without_rules_every_call_passes_and_is_counted() -> None:
    empty = plan()
    assert empty.decide(BIND) is None
    assert empty.calls("create", "pods/binding") == 1
    assert empty.calls("list", "pods") == 0


@pytest.mark.parametrize(
    ("rule", "spoiled"),
    [
        (Rule("r", Hang()), True),
        (Rule("r", Hang(), verb="create"), True),
        (Rule("r", Hang(), verb="list"), False),
        (Rule("r", Hang(), resource="pods/binding"), True),
        (Rule("r", Hang(), resource="pods"), False),
        (Rule("r", Hang(), namespace="a"), True),
        (Rule("r", Hang(), namespace="other"), False),
    ],
)
def test_a_rule_spoils_the_calls_it_names_and_no_others(rule: Rule, spoiled: bool) -> None:
    assert (plan(rule).decide(BIND) is rule) == spoiled


def test_a_rule_skips_first_and_then_spoils_so_many_times() -> None:
    counted = plan(Rule("r", Hang(), skip=2, times=3))
    assert [counted.decide(BIND) is not None for _ in range(7)] == [False, False, True, True, True, False, False]


def test_the_first_rule_that_takes_a_call_decides() -> None:
    first, second = Rule("first", Answer(409), times=1), Rule("second", Answer(500))
    both = plan(first, second)
    assert [both.decide(BIND) for _ in range(2)] == [first, second]


def test_the_same_seed_throws_the_same_dice() -> None:
    rule = Rule("r", Hang(), probability=0.5)
    runs = [[same.decide(BIND) is not None for _ in range(50)] for same in (plan(rule, seed=7), plan(rule, seed=7))]
    assert runs[0] == runs[1]
    assert 10 < sum(runs[0]) < 40


def test_a_fault_counts_when_it_has_happened_and_the_count_outlives_the_rule() -> None:
    rule = Rule("r", Hang())
    counted = plan(rule)
    counted.decide(BIND)
    assert counted.count("r") == 0
    counted.applied(rule)
    counted.clear()
    assert counted.count("r") == 1
    assert counted.decide(BIND) is None


def test_two_rules_of_one_name_are_refused_because_their_counts_would_mix() -> None:
    with pytest.raises(ValueError, match="'r' is in force already"):
        plan(Rule("r", Hang()), Rule("r", Hang()))


@pytest.mark.parametrize("probability", [-0.1, 1.1])
def test_a_probability_outside_0_to_1_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        Rule("r", Hang(), probability=probability)


def test_a_call_that_was_spared_leaves_its_turn_to_the_next() -> None:
    rule = Rule("r", Hang(), times=1)
    once = plan(rule)
    assert once.decide(BIND) is rule
    assert once.decide(BIND) is None
    once.spared(rule)
    assert once.taken("r") == 0
    assert once.decide(BIND) is rule
