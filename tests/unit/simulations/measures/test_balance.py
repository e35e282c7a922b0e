import pytest

from hydatis.simulations.measures.catalogue import measure_run
from hydatis.simulations.measures.testing import NOT_THERE, record, with_tables

RUN = with_tables(
    record([[0, 200], [50, 90], [70, NOT_THERE], [85, 65]], measured_from=60),
    memory=[[0, 90], [20, 40], [30, 0], [50, 50]],
)


def test_spread_is_the_mean_over_time_of_the_deviation_over_the_nodes_that_are_there() -> None:
    # Deviations of 20, 0 (one node alone) and 10 points; of memory 10, 0 and 0.
    assert measure_run(RUN)["cpu_spread_points"] == pytest.approx((20 + 0 + 10) / 3)
    assert measure_run(RUN)["memory_spread_points"] == pytest.approx((10 + 0 + 0) / 3)


def test_imbalance_is_the_fullest_over_the_mean() -> None:
    assert measure_run(RUN)["cpu_imbalance"] == pytest.approx((90 / 70 + 1 + 85 / 75) / 3)


def test_moments_without_any_load_say_nothing_of_imbalance() -> None:
    assert measure_run(record([[0, 0], [10, 30]]))["cpu_imbalance"] == pytest.approx(1.5)
