"""Measures detectors on machines whose anomalies are labelled: fitted on each machine's training part, judged on its
test part.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.intervals import Interval, interval_of, paired_difference
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.training.anomaly.calibrating import THRESHOLD
from hydatis.simulations.training.anomaly.detectors import members_of
from hydatis.simulations.training.anomaly.machines import SOURCES, LabelledMachine, Side, read_machines
from hydatis.simulations.training.anomaly.measuring import AnomalyFigures, figures_of
from hydatis.simulations.training.anomaly.smoothing import SPAN
from hydatis.simulations.training.anomaly.windowed import WindowedDetector

REFERENCE = "plain iforest"
"""Isolation Forest on standardised metrics alone, not smoothed: the others are compared with it, machine by machine."""
ALL_SOURCES = "all"
"""Stands for the sources together, every machine counting once."""
FIGURES = tuple(field.name for field in fields(AnomalyFigures))


@dataclass(frozen=True, slots=True)
class MachineResult:
    """What one detector reached on one machine."""

    detector: str
    source: str
    side: Side
    machine: str
    figures: AnomalyFigures


@dataclass(frozen=True, slots=True)
class GroupResult:
    """Means over the machines of one source and side, with 95 % intervals over machines."""

    detector: str
    source: str
    side: Side
    machines: int
    figures: Mapping[str, Interval]
    """By name, as in `AnomalyFigures`."""
    auc_pr_gain: Interval
    """AUC-PR minus that of the reference, machine by machine."""


@dataclass(frozen=True, slots=True)
class AnomalyEvaluation:
    """All of it."""

    seed: int
    span: int
    machines: tuple[MachineResult, ...]
    groups: tuple[GroupResult, ...]

    def document(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {"reference": REFERENCE, "threshold": THRESHOLD, **asdict(self)}


def evaluate_anomaly(
    folder: DataFolder | None,
    detectors: Iterable[str] = ("combined",),
    seed: int = 1,
    *,
    span: int = SPAN,
    sources: Sequence[str] = SOURCES,
    done: Callable[[MachineResult], None] = lambda result: None,
) -> AnomalyEvaluation:
    """Measure the detectors, and `REFERENCE` beside them, on the labelled machines of a folder, or on made-up ones.

    `done` is told of every result. About 2 s a detector and machine.

    Raises:
        SimulationError: there is no such detector, or the folder has no labelled machines.
        TraceError: a file cannot be read.

    """
    asked = tuple(dict.fromkeys(detectors))
    for name in asked:
        members_of(name)
    names = (REFERENCE, *asked)
    machines = read_machines(folder, seed, sources)
    if not machines:
        raise SimulationError("the folder of traces has neither smd nor asd; put one of them there.")
    results = []
    for machine in machines:
        for name in names:
            results.append(_measured(name, machine, seed, span))
            done(results[-1])
    return AnomalyEvaluation(seed, span, tuple(results), tuple(_groups(results, names)))


def count_of_results(folder: DataFolder | None, detectors: Iterable[str]) -> int:
    """Return how often `done` is going to be called."""
    return (1 + len(set(detectors))) * len(read_machines(folder, 1))


def _measured(name: str, machine: LabelledMachine, seed: int, span: int) -> MachineResult:
    metrics = machine.metrics
    if name == REFERENCE:
        fitted = WindowedDetector.fit(metrics.train, "iforest", seed, span=1, differences=False)
    else:
        fitted = WindowedDetector.fit(metrics.train, name, seed, span=span)
    scores = fitted.scores(metrics.test)
    figures = figures_of(scores, metrics.labels, scores > THRESHOLD, metrics.sample_seconds)
    return MachineResult(name, machine.source, machine.side, metrics.name, figures)


def _groups(results: Sequence[MachineResult], names: Sequence[str]) -> Iterable[GroupResult]:
    sources = sorted({result.source for result in results})
    for source in (*sources, ALL_SOURCES) if len(sources) > 1 else sources:
        for side in Side:
            of_side = [result for result in results if result.side is side and source in (result.source, ALL_SOURCES)]
            if not of_side:
                continue
            reference = _column(of_side, REFERENCE, "auc_pr")
            for name in names:
                figures = {figure: interval_of(_column(of_side, name, figure)) for figure in FIGURES}
                gain = paired_difference(_column(of_side, name, "auc_pr"), reference)
                yield GroupResult(name, source, side, len(reference), figures, gain)


def _column(results: Sequence[MachineResult], name: str, figure: str) -> list[float]:
    values = [float(getattr(result.figures, figure)) for result in results if result.detector == name]
    assert not any(math.isnan(value) for value in values)  # noqa: S101 - every machine has labels
    return values
