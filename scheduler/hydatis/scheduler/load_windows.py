"""The last samples of each node, and their mean and deviation over a window; `MeasuredLoad` owns it.

Windows end at the node's own last sample, as avg_over_time and stddev_over_time would if asked then (Prometheus'
functions: every sample counts the same, the deviation is that of the population).
"""

from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Rows
from hydatis.scheduler.change_log import ChangeLog

SAMPLES_KEPT = 64
"""Samples kept of each node: at one every 15 s, 16 minutes. When they come faster, a longer window holds fewer."""


@dataclass(slots=True)
class WindowStatistics:
    """Mean and deviation of the samples in a window, by row; NaN where there is none."""

    seconds: float
    cpu_mean_millicores: Float64Array
    cpu_deviation_millicores: Float64Array
    memory_mean_bytes: Float64Array
    memory_deviation_bytes: Float64Array
    position: int = -1
    """In the log of samples: how far it is up to date."""

    @classmethod
    def empty(cls, seconds: float, capacity: int) -> "WindowStatistics":
        """Make one that knows of no sample."""
        unknown = np.full((4, capacity), np.nan)
        return cls(seconds, unknown[0], unknown[1], unknown[2], unknown[3])


class LoadWindows:
    """A ring of samples for each row."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._times: Float64Array = np.empty((0, SAMPLES_KEPT))
        """(rows, samples); NaN: no sample. Without rows before the first sample of any node."""
        self._cpu: Float64Array = np.empty((0, SAMPLES_KEPT))
        self._memory: Float64Array = np.empty((0, SAMPLES_KEPT))
        self._count = np.zeros(capacity, dtype=np.int64)
        self._measured = ChangeLog()
        self._windows: dict[float, WindowStatistics] = {}

    def add(self, rows: Rows, sampled_at: Float64Array, cpu: Float64Array, memory: Float64Array) -> None:
        """Add a sample of each row, each later than those it has."""
        if not len(self._times):
            self._times, self._cpu, self._memory = (np.full((self._capacity, SAMPLES_KEPT), np.nan) for _ in range(3))
        places = self._count[rows] % SAMPLES_KEPT
        self._times[rows, places] = sampled_at
        self._cpu[rows, places] = cpu
        self._memory[rows, places] = memory
        self._count[rows] += 1
        self._measured.extend(rows)

    def over(self, seconds: float) -> WindowStatistics:
        """Return the statistics of the window that is so long, up to date. Readers do not write."""
        window = self._windows.get(seconds)
        if window is None:
            window = self._windows[seconds] = WindowStatistics.empty(seconds, self._capacity)
        if window.position != self._measured.position:
            rows = self._measured.since(window.position)
            if rows is None:
                rows = np.arange(self._capacity, dtype=np.intp)
            window.position = self._measured.position
            if len(self._times):
                within = self._within(rows, seconds)
                cpu = _mean_and_deviation(self._cpu[rows], within)
                window.cpu_mean_millicores[rows], window.cpu_deviation_millicores[rows] = cpu
                memory = _mean_and_deviation(self._memory[rows], within)
                window.memory_mean_bytes[rows], window.memory_deviation_bytes[rows] = memory
        return window

    def clear(self, row: int) -> None:
        """Forget a row's samples."""
        self._count[row] = 0
        if len(self._times):
            self._times[row] = np.nan
        self._measured.append(row)

    def grow(self, added: int) -> None:
        """Make room for more rows."""
        self._capacity += added
        self._count = np.pad(self._count, (0, added))
        if len(self._times):
            wider = ((0, added), (0, 0))
            self._times, self._cpu, self._memory = (
                np.pad(values, wider, constant_values=np.nan) for values in (self._times, self._cpu, self._memory)
            )
        self._windows.clear()

    def _within(self, rows: Rows, seconds: float) -> BoolArray:
        times = self._times[rows]
        last = np.max(times, axis=1, initial=-np.inf, where=~np.isnan(times))
        within: BoolArray = times > (last - seconds)[:, np.newaxis]
        return within


def _mean_and_deviation(values: Float64Array, within: BoolArray) -> tuple[Float64Array, Float64Array]:
    """Return each row's mean and standard deviation of the values that are within and known."""
    counted = within & ~np.isnan(values)
    count = np.count_nonzero(counted, axis=1)
    divisor = np.where(count, count, 1)
    mean = np.sum(values, axis=1, where=counted) / divisor
    squares = np.sum((values - mean[:, np.newaxis]) ** 2, axis=1, where=counted)
    none = count == 0
    return np.where(none, np.nan, mean), np.where(none, np.nan, np.sqrt(squares / divisor))
