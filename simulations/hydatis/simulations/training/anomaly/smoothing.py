"""An exponentially weighted mean of scores: causal, with nothing kept but the last value."""

import numpy as np

from hydatis.scheduler.arrays import Float64Array

SPAN = 5
"""Samples; the newest has a weight of 2 / (span + 1), as in pandas' `ewm(span=..., adjust=False)`."""


def smoothed(scores: Float64Array, last: float | None = None, span: int = SPAN) -> Float64Array:
    """(samples,) Each score's mean with those before it; `last` is the smoothed score before the first."""
    weight = 2 / (span + 1)
    mean = float(scores[0]) if last is None and len(scores) else last or 0.0
    means = np.empty(len(scores))
    for position, score in enumerate(scores.tolist()):
        mean += weight * (score - mean)
        means[position] = mean
    return means
