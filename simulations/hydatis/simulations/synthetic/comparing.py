"""Draws the generator beside the traces that it was fitted on, so that one sees how well it does.

Called by `hydatis synthetic figure`; needs matplotlib (`pip install 'hydatis[figures]'`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.synthetic.arrivals import draw_arrivals
from hydatis.simulations.synthetic.fitting import kinds_of
from hydatis.simulations.synthetic.fitting_usage import autocorrelation
from hydatis.simulations.synthetic.owners import draw_owners
from hydatis.simulations.synthetic.parameters import Parameters
from hydatis.simulations.synthetic.usage import draw_cpu_percent
from hydatis.simulations.traces import bitbrains, openb
from hydatis.simulations.traces.errors import TraceMissing
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import Arrivals

_TRACE, _GENERATOR = "#0072B2", "#E69F00"
"""Two of Okabe and Ito's colours, which colour-blind readers can tell apart."""
_OWNERS = 150
_STEP_SECONDS = 300
_LAGS = np.unique(np.round(np.geomspace(1, 288, 30)).astype(int))

Sample = tuple[Float64Array, str, str]


def draw_figure(folder: DataFolder, parameters: Parameters, seed: int, path: Path) -> None:
    """Draw arrivals, requests, lifetimes and usage of both into a file; its suffix chooses the format.

    Raises:
        TraceError: a trace or matplotlib is missing.
        ValueError: matplotlib does not know the format.

    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - only figures need it, and it is slow to import
    except ImportError as error:
        raise TraceMissing("the figure needs matplotlib; install it with: pip install 'hydatis[figures]'.") from error
    random = np.random.default_rng(seed)
    _, recorded = openb.split_initial(openb.read_pods(folder))
    owners = draw_owners(parameters, _OWNERS, random)
    days = float(np.ceil(np.ptp(recorded.created_seconds) / 86_400))
    drawn = draw_arrivals(parameters, owners, days, random)
    figure = Figure(figsize=(16, 7.5), layout="constrained")
    panels = iter(figure.subplots(2, 4).flat)
    _arrivals(next(panels), recorded, drawn)
    _kinds(next(panels), recorded, drawn)
    for sample, label in _REQUESTS:
        _distribution(next(panels), _pair(sample, recorded, drawn), label)
    _tail(next(panels), _pair(lambda pods: pods.lifetimes_seconds, recorded, drawn))
    _usage_panels(list(panels), folder, parameters, random)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path, dpi=110)


_REQUESTS: Sequence[tuple[Callable[[Arrivals], Float64Array], str]] = (
    (lambda pods: pods.cpu_millicores / 1000, "cores requested"),
    (lambda pods: np.maximum(pods.memory_mib, 1) / 1024, "GiB requested"),
)


def _pair(sample: Callable[[Arrivals], Float64Array], recorded: Arrivals, drawn: Arrivals) -> list[Sample]:
    return [(sample(recorded), "trace", _TRACE), (sample(drawn), "generator", _GENERATOR)]


def _arrivals(axes: Any, recorded: Arrivals, drawn: Arrivals) -> None:
    for pods, label, colour in ((recorded, "trace", _TRACE), (drawn, "generator", _GENERATOR)):
        hours = (pods.created_seconds // 3600 % 24).astype(int)
        days = np.ptp(pods.created_seconds) / 86_400
        axes.step(np.arange(24), np.bincount(hours, minlength=24) / days, where="mid", color=colour, label=label)
    axes.set(xlabel="hour of the day", ylabel="pods an hour", ylim=(0, None))


def _kinds(axes: Any, recorded: Arrivals, drawn: Arrivals) -> None:
    for pods, offset, colour in ((recorded, -0.2, _TRACE), (drawn, 0.2, _GENERATOR)):
        shares = {name: 100 * float(those.mean()) for name, those in kinds_of(pods).items()}
        axes.bar(np.arange(len(shares)) + offset, list(shares.values()), 0.4, color=colour)
        axes.set_xticks(np.arange(len(shares)), list(shares))
    axes.set(ylabel="% of pods")


def _distribution(axes: Any, samples: Sequence[Sample], label: str) -> None:
    for sample, _, colour in samples:
        values = np.sort(sample[np.isfinite(sample)])
        axes.plot(values, np.linspace(0, 100, len(values)), color=colour)
    axes.set(xscale="log", xlabel=label, ylabel="% at most")


def _tail(axes: Any, samples: Sequence[Sample]) -> None:
    for sample, _, colour in samples:
        values = np.sort(sample[np.isfinite(sample) & (sample > 0)])
        axes.plot(values, 1 - np.arange(len(values)) / len(values), color=colour)
    axes.set(xscale="log", yscale="log", xlabel="lifetime in seconds", ylabel="share that lives longer")


def _usage_panels(
    panels: Sequence[Any], folder: DataFolder, parameters: Parameters, random: np.random.Generator
) -> None:
    """Draw means by machine, all samples, and autocorrelation of CPU use."""
    recorded = [one.values["cpu_percent"] for one in bitbrains.read_usage(folder)]
    times = np.arange(0, 14 * 86_400, _STEP_SECONDS, dtype=np.float64)
    drawn = list(draw_cpu_percent(draw_owners(parameters, len(recorded), random), times, random))
    means, samples, memory = panels
    for series, label, colour in ((recorded, "trace", _TRACE), (drawn, "generator", _GENERATOR)):
        _distribution(means, [(np.array([one.mean() for one in series]), label, colour)], "mean CPU % by machine")
        everything = np.concatenate(series)[::50]
        _distribution(samples, [(everything, label, colour)], "CPU %, all samples")
        by_lag = [np.median([autocorrelation(one, int(lag)) for one in series if len(one) > lag]) for lag in _LAGS]
        memory.plot(_LAGS * _STEP_SECONDS / 3600, by_lag, color=colour)
    means.set(xlim=(0.01, 110))
    samples.set(xlim=(0.01, 110))
    memory.set(xscale="log", xlabel="hours apart", ylabel="autocorrelation of CPU use, median", ylim=(-0.1, 1))
