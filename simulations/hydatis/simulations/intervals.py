"""Means over seeds, and differences between policies that had the same seeds, with how sure they are.

All intervals are percentile bootstrap intervals (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993,
chapter 13): seeds are drawn with replacement, and the quantiles of the drawn means bound the mean. With few seeds they
are somewhat too narrow, by about the square root of (n - 1) / n and more (Hesterberg, *What Teachers Should Know About
the Bootstrap*, The American Statistician 69, 2015): with 10 seeds a 95 % interval holds the mean in about 9 cases of
10.

Policies are compared in pairs: both get the same drawn seeds, so that what a seed does to both cancels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hydatis.scheduler.arrays import Float64Array

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
    return _interval(float(sample.mean()), _drawn_means(sample))


def paired_difference(values: Sequence[float], reference: Sequence[float]) -> Interval:
    """Return mean of `values` minus mean of `reference`; both have one entry a seed, in the same order."""
    return interval_of(np.subtract(values, reference).tolist())


def paired_ratio(values: Sequence[float], reference: Sequence[float]) -> Interval | None:
    """Return mean of `values` over mean of `reference`; None where the reference is or may be 0, which no ratio tells
    anything about.
    """
    return _paired([values, reference], lambda means: (means[0], means[1]))


def paired_share(values: Sequence[float], start: Sequence[float], end: Sequence[float]) -> Interval | None:
    """Return which share of the way from `start` to `end` the values have gone, by means: 0 at the start, 1 at the
    end. None where start and end are, or may be, the same.
    """
    return _paired([values, start, end], lambda means: (means[0] - means[1], means[2] - means[1]))


def _paired(
    samples: Sequence[Sequence[float]],
    quotient: Callable[[Float64Array], tuple[Float64Array, Float64Array]],
) -> Interval | None:
    """Return the quotient of means, with one draw of seeds for all samples."""
    table = np.asarray(samples, dtype=np.float64)
    above, below = quotient(table.mean(axis=1))
    above_drawn, below_drawn = quotient(np.stack([_drawn_means(row) for row in table]))
    # A divisor that changes its sign from draw to draw makes quotients of either sign and any size.
    if not (below_drawn * np.sign(below) > 0).all():
        return None
    return _interval(float(above / below), above_drawn / below_drawn)


def _interval(mean: float, drawn: Float64Array) -> Interval:
    low, high = np.quantile(drawn, ((1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2))
    return Interval(mean, float(low), float(high))


def _drawn_means(sample: Float64Array) -> Float64Array:
    """(resamples,) The mean of each resample; all samples of one length are drawn alike."""
    seeds = len(sample)
    return np.asarray(_times_drawn(seeds) @ sample / seeds)


@lru_cache(maxsize=8)
def _times_drawn(seeds: int) -> Float64Array:
    """(resamples, seeds) How often each resample draws each seed; nobody writes to it."""
    drawn = np.random.default_rng(_SEED).integers(seeds, size=(_RESAMPLES, seeds))
    cells = drawn + seeds * np.arange(_RESAMPLES)[:, None]
    times = np.bincount(cells.ravel(), minlength=cells.size).reshape(cells.shape).astype(np.float64)
    times.setflags(write=False)
    return times
