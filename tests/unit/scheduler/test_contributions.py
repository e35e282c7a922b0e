"""Contributions of features to the difference of two predictions."""

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from hydatis.scheduler.arrays import Float32Array, Float64Array
from hydatis.scheduler.contributions import MOST_EXACT, contributions


def random() -> np.random.Generator:
    return np.random.default_rng(3)


def row_of(values: Any) -> Float32Array:
    return np.array(values, dtype=np.float32)


def interacting(rows: Float32Array) -> Float64Array:
    """Products and thresholds, so that the order in which features join matters."""
    wide = rows.astype(np.float64)
    return np.asarray(wide[:, 0] * wide[:, 1] + np.where(wide[:, 2] > 0.5, wide[:, 3], wide[:, 0]) + wide[:, 4] ** 2)


def test_a_linear_model_divides_by_its_weights() -> None:
    weights = np.array([2.0, -1.0, 0.5, 4.0])
    found = contributions(lambda rows: rows @ weights, row_of([1, 2, 3, 9]), row_of([0, 1, 5, 9]), random())
    assert found.values.tolist() == [2.0, -1.0, -1.0, 0.0]
    assert found.exact
    assert not found.errors.any()


def test_it_is_the_mean_over_all_orders_in_which_features_join() -> None:
    row, baseline = row_of([1, 2, 1, 3, 4]), row_of([0.5, 0, 0, 1, 2])
    wanted = np.zeros(5)
    for order in permutations(range(5)):
        now = baseline.copy()
        for feature in order:
            before = float(interacting(now[np.newaxis])[0])
            now[feature] = row[feature]
            wanted[feature] += (float(interacting(now[np.newaxis])[0]) - before) / math.factorial(5)
    found = contributions(interacting, row, baseline, random())
    assert found.values == pytest.approx(wanted)


@pytest.mark.parametrize("width", [1, 5, MOST_EXACT, MOST_EXACT + 1, 30])
def test_they_add_up_to_the_difference_whatever_the_model(width: int) -> None:
    draw = np.random.default_rng(width)
    layers = draw.normal(size=(width, 8)), draw.normal(size=8)

    def network(rows: Float32Array) -> Float64Array:
        return np.asarray(np.tanh(rows @ layers[0]) @ layers[1], dtype=np.float64)

    row, baseline = (draw.normal(size=width).astype(np.float32) for _ in range(2))
    found = contributions(network, row, baseline, random())
    difference = network(np.stack([row, baseline]))
    assert found.values.sum() == pytest.approx(float(difference[0] - difference[1]))
    assert found.exact == (width <= MOST_EXACT)


def test_a_sample_of_orders_is_close_to_all_of_them_and_says_how_close() -> None:
    draw = np.random.default_rng(1)
    row, baseline = (draw.normal(size=20).astype(np.float32) for _ in range(2))
    # Of the twenty that differ only five count, for which all sets can be taken.
    sampled = contributions(interacting, row, baseline, random())
    counting = baseline.copy()
    counting[:5] = row[:5]
    exact = contributions(interacting, counting, baseline, random())
    assert exact.exact
    assert not sampled.exact
    assert not sampled.values[5:].any()
    assert (np.abs(sampled.values - exact.values) <= 4.0 * sampled.errors + 1e-9).all()
    again = contributions(interacting, row, baseline, random())
    assert again.values.tolist() == sampled.values.tolist()


def test_rows_that_are_the_same_have_nothing_to_divide() -> None:
    found = contributions(interacting, row_of([1, 2, 3, 4, 5]), row_of([1, 2, 3, 4, 5]), random())
    assert not found.values.any()
    assert found.exact
