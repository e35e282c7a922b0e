"""Means over seeds, with how sure they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_RESAMPLES = 10_000
_CONFIDENCE = 0.95
_SEED = 20_230_710
"""Of the resampling: the same values always give the same interval."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % bootstrap interval; with one value all three are that value."""

    mean: float
    low: float
    high: float


def interval_of(values: Sequence[float]) -> Interval:
    """Resample the values with replacement; `values` has one entry a seed, at least one."""
    sample = np.asarray(values, dtype=np.float64)
    random = np.random.default_rng(_SEED)
    means = sample[random.integers(len(sample), size=(_RESAMPLES, len(sample)))].mean(axis=1)
    low, high = np.quantile(means, ((1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2))
    return Interval(float(sample.mean()), float(low), float(high))
