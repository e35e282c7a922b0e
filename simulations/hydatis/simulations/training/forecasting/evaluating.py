"""Measures forecasts on machines and days that were not trained on.

Machines are dealt into blocks by chance, and of each block in turn the last third of the time is forecast by what was
learnt from the first two thirds of all other machines. Rows are never shuffled. With other machines given, what was
learnt from all of the first is measured on all of those.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import lightgbm
import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.intervals import Interval, interval_of, paired_ratio
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.training.forecasting.features import LAST, LEAST_SAMPLES, coming_mean, earlier, lag_table
from hydatis.simulations.training.forecasting.forecaster import (
    LEVEL,
    ROUNDS,
    Forecaster,
    examples_of,
)
from hydatis.simulations.training.forecasting.series import (
    SAMPLES_A_DAY,
    STEP_SECONDS,
    LoadSeries,
    read_series,
)

HORIZONS = (1, 3, 12)
"""Samples: 5, 15 and 60 minutes."""
BLOCKS = 4
MODEL = "model"
PLAIN = "plain LightGBM"
"""The use itself learnt from the samples of the last two hours and the time of day, with the same loss."""
LAST_VALUE = "last value"
YESTERDAY = "same time yesterday"
METHODS = (MODEL, PLAIN, LAST_VALUE, YESTERDAY)
GROUPS = (("below 5 %", 0.0, 5.0), ("5 to 30 %", 5.0, 30.0), ("above 30 %", 30.0, np.inf))
"""Of machines, by mean use: a few busy ones make up most of the error."""
_STRIDE = 3
_TRAINED_SHARE = 2 / 3
_PLAIN_ROUNDS = 300


@dataclass(frozen=True, slots=True)
class MachineResult:
    """How well one machine was forecast."""

    machine: str
    block: int
    minutes: int
    times: int
    """How many forecasts."""
    mean_percent: float
    """Mean CPU use at those times."""
    errors: Mapping[str, float]
    """Mean absolute error by method, percentage points."""
    covered: float
    """Share of the forecasts whose outcome was at most the upper bound."""
    bound_above: float
    """Mean distance of the upper bound from the point, percentage points."""


@dataclass(frozen=True, slots=True)
class HorizonResult:
    """Over machines, every machine counting once, with 95 % bootstrap intervals over machines."""

    minutes: int
    group: str
    """Of machines; "all" for all."""
    machines: int
    errors: Mapping[str, Interval]
    """Mean absolute error by method, percentage points."""
    scaled: Mapping[str, Interval | None]
    """The model's error over that of each other method: below 1 the model is better (MASE, scaled by that method on
    the same times). None where the other has none.
    """
    machines_better: Mapping[str, float]
    """Share of machines where the model's error is at most that of each other method."""
    covered: Interval
    """Share of outcomes at most the upper bound."""


