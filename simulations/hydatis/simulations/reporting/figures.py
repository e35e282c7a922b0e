"""The figures of the report, each as an SVG that needs nothing beside it; needs matplotlib.

Policies are told apart by place, not by colour, so that twenty can stand in one figure; the reference is drawn in grey
behind each. The same runs give the same bytes.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.comparing import BOUND
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.measures.catalogue import BY_NAME
from hydatis.simulations.measures.measure import Direction
from hydatis.simulations.measures.timeline import HISTOGRAM_TOP_PERCENT, Timeline
from hydatis.simulations.reporting.study import Study

_BLUE, _ORANGE, _RED, _GREY = "#0072B2", "#E69F00", "#D55E00", "#8a8a8a"
"""Of Okabe and Ito's colours, which colour-blind readers can tell apart."""
_OVERLOAD_COLOURS = {65: "#9ecae1", 80: _ORANGE, 90: _RED}
_COLUMNS = 4
_LEAST_SHARE_SHOWN = 0.001
_NOTHING = 1e-9
_WIDTH = 12.0
_ROW = 2.1
_SETTINGS: Any = {"svg.fonttype": "path", "svg.hashsalt": "hydatis", "font.size": 9, "axes.titlesize": 9.5}


def require_matplotlib() -> None:
    """Find out before a long run whether the report can be drawn.

    Raises:
        SimulationError: matplotlib is not installed.

    """
    try:
        import matplotlib.figure  # noqa: F401, PLC0415 - only the report needs it, and it is slow to import
    except ImportError as error:
        raise SimulationError("--html needs matplotlib; install it with: pip install 'hydatis[figures]'.") from error


def utilisation_over_time(study: Study, policies: Sequence[str]) -> str:
    """Draw, for each policy, median and 5 to 95 % band over the nodes of the CPU that their pods want."""

    def panel(axes: Any, policy: str) -> None:
        hours = _hours(study, policy)
        low, median, high = (
            _mean(study, policy, of)
            for of in (_field("cpu_low_percent"), _field("cpu_median_percent"), _field("cpu_high_percent"))
        )
        axes.fill_between(hours, low, high, color=_BLUE, alpha=0.25, linewidth=0)
        axes.plot(hours, median, color=_BLUE, linewidth=1.1)
        if policy != study.reference:
            axes.plot(
                _hours(study, study.reference),
                _mean(study, study.reference, _field("cpu_high_percent")),
                color=_GREY,
                linewidth=0.8,
                zorder=1,
            )
        _warm_up(axes, study)
        axes.axhline(100, color="black", linewidth=0.6, linestyle=":")
        axes.set_xlim(hours[0], hours[-1])

    return _small_multiples(policies, panel, "hours", "CPU, % of the node")


def utilisation_distribution(study: Study, policies: Sequence[str]) -> str:
    """Draw, for each policy, how node-minutes are distributed over CPU percent."""
    edges = np.arange(0, HISTOGRAM_TOP_PERCENT + 1, _BIN_POINTS)

    def shares(policy: str) -> Float64Array:
        bins = _mean(study, policy, _field("histogram"))[:HISTOGRAM_TOP_PERCENT]
        return np.asarray(bins.reshape(-1, _BIN_POINTS).sum(axis=1))

    right = _last_filled([shares(policy) for policy in policies]) * _BIN_POINTS

    def panel(axes: Any, policy: str) -> None:
        percent = 100 * shares(policy)
        axes.stairs(percent, edges, fill=True, color=_BLUE, alpha=0.55)
        over = edges[:-1] >= _OVERLOADED_PERCENT
        axes.stairs(np.where(over, percent, 0), edges, fill=True, color=_RED)
        if policy != study.reference:
            axes.stairs(100 * shares(study.reference), edges, color="black", linewidth=0.8)
        axes.set_xlim(0, right)

    return _small_multiples(policies, panel, "CPU, % of the node", "% of node-minutes")


_BIN_POINTS = 5
_OVERLOADED_PERCENT = 80


def overload(study: Study, policies: Sequence[str]) -> str:
    """Draw the share of node-minutes above 65, 80 and 90 % CPU, with the intervals of the last two."""
    means = study.comparison.policies

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        places = np.arange(len(policies))
        for threshold, colour in _OVERLOAD_COLOURS.items():
            found = [means[policy].get(f"node_minutes_above_{threshold}") for policy in policies]
            values = np.array([np.nan if one is None else one.mean for one in found])
            axes.barh(places, values, 0.75, color=colour, label=f"above {threshold} %")
            if threshold > min(_OVERLOAD_COLOURS):
                low = [0 if one is None else one.mean - one.low for one in found]
                high = [0 if one is None else one.high - one.mean for one in found]
                axes.errorbar(values, places, xerr=[low, high], fmt="none", ecolor="black", capsize=2, linewidth=0.9)
        _policy_axis(axes, study, policies)
        axes.set_xlabel("% of node-minutes (lower is better)")
        figure.legend(loc="outside right upper", frameon=False)

    return _svg(draw, _WIDTH * 0.75, 1.1 + 0.27 * len(policies))


