"""Draws forecasts with their bands over a day of some machines, and how they compare by horizon; needs matplotlib."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.forecasting.evaluating import (
    LAST_VALUE,
    PLAIN,
    YESTERDAY,
    ForecastEvaluation,
    minutes_of,
    trained_until,
)
from hydatis.simulations.training.forecasting.features import LEAST_SAMPLES, coming_mean
from hydatis.simulations.training.forecasting.forecaster import Forecast, Forecaster
from hydatis.simulations.training.forecasting.series import SAMPLES_A_DAY, SAMPLES_AN_HOUR, LoadSeries

_SHOWN = (0.95, 0.8, 0.65)
_OUTCOME, _MODEL, _OTHER, _THIRD = "#1c1c1c", "#0072B2", "#E69F00", "#009E73"
"""Of Okabe and Ito's colours, which colour-blind readers can tell apart."""


@dataclass(frozen=True, slots=True)
class ForecastDay:
    """A day of one machine, with what was forecast and what came."""

    machine: str
    minutes: int
    hours: Float64Array
    """(times,) Since midnight of the day in which it begins."""
    outcome: Float64Array
    forecast: Forecast


def require_matplotlib() -> None:
    """Raises SimulationError when matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401, PLC0415 - only figures need it, and it is slow to import
    except ImportError as error:
        raise SimulationError("--figure needs matplotlib; install it with: pip install 'hydatis[figures]'.") from error


def days_to_show(machines: Sequence[LoadSeries], horizon: int, seed: int, rounds: int) -> list[ForecastDay]:
    """Learn from the first two thirds of three machines in four, and forecast of the others the day after that: of
    three, those at the 95 %, 80 % and 65 % place by how much they vary.

    Raises:
        SimulationError: there are too few machines or too short ones.

    """
    trained = [machine.until(trained_until(machine)) for place, machine in enumerate(machines) if place % 4]
    forecaster = Forecaster.fit(trained, horizon, seed, rounds=rounds)
    shown = sorted(machines[::4], key=lambda machine: float(machine.cpu_percent.std()))
    places = [int(share * (len(shown) - 1)) for share in _SHOWN]
    return [_day(forecaster, shown[place]) for place in places]


def draw_figure(evaluation: ForecastEvaluation, days: Sequence[ForecastDay], path: Path) -> None:
    """Draw into a file; its suffix chooses the format. Raises ValueError for one that matplotlib does not know."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(12, 7), layout="constrained")
    grid = figure.add_gridspec(len(days), 2, width_ratios=(2, 1))
    first: Any = None
    for row, day in enumerate(days):
        axes = figure.add_subplot(grid[row, 0], sharex=first)
        first = first or axes
        _panel(axes, day)
        if row == 0:
            axes.legend(loc="upper center", fontsize=8)
    figure.axes[len(days) - 1].set_xlabel("hours since midnight (UTC)")
    _by_horizon(figure.add_subplot(grid[:, 1]), evaluation)
    figure.savefig(path, dpi=120)


def _day(forecaster: Forecaster, machine: LoadSeries) -> ForecastDay:
    first = max(LEAST_SAMPLES - 1, trained_until(machine))
    times: Int64Array = np.arange(first, min(first + SAMPLES_A_DAY, len(machine) - forecaster.horizon))
    hours = (machine.start_seconds / 3600 + times / SAMPLES_AN_HOUR) % 24
    start = float(hours[0])
    hours = start + np.arange(len(times)) / SAMPLES_AN_HOUR
    outcome = coming_mean(machine.cpu_percent, forecaster.horizon)[times]
    name, minutes = machine.name, minutes_of(forecaster.horizon)
    return ForecastDay(name, minutes, hours, outcome, forecaster.forecast(machine, times))


def _panel(axes: Any, day: ForecastDay) -> None:
    forecast = day.forecast
    axes.fill_between(
        day.hours, forecast.point, forecast.upper, color=_MODEL, alpha=0.2, lw=0, label="up to the 95 % bound"
    )
    axes.plot(day.hours, day.outcome, color=_OUTCOME, lw=1.2, label="what came")
    axes.plot(day.hours, forecast.point, color=_MODEL, lw=1.2, label="forecast")
    axes.set_title(f"machine {day.machine}: mean CPU of the next {day.minutes} minutes", fontsize=10)
    axes.set_ylabel("percent")
    axes.set_ylim(bottom=0)


def _by_horizon(axes: Any, evaluation: ForecastEvaluation) -> None:
    whole = [result for result in evaluation.horizons if result.group == "all"]
    places = np.arange(len(whole))
    methods = ((LAST_VALUE, _MODEL), (YESTERDAY, _OTHER), (PLAIN, _THIRD))
    for number, (method, colour) in enumerate(methods):
        for place, result in zip(places.tolist(), whole, strict=True):
            scaled = result.scaled[method]
            if scaled is None:
                continue
            middle = place + 0.18 * (number - 1)
            axes.plot([middle, middle], [scaled.low, scaled.high], color=colour, lw=2)
            axes.plot(middle, scaled.mean, "o", color=colour, label=f"by {method}" if place == 0 else None)
    axes.axhline(1.0, color="#888", lw=1, ls="--")
    axes.set_xticks(places, [f"{result.minutes} min" for result in whole])
    axes.set_ylim(0, 1.1)
    axes.set_title("error over that of others (MASE), 95 % interval", fontsize=10)
    axes.legend(fontsize=8)
