import numpy as np
import pytest

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.training.forecasting.features import (
    LEAST_SAMPLES,
    coming_mean,
    earlier,
    feature_names,
    feature_table,
    recent_mean,
)
from hydatis.simulations.training.forecasting.series import SAMPLES_A_DAY, LoadSeries

HORIZONS = (1, 3, 12)


def series(cpu: Float64Array, start: float = 0.0) -> LoadSeries:
    return LoadSeries("a", start, cpu, np.ones(len(cpu), dtype=np.bool_))


def noise(samples: int = 9 * SAMPLES_A_DAY, seed: int = 1) -> Float64Array:
    return np.random.default_rng(seed).uniform(0.0, 80.0, samples)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_nothing_looks_ahead(horizon: int) -> None:
    cpu = noise()
    times = np.array([LEAST_SAMPLES - 1, 1000, 2200])
    for time in times.tolist():
        other = cpu.copy()
        other[time + 1 :] = 99.0
        _, before = feature_table(series(cpu), np.array([time]), horizon)
        _, after = feature_table(series(other), np.array([time]), horizon)
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_row_does_not_depend_on_the_other_times_asked_for(horizon: int) -> None:
    _, many = feature_table(series(noise()), np.arange(2100, 2110), horizon)
    _, one = feature_table(series(noise()), np.array([2107]), horizon)
    np.testing.assert_array_equal(many[7], one[0])


def test_neither_the_date_nor_a_higher_level_changes_more_than_the_level() -> None:
    times = np.array([2500])
    names, usual = feature_table(series(noise()), times, 12)
    _, months_later = feature_table(series(noise(), 90 * 86_400.0), times, 12)
    np.testing.assert_array_equal(usual, months_later)
    _, higher = feature_table(series(noise() + 10.0), times, 12)
    changed = [name for name, by in zip(names, (higher - usual)[0].tolist(), strict=True) if abs(by) > 1e-3]
    assert changed == ["last"]


def test_the_seasons_say_what_followed_yesterday() -> None:
    cpu = noise()
    time = 2300
    names, rows = feature_table(series(cpu), np.array([time]), 12)
    followed = cpu[time - SAMPLES_A_DAY + 1 : time - SAMPLES_A_DAY + 13].mean()
    assert rows[0, names.index("yesterday")] == pytest.approx(followed - cpu[time], abs=1e-4)
    assert rows[0, names.index("yesterday_change")] == pytest.approx(followed - cpu[time - SAMPLES_A_DAY], abs=1e-4)


def test_what_needs_more_past_than_there_is_is_missing() -> None:
    names, rows = feature_table(series(noise()), np.array([LEAST_SAMPLES - 1]), 12)
    missing = {name for name, value in zip(names, rows[0], strict=True) if np.isnan(value)}
    assert {"yesterday", "two_days_ago", "week_ago", "days_median_7"} <= missing
    assert "mean_2016" not in missing


def test_the_median_of_days_passes_over_days_that_are_not_there() -> None:
    cpu = noise()
    time = 2 * SAMPLES_A_DAY + 100
    names, rows = feature_table(series(cpu), np.array([time]), 3)
    levels = [cpu[time - day * SAMPLES_A_DAY + 1 :][:3].mean() - cpu[time] for day in (1, 2)]
    assert rows[0, names.index("days_median_7")] == pytest.approx(np.mean(levels), abs=1e-4)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_names_are_those_of_the_table(horizon: int) -> None:
    names, rows = feature_table(series(noise()), np.array([1000]), horizon)
    assert feature_names(horizon) == names
    assert len(set(names)) == len(names) == rows.shape[1]


def test_means_before_and_after() -> None:
    values = np.array([1.0, 2.0, 6.0, 7.0])
    assert recent_mean(values, 2).tolist() == [1.0, 1.5, 4.0, 6.5]
    assert coming_mean(values, 2).tolist()[:2] == [4.0, 6.5]
    assert np.isnan(coming_mean(values, 2)[2:]).all()
    assert np.isnan(coming_mean(values, 9)).all()
    assert earlier(values, np.array([0, 3]), 1).tolist()[1] == 6.0
