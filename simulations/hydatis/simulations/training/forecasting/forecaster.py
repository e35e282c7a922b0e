"""Forecasts of the mean CPU use over the coming samples: the median, and a bound that holds in 95 of 100 cases.

Gradient-boosted trees (LightGBM) predict the change from the last sample. The median, because what is measured is the
absolute error, which the median makes least.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import lightgbm
import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.training.forecasting.calibrating import Moves
from hydatis.simulations.training.forecasting.features import LEAST_SAMPLES, coming_mean, feature_table
from hydatis.simulations.training.forecasting.series import LoadSeries

LEVEL = 0.95
"""Share of cases in which the bound is to hold."""
_STRIDE = 6
"""Every sixth sample is a time to learn from, with another beginning on each machine."""
_CALIBRATION_SHARE = 0.2
"""Of the machines; the bound is fitted on the others."""
_TREES = {
    "num_leaves": 63,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
"""With one thread the same seed gives the same trees."""
_LEARNING_RATE = 0.04
ROUNDS = 500

Table = Callable[[LoadSeries, Int64Array, int], tuple[tuple[str, ...], Float32Array]]
"""What makes features of a machine, times and a horizon."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """At several times of one machine; percent of its CPU, not negative."""

    point: Float64Array
    """(times,)"""
    upper: Float64Array
    """(times,) At least `point`."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Times of some machines, one after the other."""

    features: Float32Array
    """(examples, features)"""
    last: Float64Array
    """(examples,) The last sample, percent."""
    outcome: Float64Array
    """(examples,) The mean of the coming samples."""
    machine: Int64Array
    """(examples,) Number of the machine."""
    times: Int64Array
    """(examples,) Number of the sample."""


@dataclass(frozen=True)
class Forecaster:
    """Fitted for one horizon."""

    horizon: int
    """Samples."""
    names: tuple[str, ...]
    """Of the features."""
    point: Any
    """A LightGBM booster; so is the next."""
    upper: Any
    moves: Moves

    @classmethod
    def fit(
        cls,
        machines: Sequence[LoadSeries],
        horizon: int,
        seed: int,
        *,
        rounds: int = ROUNDS,
        fitted: Callable[[str], None] = lambda part: None,
    ) -> Self:
        """Learn from machines, each long enough for a day of features and the horizon. `fitted` is told of each part.

        Raises:
            SimulationError: there are fewer than two machines, or none is long enough.

        """
        random = np.random.default_rng([seed, horizon])
        starts = random.integers(_STRIDE, size=len(machines))
        times = [
            np.arange(LEAST_SAMPLES - 1 + start, len(machine) - horizon, _STRIDE)
            for machine, start in zip(machines, starts.tolist(), strict=True)
        ]
        names, examples = examples_of(machines, times, horizon)
        used = np.unique(examples.machine)
        if len(used) < 2:
            raise SimulationError(
                "fewer than two machines have samples of more than a day; give longer series to learn forecasts from."
            )
        change = examples.outcome - examples.last
        point = _boosted(examples.features, change, {"objective": "l1"}, rounds, seed)
        fitted("point")
        kept = random.permutation(used)[: max(1, round(_CALIBRATION_SHARE * len(used)))]
        calibrating = np.isin(examples.machine, kept)
        rows, changes = examples.features[~calibrating], change[~calibrating]
        upper = _boosted(rows, changes, {"objective": "quantile", "alpha": LEVEL}, rounds, seed)
        # The point of machines that it was fitted on is closer than that of others; only the class hangs on it.
        held = examples.features[calibrating]
        moves = Moves.fit(point.predict(held), upper.predict(held), change[calibrating], LEVEL)
        fitted("upper")
        return cls(horizon, names, point, upper, moves)

    def changes(self, features: Float32Array) -> tuple[Float64Array, Float64Array]:
        """Return the change from the last sample in the middle and at most, both (rows,), of (rows, features)."""
        point = np.asarray(self.point.predict(features, num_threads=1), dtype=np.float64)
        upper = np.asarray(self.upper.predict(features, num_threads=1), dtype=np.float64)
        return point, self.moves.of(point, upper)

    def at(self, features: Float32Array, last: Float64Array) -> Forecast:
        """Forecast from rows of features and the last samples."""
        point, upper = self.changes(features)
        return Forecast(np.maximum(last + point, 0.0), np.maximum(last + upper, 0.0))

    def forecast(self, machine: LoadSeries, times: Int64Array) -> Forecast:
        """Forecast a machine at numbers of samples, each at least `LEAST_SAMPLES` - 1."""
        _, features = feature_table(machine, times, self.horizon)
        return self.at(features, machine.cpu_percent[times])


def examples_of(
    machines: Sequence[LoadSeries], times: Sequence[Int64Array], horizon: int, table: Table = feature_table
) -> tuple[tuple[str, ...], Examples]:
    """Return names and rows of the times of each machine; those in or before a gap are left out.

    Raises:
        SimulationError: nothing is left.

    """
    names: tuple[str, ...] = ()
    parts: list[tuple[Float32Array, Float64Array, Float64Array, Int64Array, Int64Array]] = []
    for number, (machine, asked) in enumerate(zip(machines, times, strict=True)):
        whole = coming_mean(machine.known.astype(np.float64), horizon)[asked] > 1 - 1e-9
        there = asked[whole & machine.known[asked]]
        if not len(there):
            continue
        names, features = table(machine, there, horizon)
        outcome = coming_mean(machine.cpu_percent, horizon)[there]
        numbers = np.full(len(there), number, dtype=np.int64)
        parts.append((features, machine.cpu_percent[there], outcome, numbers, there))
    if not parts:
        raise SimulationError("no machine has samples of more than a day; give longer series for forecasts.")
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return names, Examples(*columns)


def _boosted(features: Float32Array, target: Float64Array, objective: dict[str, Any], rounds: int, seed: int) -> Any:
    parameters = {**_TREES, **objective, "learning_rate": _LEARNING_RATE, "seed": seed}
    return lightgbm.train(parameters, lightgbm.Dataset(features, target, free_raw_data=True), rounds)
