import numpy as np
import pytest

from hydatis.simulations.training.forecasting.calibrating import Moves


def test_the_bound_holds_as_often_as_promised_on_what_it_was_not_fitted_on() -> None:
    random = np.random.default_rng(1)
    spread = random.uniform(0.5, 5.0, 8000)
    outcome = spread * random.standard_normal(8000)
    point, upper = np.zeros(8000), 0.8 * spread
    moves = Moves.fit(point[:4000], upper[:4000], outcome[:4000], 0.95)
    held = outcome[4000:] <= moves.of(point[4000:], upper[4000:])
    assert (outcome <= upper).mean() < 0.8
    assert held.mean() == pytest.approx(0.95, abs=0.015)
    wide = spread[4000:] > 3.0
    assert held[wide].mean() == pytest.approx(0.95, abs=0.02)
    assert held[~wide].mean() == pytest.approx(0.95, abs=0.02)


def test_few_cases_make_one_class_and_move_by_the_largest() -> None:
    moves = Moves.fit(np.zeros(5), np.ones(5), np.array([0.0, 1.0, 2.0, 3.0, 4.0]), 0.95)
    assert moves.moves.tolist() == [3.0]
    assert len(moves.edges) == 0


def test_the_bound_is_never_below_the_point() -> None:
    moves = Moves.fit(np.zeros(50), np.ones(50), np.full(50, -9.0), 0.95)
    assert moves.of(np.array([2.0]), np.array([3.0])).tolist() == [2.0]
