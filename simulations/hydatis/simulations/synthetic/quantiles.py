"""Distributions as a few quantiles, and numbers that are correlated yet keep their distributions."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from hydatis.scheduler.arrays import Float64Array

LEVELS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
_erf = np.frompyfunc(math.erf, 1, 1)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A distribution of non-negative numbers by its quantiles at `LEVELS`, in between linear in log(1 + value)."""

    values: tuple[float, ...]
    tail_index: float | None = None
    """Where it is set, the top hundredth is a Pareto tail with this index instead: the smaller, the heavier."""

    @classmethod
    def of(cls, sample: ArrayLike, *, tail_index: float | None = None) -> Self:
        """Describe a sample. With a tail index the largest values are not kept."""
        numbers = np.asarray(sample, dtype=np.float64)
        values = np.quantile(numbers[np.isfinite(numbers)], LEVELS)
        if tail_index is not None:
            values[-1] = values[-2]
        return cls(tuple(float(f"{value:.4g}") for value in values), tail_index)

    def at(self, levels: ArrayLike) -> Float64Array:
        """Return the values at these levels, 0 to 1: draws, when the levels are uniform random numbers."""
        asked = np.asarray(levels, dtype=np.float64)
        found = np.expm1(np.interp(asked, LEVELS, np.log1p(self.values)))
        if self.tail_index is not None:
            start = LEVELS[-2]
            beyond = np.maximum((1.0 - asked) / (1.0 - start), 1e-6) ** (-1.0 / self.tail_index)
            found = np.where(asked > start, self.values[-2] * beyond, found)
        return np.asarray(found, dtype=np.float64)


def hill_index(sample: Float64Array, share: float = 0.05) -> float:
    """Estimate the Pareto index of a sample's largest values (Hill's estimator)."""
    largest = np.sort(sample[np.isfinite(sample) & (sample > 0)])[::-1]
    count = max(10, int(share * len(largest)))
    logs = np.log(largest[: count + 1])
    return float(1.0 / np.mean(logs[:-1] - logs[-1]))


def uniform_of(normal: ArrayLike) -> Float64Array:
    """Turn standard normal numbers into uniform ones."""
    scaled = np.asarray(normal, dtype=np.float64) / math.sqrt(2.0)
    return np.asarray(0.5 * (1.0 + np.asarray(_erf(scaled), dtype=np.float64)), dtype=np.float64)


def normal_scores(sample: Float64Array) -> Float64Array:
    """Give each item the standard normal number that belongs to its rank; equals share the mean of theirs."""
    count = len(sample)
    # The normal quantile function by looking it up, exact enough for correlations.
    grid = np.linspace(-5.0, 5.0, 20_001)
    by_rank = np.interp((np.arange(count) + 0.5) / count, uniform_of(grid), grid)
    order = np.argsort(sample, kind="stable")
    _, first, counts = np.unique(sample[order], return_index=True, return_counts=True)
    means = np.array([by_rank[start : start + size].mean() for start, size in zip(first, counts, strict=True)])
    scores = np.empty(count)
    scores[order] = np.repeat(means, counts)
    return scores
