"""The report of `hydatis bench simulations`: JSON, a table to read, and the same in Markdown.

Called by the command at the end.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

DEFINITIONS: Mapping[str, str] = {
    "seconds_a_run": "Processor time of a run from its first event to its record, the fastest of the repeats; the "
    "workload is drawn before.",
    "decisions_a_second": "Scheduling cycles, failed ones included, by that time, in which is all else that "
    "a simulation does.",
    "virtual_hours": "How much virtual time a run covers; 0 for the static protocol, which has no time.",
}
_HEADINGS = ("scenario", "nodes", "pods", "virtual hours", "policy", "seconds a run", "decisions a second")
_LEFT = (0, 4)
"""Columns of text."""


def print_table(document: Mapping[str, Any], console: Console) -> None:
    """Print a line for each scenario and policy."""
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for index, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="left" if index in _LEFT else "right")
    for entry in document["results"]:
        table.add_row(*_row(entry))
    console.print(table)


def write_markdown(document: Mapping[str, Any], path: Path) -> None:
    """Write the same as a Markdown table, with a line that says what it was measured on."""
    machine, versions = document["machine"], document["versions"]
    rules = ("---" if index in _LEFT else "---:" for index in range(len(_HEADINGS)))
    lines = [
        f"One core; {machine['cores']} cores, {machine['cpu_model']}; HYDATIS {versions['hydatis']}, "
        f"Python {versions['python']}.",
        "",
        f"| {' | '.join(_HEADINGS)} |",
        f"| {' | '.join(rules)} |",
        *(f"| {' | '.join(_row(entry))} |" for entry in document["results"]),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        entry["scenario"],
        f"{entry['nodes']:,}",
        f"{entry['pods']:,}",
        f"{entry['virtual_hours']:g}" if entry["virtual_hours"] else "",
        entry["policy"],
        f"{entry['seconds_a_run']:.1f}",
        f"{entry['decisions_a_second']:,}",
    )
