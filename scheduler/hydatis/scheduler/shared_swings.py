"""How far pods of one owner swing together: the covariance of two of its pods' use of CPU and memory at one time.

`OwnerHistory` owns it. With S the sum of n pods' shares sampled together, Q the sum of their squares, the mean product
of two different pods is (S^2 - Q) / (n (n - 1)); its mean over time less the square of the mean is the covariance.
Moments at which just one pod was sampled tell nothing of it.
"""

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Rows


class SharedSwings:
    """One column an owner; CPU and memory are the rows."""

    def __init__(self, capacity: int) -> None:
        self.weight: Float64Array = np.zeros((2, capacity))
        """Moments."""
        self.product: Float64Array = np.zeros((2, capacity))
        self.mean: Float64Array = np.zeros((2, capacity))

    def tables(self) -> tuple[Float64Array, ...]:
        """Return what is forgotten in time."""
        return self.weight, self.product, self.mean

    def learn(self, numbers: Rows, shares: Float64Array, observations: Float64Array) -> None:
        """Take in samples of one moment: `shares` (2, samples) of owners `numbers` (samples,), NaN where unknown."""
        owners, where = np.unique(numbers, return_inverse=True)
        for resource, values in enumerate(shares):
            told = ~np.isnan(values)
            who, value = where[told], values[told]
            count = np.bincount(who, minlength=len(owners)).astype(np.float64)
            total = np.bincount(who, value, len(owners))
            squares = np.bincount(who, value * value, len(owners))
            new = np.bincount(who, observations[told], len(owners))
            several = count > 1
            who, count, total, squares = owners[several], count[several], total[several], squares[several]
            # As much as one pod's sample says anew.
            weight = new[several] / count
            self.weight[resource, who] += weight
            self.product[resource, who] += weight * (total * total - squares) / (count * (count - 1.0))
            self.mean[resource, who] += weight * total / count

    def covariance(self, resource: int) -> Float64Array:
        """Return (owners,) the covariance between two pods of each owner, as squared shares; 0 where nothing tells."""
        weight = self.weight[resource]
        known = np.where(weight > 0.0, weight, 1.0)
        mean = self.mean[resource] / known
        return np.asarray(np.maximum(0.0, self.product[resource] / known - mean * mean), dtype=np.float64)
