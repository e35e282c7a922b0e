import numpy as np
import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.anomaly.made_up import made_up_machines
from hydatis.simulations.training.anomaly.sliding import SlidingDetector
from hydatis.simulations.training.anomaly.windowed import WindowedDetector

VALUES = made_up_machines(seed=1)[0].train


def sliding() -> SlidingDetector:
    return SlidingDetector("principal", window=400, refit_every=150)


def test_it_keeps_no_more_than_the_window_and_fits_every_so_often() -> None:
    detector = sliding()
    scores = detector.observe(VALUES)
    assert detector.kept_samples == 400
    assert detector.refits == len(VALUES) // 150
    assert np.isnan(scores[:150]).all()
    assert np.isfinite(scores[150:]).all()


def test_how_samples_are_bundled_makes_no_difference() -> None:
    one_by_one, bundles = sliding(), sliding()
    single = np.concatenate([one_by_one.observe(VALUES[row : row + 1]) for row in range(500)])
    several = np.concatenate([bundles.observe(VALUES[row : row + 77]) for row in range(0, 500, 77)])[:500]
    assert single == pytest.approx(several, nan_ok=True)


def test_after_a_fit_it_says_what_a_fit_on_the_window_says() -> None:
    scores = sliding().observe(VALUES[:1000])
    fitted = WindowedDetector.fit(VALUES[500:900], "principal")
    assert scores[900:] == pytest.approx(fitted.scores(VALUES[900:1000]))


def test_a_lasting_shift_is_unusual_at_first_and_usual_in_the_end() -> None:
    random = np.random.default_rng(1)
    values = random.standard_normal((2000, 3))
    values[1000:] += 8.0
    scores = sliding().observe(values)
    assert scores[1001:1030].min() > 50
    assert np.mean(scores[1700:]) < 25


@pytest.mark.parametrize("refit_every", [5, 500])
def test_a_period_that_makes_no_sense_is_told(refit_every: int) -> None:
    with pytest.raises(SimulationError, match="refit_every is"):
        SlidingDetector(window=400, refit_every=refit_every)
