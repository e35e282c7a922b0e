from dataclasses import replace

import numpy as np
import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.forecasting.features import coming_mean
from hydatis.simulations.training.forecasting.forecaster import Forecaster, examples_of
from hydatis.simulations.training.forecasting.series import SAMPLES_A_DAY, LoadSeries, made_up_series


def daily(number: int) -> LoadSeries:
    """A machine with a daily cycle of its own, and little else."""
    random = np.random.default_rng(number)
    times = np.arange(8 * SAMPLES_A_DAY)
    wave = np.sin(2 * np.pi * (times / SAMPLES_A_DAY + random.random()))
    cpu = 30.0 + 20.0 * wave + random.standard_normal(len(times))
    return LoadSeries(f"daily-{number}", 0.0, cpu, np.ones(len(times), dtype=np.bool_))


def test_it_learns_a_daily_cycle_that_the_last_value_does_not_know() -> None:
    fitted = Forecaster.fit([daily(number) for number in range(10)], 12, 1, rounds=60)
    machine = daily(99)
    times = np.arange(7 * SAMPLES_A_DAY, len(machine) - 12)
    outcome = coming_mean(machine.cpu_percent, 12)[times]
    forecast = fitted.forecast(machine, times)
    error = np.abs(forecast.point - outcome).mean()
    assert error < 0.6 * np.abs(machine.cpu_percent[times] - outcome).mean()
    assert (outcome <= forecast.upper).mean() > 0.85


def test_bounds_are_above_points_and_neither_is_negative(forecaster: Forecaster) -> None:
    for machine in made_up_series(2)[:3]:
        idle = replace(machine, cpu_percent=machine.cpu_percent * 0.01)
        forecast = forecaster.forecast(idle, np.arange(300, 1500, 7))
        assert (forecast.point >= 0.0).all()
        assert (forecast.upper >= forecast.point).all()


def test_the_same_seed_gives_the_same_forecasts(forecaster: Forecaster) -> None:
    again = Forecaster.fit(made_up_series(1), 12, 1, rounds=40)
    times = np.arange(300, 1500, 11)
    machine = made_up_series(3)[0]
    assert np.array_equal(again.forecast(machine, times).upper, forecaster.forecast(machine, times).upper)


def test_times_in_or_before_a_gap_teach_nothing() -> None:
    machine = daily(1)
    known = machine.known.copy()
    known[1000:1003] = False
    _, examples = examples_of([replace(machine, known=known)], [np.arange(900, 1100)], 12)
    missing = sorted(set(range(900, 1100)) - set(examples.times.tolist()))
    assert missing == list(range(988, 1003))


def test_too_short_series_are_told() -> None:
    short = [daily(number).until(200) for number in range(4)]
    with pytest.raises(SimulationError, match="give longer series"):
        Forecaster.fit(short, 12, 1)
    with pytest.raises(SimulationError, match="fewer than two machines"):
        Forecaster.fit([daily(1), *short], 12, 1)
