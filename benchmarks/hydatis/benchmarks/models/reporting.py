"""The report of `hydatis bench models`: JSON, a table to read, and the same in Markdown."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hydatis.benchmarks.models.timing import CLOSED_FORM, FEATURES, FIRST, LIKE

DEFINITIONS: Mapping[str, str] = {
    CLOSED_FORM: "The overload that a pod adds to each of all nodes, in closed form.",
    FEATURES: "What models see of a pod on each of all nodes.",
    "… model …": "What a model predicts for each of all nodes, in one call of ONNX Runtime on one thread.",
    FIRST: "One scheduling cycle for the first pod of its owner: every node is filtered and scored, by the closed form "
    "and by every model given.",
    LIKE: "One for a pod like the one that was placed just before.",
    "milliseconds": "Processor time of the thread that decides.",
}
_HEADINGS = ("ms", "p50", "p95", "p99", "max", "samples")


def print_table(document: Mapping[str, Any], console: Console) -> None:
    """Print a line for each thing measured."""
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for index, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="right" if index else "left")
    for entry in document["results"]:
        table.add_row(*_row(entry))
    console.print(table)


def write_markdown(document: Mapping[str, Any], path: Path) -> None:
    """Write the same as a Markdown table, with a line that says what it was measured on."""
    settings, machine, versions = document["settings"], document["machine"], document["versions"]
    lines = [
        f"{settings['nodes']:,} nodes; {machine['cores']} cores, {machine['cpu_model']}; "
        f"HYDATIS {versions['hydatis']}, Python {versions['python']}.",
        "",
        f"| {' | '.join(_HEADINGS)} |",
        f"| --- {'| ---: ' * (len(_HEADINGS) - 1)}|",
        *(f"| {' | '.join(_row(entry))} |" for entry in document["results"]),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    milliseconds = entry["milliseconds"]
    numbers = (f"{milliseconds[name]:.2f}" for name in ("p50", "p95", "p99", "max"))
    return (entry["what"], *numbers, str(entry["count"]))