def intervals(study: Study, policies: Sequence[str], measures: Sequence[str]) -> str:
    """Draw mean and interval of several measures side by side, a row for each policy; the line is the reference."""
    found = study.comparison.policies

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, measures, strict=True):
            measure = BY_NAME[name]
            for place, policy in enumerate(policies):
                one = found[policy].get(name)
                if one is None:
                    continue
                colour = _GREY if policy == BOUND else _BLUE
                axes.plot([one.low, one.high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
                axes.plot(one.mean, place, "o", color=colour, markersize=5)
            reference = found[study.reference].get(name)
            if reference is not None:
                axes.axvline(reference.mean, color="black", linewidth=0.7, linestyle=":")
            arrow = "↓" if measure.better is Direction.LOWER else "↑"
            axes.set_title(f"{measure.title} {arrow}\n{measure.unit}")
            axes.xaxis.set_major_formatter("{x:,.5g}")
            axes.locator_params(axis="x", nbins=4)
            _widen(axes)
            axes.grid(axis="y", linewidth=0.4, alpha=0.5)
            axes.spines[["top", "right"]].set_visible(False)
        _policy_axis(panels[0], study, policies)

    return _svg(draw, _WIDTH, 1.2 + 0.27 * len(policies))


def over_time_by_policy(study: Study, policies: Sequence[str]) -> str:
    """Draw, a row for each policy, how many pods are pending and how many nodes are above 80 % CPU over time."""

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, field, label in (
            (panels[0], "pending_pods", "pending pods"),
            (panels[1], "above_80_percent", "% of nodes above 80 % CPU"),
        ):
            rows = [_mean(study, policy, _field(field)) for policy in policies]
            length = min(len(row) for row in rows)
            image = np.array([row[:length] for row in rows])
            hours = _hours(study, policies[0])[:length]
            step = hours[1] - hours[0] if length > 1 else 1 / 60
            extent = (hours[0], hours[-1] + step, len(policies) - 0.5, -0.5)
            shown = axes.imshow(
                image,
                aspect="auto",
                interpolation="nearest",
                cmap="magma_r",
                extent=extent,
                vmin=0,
                vmax=max(1.0, float(np.nanmax(image))),
            )
            _warm_up(axes, study)
            axes.set(xlabel="hours", title=label)
            figure.colorbar(shown, ax=axes, pad=0.01)
        panels[0].set_yticks(np.arange(len(policies)), policies)

    return _svg(draw, _WIDTH, 1.2 + 0.27 * len(policies))


def _widen(axes: Any) -> None:
    """Show at least a thousandth of the value to either side, so that rounding does not look like a difference."""
    left, right = axes.get_xlim()
    middle = (left + right) / 2
    least = abs(middle) * _LEAST_SHARE_SHOWN if abs(middle) > _NOTHING else 1.0
    half = max((right - left) / 2, least)
    axes.set_xlim(middle - half, middle + half)


def _policy_axis(axes: Any, study: Study, policies: Sequence[str]) -> None:
    axes.set_yticks(np.arange(len(policies)), policies)
    axes.set_ylim(len(policies) - 0.5, -0.5)
    axes.spines[["top", "right"]].set_visible(False)
    for tick, policy in zip(axes.get_yticklabels(), policies, strict=True):
        tick.set_fontweight("bold" if policy == study.reference else "normal")


def _small_multiples(policies: Sequence[str], panel: Callable[[Any, str], None], xlabel: str, ylabel: str) -> str:
    columns = min(_COLUMNS, len(policies))
    rows = -(-len(policies) // columns)

    def draw(figure: Any) -> None:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, policy in zip(grid.flat, policies, strict=False):
            panel(axes, policy)
            axes.set_title(policy, loc="left")
            axes.spines[["top", "right"]].set_visible(False)
        for place, axes in enumerate(grid.flat):
            axes.set_visible(place < len(policies))
            # The lowest panel of each column has the numbers, also where the last row is not full.
            axes.tick_params(labelbottom=place + columns >= len(policies))
        grid[0, 0].set_ylim(bottom=0)
        figure.supxlabel(xlabel, fontsize=9)
        figure.supylabel(ylabel, fontsize=9)

    return _svg(draw, _WIDTH * max(0.5, columns / _COLUMNS), 0.6 + _ROW * rows)


def _svg(draw: Callable[[Any], None], width: float, height: float) -> str:
    """Draw a figure of so many inches."""
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(_SETTINGS), io.StringIO() as text:
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        # Without a date, the same runs give the same bytes.
        figure.savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()


def _field(name: str) -> Callable[[Timeline], Sequence[float]]:
    def of(timeline: Timeline) -> Sequence[float]:
        values: Sequence[float] = getattr(timeline, name)
        return values

    return of


def _hours(study: Study, policy: str) -> Float64Array:
    return _mean(study, policy, _field("hours"))


def _mean(study: Study, policy: str, of: Callable[[Timeline], Sequence[float]]) -> Float64Array:
    """Return the mean over seeds, as far as all of them go."""
    rows = [of(run.timeline) for run in study.runs[policy]]
    length = min(len(row) for row in rows)
    return np.asarray(np.mean([row[:length] for row in rows], axis=0))


def _last_filled(rows: Sequence[Float64Array]) -> int:
    filled = np.flatnonzero(np.max(rows, axis=0) > 0)
    return int(filled[-1]) + 1 if len(filled) else 1


def _warm_up(axes: Any, study: Study) -> None:
    end = study.first.timeline.measured_from_hours
    if end > 0:
        axes.axvline(end, color="black", linewidth=0.6, linestyle="--")


ALT_TEXTS: Mapping[str, str] = {
    "utilisation_over_time": "For each policy, CPU over time: median and 5 to 95 % band over the nodes",
    "utilisation_distribution": "For each policy, distribution of node-minutes over CPU percent",
    "overload": "Share of node-minutes above 65, 80 and 90 % CPU for each policy",
    "over_time_by_policy": "Pending pods and share of nodes above 80 % CPU over time for each policy",
    "service": "Waiting time, success and restarts for each policy",
    "cost": "Nodes used, cost and stranded capacity for each policy",
}
