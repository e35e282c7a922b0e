import numpy as np
import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.anomaly.features import MOST_DEVIATIONS, RECENT_SAMPLES, Features, recent_mean


@pytest.fixture
def train() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    values = np.random.default_rng(1).normal(5.0, 2.0, size=(200, 3))
    values[:, 1] = 7.0
    return values


def test_levels_are_standardised_and_constant_metrics_left_out(train: np.ndarray) -> None:
    features = Features.fit(train)
    rows = features.of(train)
    assert rows.shape == (200, features.count) == (200, 4)
    assert rows.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)
    assert rows.std(axis=0) == pytest.approx(np.ones(4))


def test_a_row_depends_on_no_later_one_and_on_no_more_than_it_says(train: np.ndarray) -> None:
    features = Features.fit(train)
    rows = features.of(train)
    assert features.of(train[:120]) == pytest.approx(rows[:120])
    assert features.of(train[120:], before=train[120 - RECENT_SAMPLES + 1 : 120]) == pytest.approx(rows[120:])
    assert features.of(train[120:]) != pytest.approx(rows[120:])


def test_far_values_are_cut_and_gaps_count_as_the_mean(train: np.ndarray) -> None:
    features = Features.fit(train)
    assert features.of(np.array([[1e9, 7.0, np.nan]]))[0, :2].tolist() == [MOST_DEVIATIONS, 0.0]


def test_the_recent_mean_is_that_of_the_last_samples() -> None:
    rows = np.arange(100.0)[:, np.newaxis]
    means = recent_mean(rows)[:, 0]
    assert means[:3].tolist() == [0.0, 0.5, 1.0]
    assert means[99] == pytest.approx(rows[-RECENT_SAMPLES:].mean())


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.full((10, 2), 3.0), "no metric varies"),
        (np.empty((0, 2)), "no metric varies"),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), "fill gaps"),
    ],
)
def test_what_cannot_be_learnt_from_is_told(values: np.ndarray, problem: str) -> None:
    with pytest.raises(SimulationError, match=problem):
        Features.fit(values)
