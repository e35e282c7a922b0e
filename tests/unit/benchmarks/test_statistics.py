import pytest

from hydatis.benchmarks.statistics import Measurements, median, percentiles, ranges, ratios


def test_percentiles_are_interpolated_between_ranks() -> None:
    assert percentiles([float(value) for value in range(101)]) == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}
    assert percentiles([1.0, 2.0])["p50"] == 1.5


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentiles([]) == {"p50": None, "p90": None, "p99": None, "max": None}


def test_the_median_is_taken_number_by_number_at_every_depth() -> None:
    runs: list[Measurements] = [{"rate": rate, "cpu": {"etcd": rate / 10}} for rate in (10.0, 30.0, 20.0)]
    assert median(runs) == {"rate": 20.0, "cpu": {"etcd": 2.0}}
    assert ranges(runs) == {"min": {"rate": 10.0, "cpu": {"etcd": 1.0}}, "max": {"rate": 30.0, "cpu": {"etcd": 3.0}}}


def test_what_one_run_could_not_measure_is_left_out_and_what_none_could_stays_unknown() -> None:
    assert median([{"a": None, "b": None}, {"a": 4.0, "b": None}]) == {"a": 4.0, "b": None}


def test_ratios_divide_hydatis_by_the_other() -> None:
    assert ratios({"a": 3.0, "n": {"b": 1.0}}, {"a": 2.0, "n": {"b": 4.0}}) == {"a": 1.5, "n": {"b": 0.25}}


@pytest.mark.parametrize(("above", "below"), [(1.0, 0.0), (None, 1.0), (1.0, None)])
def test_a_ratio_that_has_no_meaning_is_unknown(above: float | None, below: float | None) -> None:
    assert ratios({"a": above}, {"a": below}) == {"a": None}
