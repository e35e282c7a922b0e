"""The progress of a sweep and its results on the terminal. Called by `hydatis simulate`."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table

from hydatis.simulations.comparing import Verdict
from hydatis.simulations.console import plain_console
from hydatis.simulations.intervals import Interval
from hydatis.simulations.measures.catalogue import BY_NAME
from hydatis.simulations.reporting.findings import MAIN_MEASURE, sorted_policies, warnings
from hydatis.simulations.reporting.study import Study
from hydatis.simulations.sweeps.running import Done
from hydatis.simulations.sweeps.summary import RunSummary

_COLUMNS = (
    MAIN_MEASURE,
    "cpu_p99_percent",
    "cpu_spread_points",
    "pending_p99_seconds",
    "success_percent",
    "nodes_used",
)
_VERDICTS = {Verdict.BETTER: "better", Verdict.WORSE: "worse", Verdict.OPEN: "open"}


@contextmanager
def shown_progress(total: int) -> Iterator[Done]:
    """A function that is told of every run that is there: a bar on a terminal, lines elsewhere; on stderr."""
    console = Console(stderr=True)
    there = 0
    if not console.is_terminal:

        def line(summary: RunSummary, kept: bool) -> None:
            nonlocal there
            there += 1
            how = "kept" if kept else f"{summary.measures[MAIN_MEASURE]:.2f} % of node-minutes above 80 % CPU"
            console.print(f"{there}/{total} {summary.job.label}: {how}", markup=False, highlight=False, soft_wrap=True)

        yield line
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("runs", total=total)
        yield lambda summary, kept: display.update(task, advance=1, description=escape(summary.job.label))


def print_study(study: Study) -> None:
    """Print a row for each policy: means with intervals, and whether it is better than the reference."""
    found = study.comparison
    measures = [BY_NAME[name] for name in _COLUMNS]
    titles = [f"{measure.title}\n{measure.unit}" for measure in measures]
    table = Table(
        Column("policy", overflow="fold"),
        *titles,
        f"{measures[0].title}\nagainst the\nreference",
        title=escape(study.scenario),
    )
    for policy in sorted_policies(study):
        cells = (_cell(found.policies[policy].get(measure.name)) for measure in measures)
        difference = found.differences.get(policy, {}).get(MAIN_MEASURE)
        table.add_row(escape(policy), *cells, "-" if difference is None else str(difference.verdict))
    console = plain_console()
    console.print(table)
    for text in warnings(study):
        console.print(text, markup=False)


def _cell(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{interval.mean:,.1f}\n({interval.low:,.1f} - {interval.high:,.1f})"
