"""The figure: throughput and p99 latency of both schedulers, side by side.

Called by the command line when a figure is asked for; needs matplotlib (`pip install hydatis[figures]`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.results import QUIET_CORES, SCHEDULERS, number_at, other_cores
from hydatis.benchmarks.workload import SHAPES

_COLOURS = {"hydatis": "#0072B2", "kube_scheduler": "#E69F00"}
"""Two of Okabe and Ito's colours, which colour-blind readers can tell apart."""
_BAR = 0.38


def require_matplotlib() -> None:
    """Find out before a long run whether a figure can be drawn.

    Raises:
        BenchError: matplotlib is not installed.

    """
    try:
        import matplotlib.figure  # noqa: F401, PLC0415 - only figures need it, and it is slow to import
    except ImportError as error:
        raise BenchError("--figure needs matplotlib; install it with: pip install 'hydatis[figures]'.") from error


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Draw the report's results; the whiskers span the repeats. The file's suffix chooses the format.

    Raises:
        BenchError: matplotlib is missing or does not know the format.

    """
    require_matplotlib()
    from matplotlib.figure import Figure  # noqa: PLC0415

    results = document["results"]
    figure = Figure(figsize=(max(7.0, 1.5 * len(results) + 2.5), 8.0), layout="constrained")
    throughput, latency = figure.subplots(2, 1)
    _bars(throughput, results, ("pods_per_second",))
    throughput.set_ylabel("bound pods per second\n(higher is better)")
    _bars(latency, results, ("latency_ms", "p99"))
    latency.set_yscale("log")
    # A logarithmic axis has no zero; one millisecond is below anything that a scheduler reaches through an API server.
    latency.set_ylim(bottom=1)
    latency.yaxis.set_major_formatter("{x:,.0f}")
    latency.yaxis.set_minor_formatter("")
    latency.set_ylabel("p99 latency in ms, log scale\n(lower is better)")
    figure.suptitle(_title(document), fontsize=11)
    figure.legend(handles=_legend(), loc="outside lower center", ncols=len(SCHEDULERS), frameon=False)
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:
        raise BenchError(f"--figure {path}: {error}; use a name that ends in .png, .svg or .pdf.") from error


def _bars(axes: Any, results: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
    for side, scheduler in enumerate(SCHEDULERS):
        for index, row in enumerate(results):
            value = number_at(row[scheduler], keys)
            if value is None:
                continue
            place = index + (side - 0.5) * _BAR
            bar = axes.bar(place, value, _BAR, color=_COLOURS[scheduler])
            # Inside the bar, where no whisker runs through the number.
            axes.bar_label(bar, fmt="{:,.0f}", label_type="center", fontsize=8, color="white", fontweight="bold")
            if row[scheduler]["valid_runs"] > 1:
                smallest, largest = (number_at(row[scheduler]["range"][end], keys) or value for end in ("min", "max"))
                whiskers = [[value - smallest], [largest - value]]
                axes.errorbar(place, value, yerr=whiskers, fmt="none", ecolor="black", capsize=3, linewidth=1)
    axes.set_xticks(range(len(results)), [_label(row) for row in results])
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)


def _label(row: Mapping[str, Any]) -> str:
    size = f"{row['nodes']:,} nodes\n{row['mode']}"
    return size if row["workload"] in SHAPES else f"{row['workload'].removeprefix('Scheduling')}\n{size}"


def _legend() -> list[Any]:
    from matplotlib.patches import Patch  # noqa: PLC0415

    return [Patch(color=_COLOURS[scheduler], label=name) for scheduler, name in SCHEDULERS.items()]


def _title(document: Mapping[str, Any]) -> str:
    machine, settings = document["machine"], document["settings"]
    repeats = f"median and range of {settings['repeat']} runs" if settings["repeat"] > 1 else "one run each"
    counts = {row["pods"] for row in document["results"] if row["mode"] in {"queued", "burst"}}
    pods = f"{counts.pop():,} " if len(counts) == 1 else ""
    load = f"{pods}{settings['workloads'][0]} pods" if len(settings["workloads"]) == 1 else "several workloads"
    title = f"{load}, {repeats}; {machine['cores']} cores, {machine['cpu_model']}"
    others = other_cores(document["runs"])
    if others > QUIET_CORES:
        title += f"\nnot an idle machine: other programs kept up to {others:.1f} cores busy"
    return title
