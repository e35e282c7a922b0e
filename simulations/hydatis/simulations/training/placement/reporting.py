"""The evaluation of agents as a table, for the terminal and for the documentation, and their learning curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from hydatis.simulations.console import plain_console
from hydatis.simulations.intervals import Interval
from hydatis.simulations.markdown import results_table
from hydatis.simulations.training.placement.curves import Curve
from hydatis.simulations.training.placement.evaluating import CLOSED_FORM, REFERENCE, PolicyResult

_TITLES = (
    "setting",
    "policy",
    "node-minutes above 80 % CPU, %",
    f"against {REFERENCE}",
    f"against {CLOSED_FORM}",
    "above 90 %, %",
    "p99 node CPU, %",
    "throttled core-hours",
    "success, %",
)
_COLOURS = {"TargetLoadPacking": "#E69F00", "KubeScheduler": "#8a8a8a", "ExpectedOverload": "#009E73"}
"""Of Okabe and Ito's colours, which colour-blind readers can tell apart."""


def print_results(results: Sequence[PolicyResult]) -> None:
    """Print a row for each setting and policy."""
    table = Table(*_TITLES)
    for result in results:
        table.add_row(*_cells(result))
    plain_console().print(table)


def markdown_table(results: Sequence[PolicyResult]) -> str:
    """Return the table of the documentation."""
    return results_table(_TITLES, map(_cells, results), texts=(0, 1))


def draw_curves(curves: Sequence[Curve], references: Mapping[str, float], path: Path) -> None:
    """Draw them into a file whose name tells the format; needs matplotlib.

    Raises:
        OSError: the file cannot be written.

    """
    # Only the figure needs it, and it is slow to import.
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    axes = figure.subplots()
    for name, value in references.items():
        axes.axhline(value, color=_COLOURS[name], linewidth=1.2, linestyle="--", label=name)
    for curve in curves:
        axes.plot(curve.steps, curve.values, marker="o", markersize=3, linewidth=1.3, label=curve.agent)
    axes.set_xlabel("decisions in training")
    axes.set_ylabel("node-minutes above 80 % CPU, %")
    axes.set_ylim(bottom=0.0)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=130)


def _cells(result: PolicyResult) -> tuple[str, ...]:
    measures = result.measures
    return (
        f"{result.setting} ({result.seeds})",
        result.policy,
        _interval(measures["node_minutes_above_80"], 1),
        _change(result.against_reference) if result.policy != REFERENCE else "-",
        _change(result.against_closed_form) if result.policy != CLOSED_FORM else "-",
        f"{measures['node_minutes_above_90'].mean:.1f}",
        f"{measures['cpu_p99_percent'].mean:.0f}",
        _interval(measures["throttled_core_hours"], 0),
        f"{measures['success_percent'].mean:.1f}",
    )


def _interval(interval: Interval, digits: int) -> str:
    mean, low, high = (f"{value:,.{digits}f}" for value in (interval.mean, interval.low, interval.high))
    return f"{mean} ({low} - {high})"


def _change(ratio: Interval | None) -> str:
    if ratio is None:
        return "-"
    mean, low, high = (f"{100 * (value - 1):+.0f}" for value in (ratio.mean, ratio.low, ratio.high))
    return f"{mean} % ({low} to {high})"
