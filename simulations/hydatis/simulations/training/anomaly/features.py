"""What a detector sees of a machine at each sample: its metrics in units of their own deviation, and how far each is
from its recent mean. Nothing looks ahead.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.traces.forms import Float32Array

RECENT_SAMPLES = 30
"""Length of the recent mean, this sample included. Chosen on the tuning machines."""
MOST_DEVIATIONS = 20.0
"""Standardised metrics are cut here: one that hardly ever moved in training would drown all others."""
_LEAST_DEVIATION = 1e-6
"""A metric that varies less is constant, and says nothing."""

Values = Float64Array | Float32Array


@dataclass(frozen=True, slots=True)
class Features:
    """How rows of metrics become rows of features, as learnt from the training part."""

    kept: BoolArray
    """(metrics,) Those that are not constant."""
    mean: Float64Array
    """(kept metrics,)"""
    deviation: Float64Array
    difference_mean: Float64Array
    """(kept metrics,) The same two of the difference from the recent mean."""
    difference_deviation: Float64Array
    differences: bool
    """Whether differences are features at all."""

    @classmethod
    def fit(cls, train: Values, differences: bool = True) -> Self:
        """Learn from (samples, metrics).

        Raises:
            SimulationError: a value is not finite, or no metric varies.

        """
        values = np.asarray(train, dtype=np.float64)
        if values.ndim != 2 or not np.isfinite(values).all():
            raise SimulationError("the metrics to train on hold a gap or are no table; fill gaps with the last value.")
        kept: BoolArray = values.std(axis=0) > _LEAST_DEVIATION if len(values) else np.zeros(0, dtype=np.bool_)
        if not kept.any():
            raise SimulationError("no metric varies in the training part; give it more samples.")
        mean, deviation = values[:, kept].mean(axis=0), values[:, kept].std(axis=0)
        level = _cut((values[:, kept] - mean) / deviation)
        difference = level - recent_mean(level)
        spread = np.maximum(difference.std(axis=0), _LEAST_DEVIATION)
        return cls(kept, mean, deviation, difference.mean(axis=0), spread, differences)

    @property
    def count(self) -> int:
        """Features of a row."""
        return (2 if self.differences else 1) * len(self.mean)

    def of(self, values: Values, before: Values | None = None) -> Float64Array:
        """(samples, metrics) to (samples, features): levels, then differences from the recent mean.

        `before` holds the samples right before the first, for its recent mean; what is more than that needs is not
        looked at. Gaps (NaN) count as the mean.
        """
        earlier = np.empty((0, len(self.kept))) if before is None else before[-(RECENT_SAMPLES - 1) :]
        rows = np.concatenate([np.asarray(earlier, dtype=np.float64), np.asarray(values, dtype=np.float64)])
        level = _cut(np.nan_to_num((rows[:, self.kept] - self.mean) / self.deviation, nan=0.0))
        if not self.differences:
            return level[len(earlier) :]
        difference = (level - recent_mean(level) - self.difference_mean) / self.difference_deviation
        return np.hstack([level, _cut(difference)])[len(earlier) :]


def recent_mean(rows: Float64Array) -> Float64Array:
    """(samples, columns) The mean of each row and those right before it, `RECENT_SAMPLES` of them or as many as there
    are.
    """
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    ends = np.arange(1, len(rows) + 1)
    starts = np.maximum(ends - RECENT_SAMPLES, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts)[:, np.newaxis])


def _cut(rows: Float64Array) -> Float64Array:
    return np.clip(rows, -MOST_DEVIATIONS, MOST_DEVIATIONS)
