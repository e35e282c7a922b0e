import numpy as np
import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.anomaly.detectors import NAMES
from hydatis.simulations.training.anomaly.made_up import made_up_machines
from hydatis.simulations.training.anomaly.row_detector import RowDetector
from hydatis.simulations.training.anomaly.smoothing import SPAN, smoothed
from hydatis.simulations.training.anomaly.windowed import WindowedDetector

MACHINE = made_up_machines(seed=1)[0]
CAUSAL = sorted(set(NAMES) - {"ecod", "copod"})


@pytest.mark.parametrize("name", NAMES)
def test_every_detector_gives_scores_in_range_that_are_higher_in_anomalies(name: str) -> None:
    scores = WindowedDetector.fit(MACHINE.train, name, seed=1).scores(MACHINE.test)
    assert scores.shape == MACHINE.labels.shape
    assert ((scores >= 0) & (scores <= 100)).all()
    assert scores[MACHINE.labels].mean() > scores[~MACHINE.labels].mean() + 2


@pytest.mark.parametrize("name", CAUSAL)
def test_no_score_depends_on_what_comes_later(name: str) -> None:
    fitted = WindowedDetector.fit(MACHINE.train, name, seed=1)
    spoiled = MACHINE.test.copy()
    spoiled[300:] = 1e3
    assert fitted.scores(spoiled)[:300] == pytest.approx(fitted.scores(MACHINE.test)[:300])


def test_the_seed_decides_and_nothing_else() -> None:
    first, again, other = (
        WindowedDetector.fit(MACHINE.train, "iforest", seed).scores(MACHINE.test) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_smoothing_goes_on_where_it_stopped() -> None:
    scores = np.random.default_rng(1).random(50)
    whole = smoothed(scores)
    assert smoothed(scores[20:], last=float(whole[19])) == pytest.approx(whole[20:])
    assert smoothed(np.array([0.0, 1.0])).tolist() == pytest.approx([0.0, 2 / (SPAN + 1)])


def test_several_are_the_mean_of_each_in_its_own_unit() -> None:
    rows = np.random.default_rng(1).standard_normal((500, 4))
    both = RowDetector.fit("combined", rows, seed=1)
    parts = [
        detector.decision_function(rows) / np.quantile(detector.decision_scores_, 0.99) for _, detector in both.members
    ]
    assert len(parts) == 2
    assert both.numbers(rows) == pytest.approx(np.mean(parts, axis=0))


def test_an_unknown_detector_is_told() -> None:
    with pytest.raises(SimulationError, match="there is no detector forest; use one of iforest"):
        WindowedDetector.fit(MACHINE.train, "forest")
