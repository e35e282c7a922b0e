"""What the report draws of a run: how it went over time, and how CPU use is distributed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array
from hydatis.simulations.measures.capacity import usd_an_hour
from hydatis.simulations.measures.counted import CountedPart
from hydatis.simulations.measures.prices import Prices
from hydatis.simulations.virtual_time.record import RunRecord

_MOST_POINTS = 480
"""More than a figure's width can show; longer runs are averaged block by block."""
_BAND_PERCENT = (5, 50, 95)
_HIGH_CPU_PERCENT = 80
HISTOGRAM_TOP_PERCENT = 200
"""Bins are one percent wide; the last holds everything above."""

Series = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Of one run, warm-up included; one entry a block of time, but for the histogram."""

    hours: Series
    """Start of each block."""
    cpu_low_percent: Series
    """5th percentile over nodes of the CPU that their pods want; NaN where there is no node."""
    cpu_median_percent: Series
    cpu_high_percent: Series
    """95th percentile."""
    above_80_percent: Series
    """Share of nodes above 80 % CPU."""
    memory_median_percent: Series
    pending_pods: Series
    nodes_used: Series
    usd_an_hour: Series
    """Price of the nodes used."""
    histogram: Series
    """Share of node-minutes after the warm-up by CPU percent: [0, 1), [1, 2), ...; adds up to 1."""
    measured_from_hours: float

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` wrote; null is NaN.

        Raises:
            KeyError, TypeError, ValueError: it is something else.

        """
        series = {
            name: tuple(np.nan if one is None else float(one) for one in value)
            for name, value in document.items()
            if name != "measured_from_hours"
        }
        return cls(**series, measured_from_hours=float(document["measured_from_hours"]))


def timeline_of(record: RunRecord, prices: Prices | None = None, open_nodes: BoolArray | None = None) -> Timeline:
    """Return what the report draws of a run, of the nodes that pods can go to (None: all)."""
    whole = CountedPart(replace(record, measured_from_seconds=-np.inf), prices, open_nodes)
    cpu = whole.cpu_percent
    low, median, high = np.nanpercentile(cpu, _BAND_PERCENT, axis=1) if whole.samples else np.zeros((3, 0))
    nodes = whole.there.sum(axis=1)
    return Timeline(
        hours=_blocks(whole.times_seconds / 3600, first=True),
        cpu_low_percent=_blocks(low),
        cpu_median_percent=_blocks(median),
        cpu_high_percent=_blocks(high),
        above_80_percent=_blocks(100 * (cpu > _HIGH_CPU_PERCENT).sum(axis=1) / nodes),
        memory_median_percent=_blocks(np.nanmedian(whole.memory_percent, axis=1) if whole.samples else low),
        pending_pods=_blocks(whole.pending_pods.astype(np.float64)),
        nodes_used=_blocks(whole.used.sum(axis=1).astype(np.float64)),
        usd_an_hour=_blocks(usd_an_hour(whole)),
        histogram=_histogram(CountedPart(record, prices, open_nodes).node_minutes),
        measured_from_hours=record.measured_from_seconds / 3600,
    )


def _blocks(values: Float64Array, *, first: bool = False) -> Series:
    """Average blocks of equal length (the last may be shorter), or take the first of each."""
    length = max(1, -(-len(values) // _MOST_POINTS))
    starts = np.arange(0, len(values), length)
    if first or not len(values):
        return tuple(values[starts].tolist())
    counts = np.diff(np.append(starts, len(values)))
    return tuple((np.add.reduceat(values, starts) / counts).tolist())


def _histogram(node_minutes: Float64Array) -> Series:
    if not len(node_minutes):
        return (0.0,) * (HISTOGRAM_TOP_PERCENT + 1)
    bins = np.minimum(node_minutes.astype(np.int64), HISTOGRAM_TOP_PERCENT)
    return tuple((np.bincount(bins, minlength=HISTOGRAM_TOP_PERCENT + 1) / len(bins)).tolist())
