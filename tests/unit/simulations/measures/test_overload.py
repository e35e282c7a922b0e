from dataclasses import replace

import numpy as np
import pytest

from hydatis.simulations.measures.catalogue import measure_run
from hydatis.simulations.measures.testing import NOT_THERE, record

# The first sample is warm-up; what counts are the node-minutes 50, 90, 70, 85 and 65 %.
RUN = record([[0, 200], [50, 90], [70, NOT_THERE], [85, 65]], measured_from=60)


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("node_minutes_above_65", 60.0),
        ("node_minutes_above_80", 40.0),
        ("node_minutes_above_90", 0.0),
        ("cpu_mean_percent", 72.0),
        ("near_target_percent", 40.0),
        # Between the fourth and the fifth of five, 0.99 · 4 - 3 = 0.96 of the way.
        ("cpu_p99_percent", 85 + 0.96 * 5),
    ],
)
def test_node_minutes_after_the_warm_up_count_and_nodes_that_are_not_there_do_not(measure: str, value: float) -> None:
    assert measure_run(RUN)[measure] == pytest.approx(value)


def test_throttled_cpu_counts_from_the_end_of_the_warm_up() -> None:
    run = replace(RUN, throttled_core_seconds=np.array([999.0, 1800.0, 0.0, 1800.0]))
    assert measure_run(run)["throttled_core_hours"] == 1.0


def test_more_than_the_capacity_is_more_overload_and_not_cut() -> None:
    assert measure_run(record([[150.0]]))["cpu_p99_percent"] == 150
