"""The report of `hydatis bench core`: JSON, a table to read, a Markdown table and a figure of the same numbers.

Called by the command at the end.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hydatis.benchmarks.core.timing import CORE, Occasion
from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.figures import require_matplotlib

DEFINITIONS: Mapping[str, str] = {
    "decision": "One scheduling cycle of the decision core, from taking the pod off the queue to the instruction for "
    "the driver; no API server takes part.",
    "first": "The first decision about a pod of its kind: every node is filtered and scored.",
    "like": "A decision about a pod like the one decided about just before.",
    "changed": "The same, after 20 running pods have gone and come back elsewhere in the cluster.",
    "milliseconds": "Processor time of the scheduler as it ships, over all decisions of all kinds.",
    "plugin_milliseconds": "Mean time that a decision spends in each plugin, from a second scheduler whose plugins are "
    "timed.",
}
_HEADINGS = (
    "pod",
    "first of its kind, ms: p50 (p99)",
    "next like pod, ms: p50 (p99)",
    "after changes elsewhere, ms: p50 (p99)",
    "where a first decision's time goes",
    "where a like pod's time goes",
)
_SHORT_HEADINGS = ("pod; p50 (p99) in ms", "first", "next like pod", "after changes", "where a like pod's time goes")
_MOST_TIMES_USUAL = 5
"""How many times the median shape's p99 the axis of the figure holds."""
_MOST_PARTS = 3
_MOST_PARTS_SHORT = 2
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
"""Okabe and Ito's colours, which colour-blind readers can tell apart."""


def print_table(document: Mapping[str, Any], console: Console) -> None:
    """Print one line for each shape."""
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for index, heading in enumerate(_SHORT_HEADINGS):
        table.add_column(heading, justify="right" if 0 < index < 4 else "left")
    for entry in document["results"]:
        parts = _parts(entry[Occasion.LIKE]["plugin_milliseconds"], _MOST_PARTS_SHORT)
        table.add_row(*_numbers(entry), parts)
    console.print(table)


def write_markdown(document: Mapping[str, Any], path: Path) -> None:
    """Write the same as a Markdown table, with a line that says what it was measured on."""
    settings, machine = document["settings"], document["machine"]
    lines = [
        f"{settings['nodes']:,} nodes, {settings['pods']:,} running pods; {machine['cores']} cores, "
        f"{machine['cpu_model']}; HYDATIS {document['versions']['hydatis']}, Python {document['versions']['python']}.",
        "",
        f"| {' | '.join(_HEADINGS)} |",
        f"| --- {'| ---: ' * 3}{'| --- ' * (len(_HEADINGS) - 4)}|",
        *(f"| {' | '.join(row)} |" for row in _rows(document)),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Draw what a like pod's decision is made of, a bar for each shape. The file's suffix chooses the format.

    Raises:
        BenchError: matplotlib is missing or does not know the format.

    """
    require_matplotlib()
    from matplotlib.figure import Figure  # noqa: PLC0415 - only figures need it, and it is slow to import

    results = document["results"][::-1]
    figure = Figure(figsize=(9.0, 1.5 + 0.4 * len(results)), layout="constrained")
    axes = figure.subplots()
    lefts = [0.0] * len(results)
    names = [entry["shape"] for entry in results]
    for colour, part in zip(_COLOURS, _largest_parts(document, len(_COLOURS) - 1), strict=False):
        widths = [_part(entry, part) for entry in results]
        axes.barh(names, widths, left=lefts, label=part, color=colour)
        lefts = [left + width for left, width in zip(lefts, widths, strict=True)]
    p99 = [entry[Occasion.LIKE]["milliseconds"]["p99"] for entry in results]
    axes.plot(p99, names, linestyle="none", marker="|", markersize=12, color="black", label="p99 of the whole decision")
    end = _end_of_axis(p99)
    axes.set_xlim(0, end)
    for name, mean, most in zip(names, lefts, p99, strict=True):
        if most > end:
            text = f"to {mean:.1f}, p99 {most:.1f} "
            axes.text(end, name, text, ha="right", va="center", color="white", fontsize=8)
    axes.set_xlabel("milliseconds for the next like pod (bars: mean of each part)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    settings = document["settings"]
    figure.suptitle(f"{settings['nodes']:,} nodes, {settings['pods']:,} running pods", fontsize=11)
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:
        raise BenchError(f"--figure {path}: {error}; use a name that ends in .png, .svg or .pdf.") from error


def _end_of_axis(p99: Sequence[float]) -> float:
    """Return where the axis ends: the longest decisions are cut off there when they would dwarf all others."""
    usual = sorted(p99)[len(p99) // 2]
    return 1.05 * max(one for one in p99 if one <= _MOST_TIMES_USUAL * usual)


def _rows(document: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            *_numbers(entry),
            _parts(entry[Occasion.FIRST]["plugin_milliseconds"], _MOST_PARTS),
            _parts(entry[Occasion.LIKE]["plugin_milliseconds"], _MOST_PARTS),
        ]
        for entry in document["results"]
    ]


def _numbers(entry: Mapping[str, Any]) -> list[str]:
    return [entry["shape"], *(_percentiles(entry[occasion]["milliseconds"]) for occasion in Occasion)]


def _percentiles(milliseconds: Mapping[str, float]) -> str:
    return f"{milliseconds['p50']:.2f} ({milliseconds['p99']:.2f})"


def _parts(milliseconds: Mapping[str, float], most: int) -> str:
    whole = sum(milliseconds.values())
    largest = sorted(milliseconds.items(), key=lambda part: -part[1])[:most]
    return ", ".join(f"{name} {spent / whole:.0%}" for name, spent in largest if spent / whole >= 0.01)


def _largest_parts(document: Mapping[str, Any], most: int) -> list[str]:
    """Name the parts that take longest over all shapes; the core's own first."""
    sums: dict[str, float] = {}
    for entry in document["results"]:
        for name, spent in entry[Occasion.LIKE]["plugin_milliseconds"].items():
            sums[name] = sums.get(name, 0.0) + spent
    plugins = sorted((name for name in sums if name != CORE), key=lambda name: -sums[name])
    return [CORE, *plugins][:most]


def _part(entry: Mapping[str, Any], name: str) -> float:
    milliseconds: float = entry[Occasion.LIKE]["plugin_milliseconds"].get(name, 0.0)
    return milliseconds
