"""The figure: throughput and p99 latency of both schedulers, side by side.

Called by the command line when a figure is asked for; needs matplotlib (`pip install hydatis[figures]`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.results import SCHEDULERS, number_at

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
    figure = Figure(figsize=(max(6.0, 1.5 * len(results) + 2.5), 7.5), layout="constrained")
    throughput, latency = figure.subplots(2, 1)
    _bars(throughput, results, ("pods_per_second",))
    throughput.set_ylabel("bound pods per second\n(higher is better)")
    throughput.set_title(_title(document))
    throughput.legend(frameon=False, ncols=2)
    _bars(latency, results, ("latency_ms", "p99"))
    latency.set_yscale("log")
    latency.set_ylabel("p99 latency in ms, log scale\n(lower is better)")
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
            smallest, largest = (number_at(row[scheduler]["range"][end], keys) or value for end in ("min", "max"))
            bar = axes.bar(
                index + (side - 0.5) * _BAR,
                value,
                _BAR,
                color=_COLOURS[scheduler],
                yerr=[[value - smallest], [largest - value]],
                capsize=3,
                label=SCHEDULERS[scheduler] if index == 0 else None,
            )
            axes.bar_label(bar, fmt="%.0f", padding=2, fontsize=8)
    axes.set_xticks(range(len(results)), [f"{row['nodes']:,} nodes\n{row['mode']}" for row in results])
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)


def _title(document: Mapping[str, Any]) -> str:
    machine, settings = document["machine"], document["settings"]
    return (
        f"{settings['pods']:,} {settings['workload']} pods, median and range of {settings['repeat']} runs\n"
        f"{machine['cores']} cores, {machine['cpu_model']}"
    )
