import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from hydatis.simulations.training.anomaly.measuring import figures_of


def test_auc_pr_and_best_f1_are_those_of_scikit_learn_with_ties_too() -> None:
    random = np.random.default_rng(1)
    scores = random.integers(0, 20, size=500).astype(np.float64)
    labels = random.random(500) < scores / 60
    figures = figures_of(scores, labels, scores > 15, 60.0)
    precision, recall, _ = precision_recall_curve(labels, scores)
    assert figures.auc_pr == pytest.approx(average_precision_score(labels, scores))
    assert figures.best_f1 == pytest.approx(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12)))
    assert figures.random_auc_pr == labels.mean()


def test_false_alarms_are_runs_that_touch_no_anomaly() -> None:
    labels = np.zeros(1440, dtype=np.bool_)
    labels[100:110] = labels[500:510] = True
    alarms = np.zeros(1440, dtype=np.bool_)
    # One begins before the anomaly and reaches into it; two are false.
    alarms[95:101] = alarms[200:205] = alarms[300] = True
    figures = figures_of(alarms.astype(np.float64), labels, alarms, 60.0)
    assert figures.false_alarms_a_day == 2
    assert figures.segments_found == 0.5
