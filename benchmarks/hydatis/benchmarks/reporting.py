"""The report: one JSON document, and the same as a table to read.

Called by the command line at the end.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hydatis.benchmarks.outputs import document_of
from hydatis.benchmarks.records import DEFINITIONS
from hydatis.benchmarks.results import QUIET_CORES, SCHEDULERS, number_at, other_cores, rows

_SHOWN = (
    ("pods/s", ("pods_per_second",), 0),
    ("pods/s from first bind", ("pods_per_second_from_first_bind",), 0),
    ("pods created/s", ("created_per_second",), 0),
    ("latency p50, ms", ("latency_ms", "p50"), 0),
    ("latency p90, ms", ("latency_ms", "p90"), 0),
    ("latency p99, ms", ("latency_ms", "p99"), 0),
    ("CPU of scheduler, ms a pod", ("cpu_ms_per_pod", "scheduler"), 2),
    ("CPU of API server, ms a pod", ("cpu_ms_per_pod", "apiserver"), 2),
    ("CPU of etcd, ms a pod", ("cpu_ms_per_pod", "etcd"), 2),
    ("memory of scheduler, MiB", ("rss_mib",), 0),
    ("ready after, s", ("ready_seconds",), 1),
    ("last Event stored after, s", ("seconds_until_last_event",), 1),
    ("Events a pod", ("events_per_pod",), 2),
    ("cores used by other programs", ("other_cores",), 2),
)
"""(what the table calls it, path in the measurements, decimals)"""
_IN_MARKDOWN = (
    ("pods/s", ("pods_per_second",), 0),
    ("latency p50, ms", ("latency_ms", "p50"), 0),
    ("latency p99, ms", ("latency_ms", "p99"), 0),
    ("CPU of scheduler, ms a pod", ("cpu_ms_per_pod", "scheduler"), 2),
)
"""The same for the table that the documentation holds."""


def report(
    settings: Mapping[str, Any], machine: Mapping[str, Any], versions: Mapping[str, str], runs: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Build the whole report from the records of the runs."""
    return document_of(settings, machine, versions, DEFINITIONS, rows(runs), runs=runs)


def write_markdown(document: Mapping[str, Any], path: Path) -> None:
    """Write the main numbers as a Markdown table: medians, HYDATIS first, then kube-scheduler, then the ratio."""
    machine, versions = document["machine"], document["versions"]
    compared = f"HYDATIS {versions['hydatis']} / kube-scheduler {versions.get('kube-scheduler', 'of unknown version')}"
    lines = [
        f"{compared} (ratio): medians of {document['settings']['repeat']} runs; {machine['cores']} cores, "
        f"{machine['cpu_model']}.",
        "",
        f"| workload | nodes | mode | pods | {' | '.join(name for name, _, _ in _IN_MARKDOWN)} |",
        f"| --- | ---: | --- | ---: {'| ---: ' * len(_IN_MARKDOWN)}|",
    ]
    for row in document["results"]:
        cells = [_beside(row, keys, decimals) for _, keys, decimals in _IN_MARKDOWN]
        head = f"{row['workload']} | {row['nodes']:,} | {row['mode']} | {row['pods']:,}"
        lines.append(f"| {head} | {' | '.join(cells)} |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _beside(row: Mapping[str, Any], keys: Sequence[str], decimals: int) -> str:
    sides = " / ".join(_number(number_at(row[scheduler], keys), decimals) for scheduler in SCHEDULERS)
    return f"{sides} ({_number(number_at(row['ratio'], keys), 2)})"


def print_table(document: Mapping[str, Any], console: Console) -> None:
    """Print the comparison, one block for each row of the results, then every run that is not valid."""
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    table.add_column("workload")
    table.add_column("nodes", justify="right")
    table.add_column("mode")
    table.add_column("median (smallest to largest)")
    for scheduler in SCHEDULERS:
        table.add_column(SCHEDULERS[scheduler], justify="right")
    table.add_column("ratio", justify="right")
    for row in document["results"]:
        for index, (name, path, decimals) in enumerate(_SHOWN):
            first = index == 0
            table.add_row(
                row["workload"] if first else "",
                str(row["nodes"]) if first else "",
                row["mode"] if first else "",
                name,
                *(_with_range(row[scheduler], path, decimals) for scheduler in SCHEDULERS),
                _number(number_at(row["ratio"], path), 2),
                end_section=index == len(_SHOWN) - 1,
            )
    console.print(table)
    others = other_cores(document["runs"])
    if others > QUIET_CORES:
        note = f"note: other programs kept up to {others:.1f} cores busy; for numbers to rely on, use an idle machine"
        console.print(note, highlight=False)
    for run in document["runs"]:
        if not run["valid"]:
            which = (
                f"{SCHEDULERS[run['scheduler']]}, {run['workload']}, {run['nodes']} nodes, {run['mode']}, "
                f"repeat {run['repeat'] + 1}"
            )
            console.print(f"not valid: {which}: {'; '.join(run['problems'])}", style="red", highlight=False)


def _with_range(side: Mapping[str, Any], path: Sequence[str], decimals: int) -> str:
    text = _number(number_at(side, path), decimals)
    if side["valid_runs"] < 2:
        return text
    smallest, largest = (_number(number_at(side["range"][end], path), decimals) for end in ("min", "max"))
    return f"{text} ({smallest} to {largest})"


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