@dataclass(frozen=True, slots=True)
class ForecastEvaluation:
    """All of it."""

    seed: int
    source: str
    level: float
    machines: tuple[MachineResult, ...]
    horizons: tuple[HorizonResult, ...]

    def document(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return asdict(self)


def evaluate_forecasts(
    folder: DataFolder | None,
    seed: int = 1,
    *,
    others: DataFolder | None = None,
    horizons: Sequence[int] = HORIZONS,
    blocks: int = BLOCKS,
    rounds: int = ROUNDS,
    done: Callable[[str], None] = lambda step: None,
) -> ForecastEvaluation:
    """Measure on the machines of a folder, or on made-up ones: by blocks, or on all machines of `others`.

    `done` is told of each part that is fitted, `count_of_steps` of them. On a month of 200 machines some ten minutes.

    Raises:
        SimulationError: there are too few machines or too short ones.
        TraceError: a file cannot be read.

    """
    machines = read_series(folder, seed)
    strange = None if others is None else read_series(others, seed)
    source = "made-up machines" if folder is None else "Bitbrains"
    results: list[MachineResult] = []
    for block, (trained, judged) in enumerate(_splits(machines, strange, blocks, seed)):
        for horizon in horizons:
            minutes = minutes_of(horizon)

            def told(part: str, where: str = f"block {block + 1}, {minutes} min") -> None:
                done(f"{where}: {part}")

            forecaster = Forecaster.fit(trained, horizon, seed, rounds=rounds, fitted=told)
            plain = _Plain(trained, horizon, seed, min(rounds, _PLAIN_ROUNDS))
            told(PLAIN)
            for machine, first in judged:
                results += _judged(machine, first, block, forecaster, plain)
    if not results:
        raise SimulationError("no machine is long enough to be forecast; give series of three days and more.")
    return ForecastEvaluation(seed, source, LEVEL, tuple(results), tuple(_horizons(results)))


def count_of_steps(horizons: int = len(HORIZONS), blocks: int = BLOCKS, *, others: bool = False) -> int:
    """Return how often `done` is going to be called."""
    return 3 * horizons * (1 if others else blocks)


def minutes_of(horizon: int) -> int:
    """Return the length of so many samples."""
    return round(horizon * STEP_SECONDS / 60)


def trained_until(machine: LoadSeries) -> int:
    """Return the first sample of a machine that is not trained on."""
    return int(_TRAINED_SHARE * len(machine))


Split = tuple[list[LoadSeries], list[tuple[LoadSeries, int]]]


def _splits(
    machines: Sequence[LoadSeries], strange: Sequence[LoadSeries] | None, blocks: int, seed: int
) -> Iterator[Split]:
    """Yield what to learn from, and each machine to judge with the first sample from which on it is forecast."""
    if strange is not None:
        yield list(machines), [(machine, SAMPLES_A_DAY) for machine in strange]
        return
    if not 2 <= blocks <= len(machines) // 2:
        raise SimulationError(
            f"{len(machines)} machines cannot be dealt into {blocks} blocks; choose from 2 to half of the machines."
        )
    block_of = np.random.default_rng([seed, 1]).permutation(len(machines)) % blocks
    for block in range(blocks):
        trained = [
            machine.until(trained_until(machine))
            for machine, its in zip(machines, block_of, strict=True)
            if its != block
        ]
        judged = [
            (machine, max(SAMPLES_A_DAY, trained_until(machine)))
            for machine, its in zip(machines, block_of, strict=True)
            if its == block
        ]
        yield trained, judged


class _Plain:
    """The reference that learns: nothing but the last two hours and the time of day."""

    def __init__(self, machines: Sequence[LoadSeries], horizon: int, seed: int, rounds: int) -> None:
        times = [np.arange(LEAST_SAMPLES - 1, len(machine) - horizon, 2 * _STRIDE) for machine in machines]
        names, examples = examples_of(machines, times, horizon, lag_table)
        parameters = {"objective": "l1", "num_threads": 1, "verbose": -1, "seed": seed, "deterministic": True}
        data = lightgbm.Dataset(_plain_columns(names, examples.features), examples.outcome)
        self._booster: Any = lightgbm.train(parameters, data, rounds)

    def forecast(self, names: Sequence[str], features: Float32Array) -> Float64Array:
        return np.asarray(self._booster.predict(_plain_columns(names, features), num_threads=1), dtype=np.float64)


def _plain_columns(names: Sequence[str], features: Float32Array) -> Float32Array:
    """Return last sample and time of day, and the samples before as they were."""
    plain = features[:, [names.index(name) for name in (LAST, "hour_sine", "hour_cosine")]]
    lags = [place for place, name in enumerate(names) if name.startswith("lag_")]
    return np.hstack([plain, features[:, lags] + plain[:, :1]])


def _judged(
    machine: LoadSeries, first: int, block: int, forecaster: Forecaster, plain: _Plain
) -> Iterable[MachineResult]:
    horizon = forecaster.horizon
    times = np.arange(first, len(machine) - horizon, _STRIDE)
    if not len(times):
        return
    try:
        names, examples = examples_of([machine], [times], horizon)
    except SimulationError:
        # Nothing but gaps.
        return
    forecast = forecaster.at(examples.features, examples.last)
    followed = coming_mean(machine.cpu_percent, horizon)
    points = {
        MODEL: forecast.point,
        PLAIN: plain.forecast(names, examples.features),
        LAST_VALUE: examples.last,
        YESTERDAY: earlier(followed, examples.times, SAMPLES_A_DAY),
    }
    yield MachineResult(
        machine=machine.name,
        block=block,
        minutes=minutes_of(horizon),
        times=len(examples.times),
        mean_percent=float(examples.last.mean()),
        errors={method: float(np.abs(values - examples.outcome).mean()) for method, values in points.items()},
        covered=float((examples.outcome <= forecast.upper).mean()),
        bound_above=float((forecast.upper - forecast.point).mean()),
    )


def _horizons(results: Sequence[MachineResult]) -> Iterator[HorizonResult]:
    for minutes in sorted({result.minutes for result in results}):
        those = [result for result in results if result.minutes == minutes]
        yield _summary(minutes, "all", those)
        for group, low, high in GROUPS:
            within = [result for result in those if low <= result.mean_percent < high]
            if within:
                yield _summary(minutes, group, within)


def _summary(minutes: int, group: str, results: Sequence[MachineResult]) -> HorizonResult:
    errors = {method: [result.errors[method] for result in results] for method in METHODS}
    references = [method for method in METHODS if method != MODEL]
    return HorizonResult(
        minutes=minutes,
        group=group,
        machines=len(results),
        errors={method: interval_of(values) for method, values in errors.items()},
        scaled={method: paired_ratio(errors[MODEL], errors[method]) for method in references},
        machines_better={method: float(np.mean(np.less_equal(errors[MODEL], errors[method]))) for method in references},
        covered=interval_of([result.covered for result in results]),
    )
