import math

import pytest

from hydatis.simulations.comparing import LEAST_SEEDS, Runs, Verdict, compare, paired_values

MEASURE = "node_minutes_above_80"
HIGHER = "near_target_percent"
SEEDS = range(1, 11)


def runs(values: list[float], measure: str = MEASURE, success: float = 100.0) -> Runs:
    return {seed: {measure: value, "success_percent": success} for seed, value in enumerate(values, start=1)}


BASE = [10.0, 14.0, 9.0, 20.0, 12.0, 11.0, 13.0, 8.0, 16.0, 7.0]


def test_differences_are_policy_minus_reference_and_the_verdict_knows_the_direction() -> None:
    found = compare({"Reference": runs(BASE), "Less": runs([value - 2 for value in BASE])}, "Reference")
    less = found.differences["Less"][MEASURE]
    assert (less.difference.mean, less.verdict) == (-2, Verdict.BETTER)
    assert less.ratio is not None
    assert less.ratio.mean == pytest.approx(10 / 12)
    assert "Reference" not in found.differences
    upside_down = compare({"Reference": runs(BASE, HIGHER), "Less": runs([1.0] * 10, HIGHER)}, "Reference")
    assert upside_down.differences["Less"][HIGHER].verdict is Verdict.WORSE


def test_seeds_that_disagree_show_no_difference() -> None:
    mixed = [value + (-1) ** at for at, value in enumerate(BASE)]
    found = compare({"Reference": runs(BASE), "Mixed": runs(mixed)}, "Reference")
    assert found.differences["Mixed"][MEASURE].verdict is Verdict.OPEN


def test_few_seeds_show_nothing_however_they_agree() -> None:
    few = BASE[: LEAST_SEEDS - 1]
    found = compare({"Reference": runs(few), "Less": runs([value - 2 for value in few])}, "Reference")
    assert found.differences["Less"][MEASURE].verdict is Verdict.OPEN


def test_regret_is_how_much_worse_than_the_clairvoyant_run_of_the_same_seed() -> None:
    bound = [value / 2 for value in BASE]
    found = compare({"Reference": runs(BASE), "Clairvoyant": runs(bound)}, "Reference")
    assert found.bound == "Clairvoyant"
    assert found.regret["Reference"][MEASURE].mean == pytest.approx(6)
    assert "Clairvoyant" not in found.regret
    higher = compare({"Reference": runs(BASE, HIGHER), "Clairvoyant": runs([50.0] * 10, HIGHER)}, "Reference")
    assert higher.regret["Reference"][HIGHER].mean == pytest.approx(38)


def test_the_gap_closed_is_the_share_of_the_way_from_the_reference_to_the_bound() -> None:
    found = compare(
        {
            "Reference": runs(BASE),
            "Quarter": runs([value - 1 for value in BASE]),
            "Clairvoyant": runs([value - 4 for value in BASE]),
        },
        "Reference",
    )
    assert found.gap_closed["Quarter"][MEASURE].mean == pytest.approx(25)
    assert found.gap_closed.keys() == {"Quarter"}


def test_where_the_bound_is_no_better_there_is_no_gap() -> None:
    worse = [value + 4 for value in BASE]
    found = compare({"Reference": runs(BASE), "Other": runs(BASE), "Clairvoyant": runs(worse)}, "Reference")
    assert MEASURE not in found.gap_closed["Other"]


def test_without_a_clairvoyant_policy_there_is_neither_regret_nor_gap() -> None:
    found = compare({"Reference": runs(BASE), "Other": runs(BASE)}, "Reference")
    assert (found.bound, found.regret, found.gap_closed) == (None, {}, {})


def test_the_best_comes_with_those_not_shown_to_be_worse_and_without_the_bound() -> None:
    mixed = [value - 2 + 3 * (-1) ** at for at, value in enumerate(BASE)]
    found = compare(
        {
            "Reference": runs(BASE),
            "Less": runs([value - 2 for value in BASE]),
            "Mixed": runs([value + 0.01 for value in mixed]),
            "Clairvoyant": runs([0.0] * 10),
        },
        "Reference",
    )
    assert found.best[MEASURE] == ("Less", "Mixed")


def test_a_seed_without_a_value_is_left_out_for_both() -> None:
    one, other = runs([1.0, math.nan, 3.0]), runs([5.0, 6.0, 7.0, 8.0])
    assert paired_values(MEASURE, one, other) == [[1, 3], [5, 7]]
    assert paired_values("cost_usd_a_day", one, other) == [[], []]
    found = compare({"Reference": one, "Other": other}, "Reference")
    assert found.policies["Reference"][MEASURE].mean == 2
    assert found.differences["Other"][MEASURE].difference.mean == 4
    assert "cost_usd_a_day" not in found.policies["Other"]


def test_service_is_equal_within_half_a_point_of_success() -> None:
    found = compare(
        {"Reference": runs(BASE), "As good": runs(BASE, success=99.6), "Starving": runs(BASE, success=97.0)},
        "Reference",
    )
    assert found.equal_service == {"Reference": True, "As good": True, "Starving": False}
