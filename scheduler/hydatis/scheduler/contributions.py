"""What each feature contributes to the difference between two rows' predictions, for a model of any kind.

The Shapley value of a game in which a set S of features is worth what is predicted for the row with the features of S
as they are and all others as the baseline row has them (Shapley 1953; Lundberg and Lee 2017, with one baseline:
"baseline Shapley", Sundararajan and Najmi 2020):

    phi_i = sum over S without i of |S|! (d - |S| - 1)! / d! (v(S and i) - v(S))

Whatever the model, the contributions add up to the difference of the two predictions, and a feature that is the same in
both rows, or that the model does not look at, contributes nothing. Up to `MOST_EXACT` features that differ, the sum is
taken over all sets. Above that it is the mean over random orders of the features, each with its reverse, of what
each feature changes when it joins those before it (Castro, Gomez and Tejada 2009; Mitchell et al. 2022): an unbiased
estimate, and still one that adds up, since each order does.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hydatis.scheduler.arrays import Float32Array, Float64Array

MOST_EXACT = 10
"""With so many features that differ, 1,024 rows are predicted."""
ORDERS = 32
"""Random orders, each also taken in reverse."""


class Contributions(NamedTuple):
    """They add up to what the row is worth less what the baseline is."""

    values: Float64Array
    """(features,)."""
    errors: Float64Array
    """(features,) standard errors of the values; 0 where they are exact."""
    exact: bool


def contributions(
    worth: Callable[[Float32Array], Float64Array],
    row: Float32Array,
    baseline: Float32Array,
    random: np.random.Generator,
) -> Contributions:
    """Divide `worth` of `row` less `worth` of `baseline`, each (features,), among the features.

    `worth` tells a finite number for each row: (rows, features) to (rows,). It is asked once, with all rows.
    """
    differing = np.flatnonzero(row != baseline)
    values, errors = np.zeros(len(row)), np.zeros(len(row))
    exact = len(differing) <= MOST_EXACT
    if len(differing):
        if exact:
            values[differing] = _over_all_sets(worth, row, baseline, differing)
        else:
            values[differing], errors[differing] = _over_some_orders(worth, row, baseline, differing, random)
    return Contributions(values, errors, exact)


def _over_all_sets(
    worth: Callable[[Float32Array], Float64Array], row: Float32Array, baseline: Float32Array, differing: np.ndarray
) -> Float64Array:
    count = len(differing)
    sets = np.arange(2**count)
    members = (sets[:, np.newaxis] >> np.arange(count)) & 1 == 1
    rows = np.repeat(baseline[np.newaxis], len(sets), axis=0)
    rows[:, differing] = np.where(members, row[differing], baseline[differing])
    worths, sizes = worth(rows), members.sum(axis=1)
    weights = np.array([1.0 / (count * math.comb(count - 1, size)) for size in range(count)])
    found = np.empty(count)
    for feature in range(count):
        without = sets[~members[:, feature]]
        found[feature] = weights[sizes[without]] @ (worths[without | (1 << feature)] - worths[without])
    return found


def _over_some_orders(
    worth: Callable[[Float32Array], Float64Array],
    row: Float32Array,
    baseline: Float32Array,
    differing: np.ndarray,
    random: np.random.Generator,
) -> tuple[Float64Array, Float64Array]:
    count = len(differing)
    orders = random.permuted(np.tile(np.arange(count), (ORDERS, 1)), axis=1)
    orders = np.stack([orders, orders[:, ::-1]], axis=1)
    # The place of each feature in its order; the first n features of an order have joined after n steps.
    places = np.argsort(orders, axis=2)
    joined = places[:, :, np.newaxis, :] < np.arange(count + 1)[:, np.newaxis]
    rows = np.broadcast_to(baseline, (*joined.shape[:3], len(row))).copy()
    rows[..., differing] = np.where(joined, row[differing], baseline[differing])
    worths = worth(rows.reshape(-1, len(row))).reshape(joined.shape[:3])
    changes = np.diff(worths, axis=2)
    by_feature = np.take_along_axis(changes, places, axis=2)
    # An order and its reverse are one draw.
    pairs = by_feature.mean(axis=1)
    return pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / math.sqrt(ORDERS)
