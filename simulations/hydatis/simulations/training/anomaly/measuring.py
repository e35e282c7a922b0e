"""How good scores are against labels, sample by sample: an anomaly that is found once is not found at every sample."""

from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array
from hydatis.simulations.traces.machine_anomalies import segments_of

_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class AnomalyFigures:
    """Of one machine."""

    auc_pr: float
    """Average precision: the area below precision over recall, sample by sample, without point adjustment. 0 to 1."""
    best_f1: float
    """The largest F1 of any threshold, known only to who has the labels."""
    false_alarms_a_day: float
    """Runs of samples above the calibrated threshold that touch no labelled sample, a day of the machine."""
    segments_found: float
    """Share of the labelled anomalies with at least one sample above the calibrated threshold."""
    random_auc_pr: float
    """What scores drawn by chance reach: the share of labelled samples."""


def figures_of(scores: Float64Array, labels: BoolArray, alarms: BoolArray, sample_seconds: float) -> AnomalyFigures:
    """Compare (samples,) scores and alarms with labels, of which at least one holds."""
    order = np.argsort(-scores, kind="stable")
    # Equal scores are one threshold: only the last of each counts.
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(labels[order])[ends]
    precision = hits / (ends + 1)
    recall = hits / labels.sum()
    found = np.diff(recall, prepend=0.0)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    days = len(scores) * sample_seconds / _DAY_SECONDS
    false_runs = sum(not labels[run.start : run.end + 1].any() for run in segments_of(alarms))
    anomalies = segments_of(labels)
    return AnomalyFigures(
        auc_pr=float(found @ precision),
        best_f1=float(f1.max()),
        false_alarms_a_day=false_runs / days,
        segments_found=float(np.mean([alarms[run.start : run.end + 1].any() for run in anomalies])),
        random_auc_pr=float(labels.mean()),
    )
