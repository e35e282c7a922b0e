"""Histograms of values above 0 with buckets that grow geometrically: quantiles in bounded memory, to within a bucket.

Kubernetes' VerticalPodAutoscaler keeps its usage samples alike (autoscaler vertical-pod-autoscaler
pkg/recommender/util/histogram.go and decaying_histogram.go).
"""

from typing import Final

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array

BUCKETS: Final = 64
FIRST_BUCKET_ENDS: Final = 0.01
RATIO: Final = 1.12
"""Each bucket ends at so many times where the one before ends; the last that ends does so at 11 times the request."""

_ENDS: Float64Array = FIRST_BUCKET_ENDS * RATIO ** np.arange(BUCKETS - 1, dtype=np.float64)
_STARTS: Float64Array = np.concatenate([[0.0], _ENDS])


def bucket_of(values: Float64Array) -> Int64Array:
    """Return the bucket of each value; the last holds all that are too large for the others."""
    return np.searchsorted(_ENDS, values, side="left").astype(np.int64)


def quantile(weights: Float64Array, level: float) -> float:
    """Return the value below which so much of the weight lies, evenly spread over each bucket; NaN without weight.

    `weights` has shape (BUCKETS,), `level` is between 0 and 1. Of the last bucket its start is returned.
    """
    total = float(weights.sum())
    if total <= 0.0:
        return float("nan")
    below = np.cumsum(weights)
    bucket = min(int(np.searchsorted(below, level * total)), BUCKETS - 1)
    if bucket == BUCKETS - 1:
        return float(_STARTS[bucket])
    before = float(below[bucket]) - float(weights[bucket])
    part = (level * total - before) / float(weights[bucket])
    return float(_STARTS[bucket] + part * (_ENDS[bucket] - _STARTS[bucket]))
