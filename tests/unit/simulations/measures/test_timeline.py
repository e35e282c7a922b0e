import numpy as np
import pytest

from hydatis.simulations.measures.prices import Prices
from hydatis.simulations.measures.testing import NOT_THERE, record
from hydatis.simulations.measures.timeline import Timeline, timeline_of


def test_a_timeline_has_the_warm_up_and_its_histogram_has_not() -> None:
    run = record([[100.0, 0.0], [85.0, 15.5], [15.9, NOT_THERE]], cores=[1, 3], measured_from=60)
    line = timeline_of(run, Prices(core_hour_usd=1, gib_hour_usd=0))
    assert line.hours == pytest.approx((0, 1 / 60, 2 / 60))
    assert line.cpu_median_percent == pytest.approx((50, 50.25, 15.9), rel=1e-6)
    assert line.cpu_high_percent == pytest.approx((95, 85 - 0.05 * 69.5, 15.9), rel=1e-6)
    assert line.cpu_low_percent == pytest.approx((5, 15.5 + 0.05 * 69.5, 15.9), rel=1e-6)
    assert list(line.above_80_percent) == [50, 50, 0]
    assert list(line.nodes_used) == [2, 2, 1]
    assert list(line.usd_an_hour) == [4, 4, 1]
    assert line.measured_from_hours == pytest.approx(1 / 60)
    assert {at: share for at, share in enumerate(line.histogram) if share} == pytest.approx({15: 2 / 3, 85: 1 / 3})


def test_long_runs_are_averaged_block_by_block() -> None:
    rising = np.arange(1000.0)
    line = timeline_of(record(rising[:, None].tolist()))
    assert len(line.cpu_median_percent) == 334
    assert list(line.cpu_median_percent[:2]) == [1, 4]
    assert line.cpu_median_percent[-1] == 999
    assert line.hours[1] == pytest.approx(3 / 60)
    assert sum(line.histogram) == pytest.approx(1)


def test_a_run_without_samples_has_an_empty_timeline() -> None:
    line = timeline_of(record([[NOT_THERE]]))
    assert line.hours == line.cpu_median_percent == ()
    assert sum(line.histogram) == 0


def test_a_timeline_is_read_back_as_it_was_written() -> None:
    line = timeline_of(record([[10.0, 20.0]] * 5))
    assert Timeline.of_document(line.document()) == line
