import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.plan import Plan, by_variant, parse_assumptions, parse_policies


def test_every_scenario_comes_with_every_combination_of_assumptions() -> None:
    plan = Plan(("six", "many"), ("Random",), (1,), {"load": ("0.5", "0.9"), "stretch": ("0",)})
    assert list(plan.variants()) == [
        ("six", {"load": "0.5", "stretch": "0"}),
        ("six", {"load": "0.9", "stretch": "0"}),
        ("many", {"load": "0.5", "stretch": "0"}),
        ("many", {"load": "0.9", "stretch": "0"}),
    ]
    assert list(Plan(("six",), (), (), {}).variants()) == [("six", {})]


def test_assumptions_are_read_with_one_value_or_several() -> None:
    assert parse_assumptions(["load=0.5, 0.9", "part=training"]) == {"load": ("0.5", "0.9"), "part": ("training",)}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["load"], "write NAME=VALUE"),
        (["=3"], "write NAME=VALUE"),
        (["load="], "write NAME=VALUE"),
        (["load=1,,2"], "write NAME=VALUE"),
        (["load=1", "load=2"], "repeats a name or a value"),
        (["load=1,1"], "repeats a name or a value"),
    ],
)
def test_anything_else_is_refused(given: list[str], problem: str) -> None:
    with pytest.raises(SimulationError, match=problem):
        parse_assumptions(given)


def test_policies_are_known_and_given_once() -> None:
    assert parse_policies(" A, B", ("A", "B", "C")) == ("A", "B")
    assert parse_policies(None, ("A", "B", "C")) == ("A", "B", "C")
    with pytest.raises(SimulationError, match="--policies D is unknown; choose from A, B"):
        parse_policies("A,D", ("A", "B"))
    with pytest.raises(SimulationError, match="--policies A is there twice"):
        parse_policies("A,A", ("A", "B"))


def test_jobs_of_one_scenario_and_its_assumptions_stay_together() -> None:
    jobs = [Job("six", "A", 1), Job("six", "A", 1, {"load": "1"}), Job("six", "B", 1)]
    assert by_variant(jobs) == {"six": [jobs[0], jobs[2]], "six load=1": [jobs[1]]}
