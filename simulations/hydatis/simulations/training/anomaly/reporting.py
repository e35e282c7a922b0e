"""The evaluation of detectors as a table, for the terminal and for the documentation."""

from rich.table import Table

from hydatis.simulations.console import plain_console
from hydatis.simulations.intervals import Interval
from hydatis.simulations.markdown import results_table
from hydatis.simulations.training.anomaly.evaluating import REFERENCE, AnomalyEvaluation, GroupResult

_TITLES = (
    "machines",
    "detector",
    "AUC-PR",
    f"more than {REFERENCE}",
    "best F1",
    "false alarms a node-day",
    "anomalies found",
)


def print_evaluation(evaluation: AnomalyEvaluation) -> None:
    """Print a row for each detector, source and side."""
    table = Table(*_TITLES)
    for group in evaluation.groups:
        table.add_row(*_cells(group))
    plain_console().print(table)


def markdown_table(evaluation: AnomalyEvaluation) -> str:
    """Return the table of the documentation."""
    return results_table(_TITLES, map(_cells, evaluation.groups), texts=(0, 1))


def _cells(group: GroupResult) -> tuple[str, ...]:
    figures = group.figures
    return (
        f"{group.source}, {group.side} ({group.machines})",
        group.detector,
        _text(figures["auc_pr"]),
        "-" if group.detector == REFERENCE else _text(group.auc_pr_gain),
        f"{figures['best_f1'].mean:.3f}",
        f"{figures['false_alarms_a_day'].mean:.2f}",
        f"{100 * figures['segments_found'].mean:.0f} %",
    )


def _text(interval: Interval) -> str:
    return f"{interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f})"
