import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydatis.simulations.training.anomaly.calibrating import THRESHOLD, Calibration, score_of

PARETO = np.random.default_rng(1).pareto(3.0, size=100_000)


def test_the_share_of_training_samples_above_a_score_is_the_one_it_stands_for() -> None:
    scores = score_of(Calibration.fit(PARETO).surprise(PARETO))
    for score, share in ((40.0, 0.01), (25.0, 0.1), (9.12, 0.5)):
        assert (scores > score).mean() == pytest.approx(share, rel=0.05)
    # In the tail it is the fitted one, not counted.
    assert (scores > THRESHOLD).mean() == pytest.approx(0.001, rel=0.3)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(-1e7, 1e7), st.floats(0, 1e7))
def test_a_larger_number_never_has_a_lower_score_and_all_lie_in_range(
    training: list[float], number: float, more: float
) -> None:
    calibration = Calibration.fit(np.array(training))
    low, high = score_of(calibration.surprise(np.array([number, number + more])))
    # Interpolation rounds.
    assert 0 <= low <= high + 1e-9
    assert high <= 100


def test_beyond_everything_seen_scores_still_tell_apart() -> None:
    calibration = Calibration.fit(PARETO)
    assert (np.diff(calibration.surprise(PARETO.max() * np.array([1.0, 2.0, 10.0, 1e6]))) > 0.5).all()


def test_the_table_stays_small() -> None:
    assert len(Calibration.fit(PARETO).numbers) <= 50
