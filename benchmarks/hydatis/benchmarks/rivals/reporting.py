"""The report of `hydatis bench rivals`: JSON, a table to read, and the same as Markdown.

Called by the command at the end.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hydatis.benchmarks.outputs import document_of
from hydatis.benchmarks.rivals.running import PAIRS

DEFINITIONS: Mapping[str, str] = {
    "overcommitted_nodes": "Nodes that were promised more pods than they hold, by the API server's objects.",
    "too_many": "Pods beyond what their nodes hold, over all nodes: what a kubelet would have to refuse.",
    "onto_full_nodes": "Bindings of each scheduler to nodes that bindings 2 s before, or its own before, had filled.",
    "withdrawn": "Bindings that HYDATIS kept back because the watch had shown the node to be filled meanwhile.",
    "lost": "Pods that have vanished, or have neither a node nor the condition PodScheduled=False.",
    "bound_twice": "Pods for which the API server's audit log shows more than one accepted binding.",
}
_HEADINGS = (
    "schedulers",
    "contests",
    "overcommitted nodes: mean (each)",
    "pods too many: mean (each)",
    "bound to full nodes",
    "withdrawn",
    "bound twice",
    "lost",
)


def report(
    settings: Mapping[str, Any],
    machine: Mapping[str, Any],
    versions: Mapping[str, str],
    contests: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Build the whole report."""
    results = [_summary(pair, contests) for pair in PAIRS]
    return document_of(settings, machine, versions, DEFINITIONS, results, contests=contests)


def print_table(document: Mapping[str, Any], console: Console) -> None:
    """Print one line for each pair, then the contests that did not settle."""
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == _HEADINGS[0] else "right")
    for row in document["results"]:
        table.add_row(*_cells(row))
    console.print(table)
    for contest in document["contests"]:
        if contest["problem"]:
            console.print(f"did not settle: {' and '.join(contest['schedulers'])}: {contest['problem']}", style="red")


def write_markdown(document: Mapping[str, Any], path: Path) -> None:
    """Write the same as a Markdown table, with a line that says what it was measured on."""
    settings, machine = document["settings"], document["machine"]
    lines = [
        f"{settings['nodes']} nodes with {settings['slots']} places each, "
        f"{settings['nodes'] * settings['slots'] + settings['extra']} pods in equal parts; {machine['cores']} cores, "
        f"{machine['cpu_model']}; HYDATIS {document['versions']['hydatis']}, kube-scheduler "
        f"{document['versions'].get('kube-scheduler', 'of unknown version')}.",
        "",
        f"| {' | '.join(_HEADINGS)} |",
        f"| --- {'| ---: ' * (len(_HEADINGS) - 1)}|",
        *(f"| {' | '.join(_cells(row))} |" for row in document["results"]),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _summary(pair: Sequence[str], contests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    settled = [one for one in contests if one["schedulers"] == list(pair) and not one["problem"]]
    return {
        "schedulers": list(pair),
        "contests": len(settled),
        "overcommitted_nodes": [one["overcommitted_nodes"] for one in settled],
        "too_many": [one["too_many"] for one in settled],
        "onto_full_nodes": {name: sum(one["onto_full_nodes"][name] for one in settled) for name in pair},
        "withdrawn": [one["withdrawn"] for one in settled if one["withdrawn"] is not None],
        "bound_twice": sum(one["bound_twice"] for one in settled),
        "lost": sum(one["lost"] for one in settled),
    }


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        " and ".join(row["schedulers"]),
        str(row["contests"]),
        _mean(row["overcommitted_nodes"]),
        _mean(row["too_many"]),
        ", ".join(str(count) for count in row["onto_full_nodes"].values()),
        _mean(row["withdrawn"]),
        str(row["bound_twice"]),
        str(row["lost"]),
    ]


def _mean(values: Sequence[int]) -> str:
    if not values:
        return "-"
    return f"{sum(values) / len(values):.1f} ({', '.join(map(str, values))})"
