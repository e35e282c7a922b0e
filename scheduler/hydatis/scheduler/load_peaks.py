"""The highest of a value in the last hour, day or other span, by row, in bounded memory.

A span is cut into equal buckets of which only the maximum is kept, so the highest reaches back one bucket further at
most. `MeasuredLoad` owns those of each node's mean load.
"""

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array, Rows


class HighestOver:
    """The highest value of each row within a span."""

    def __init__(self, span_seconds: float, buckets: int, capacity: int) -> None:
        self._bucket_seconds = span_seconds / buckets
        self._buckets = buckets
        self._values: Float64Array = np.full((capacity, buckets + 1), np.nan)
        self._numbers: Int64Array = np.full((capacity, buckets + 1), -1, dtype=np.int64)
        """Of the buckets, counted from time 0."""
        self.highest: Float64Array = np.full(capacity, np.nan)
        """By row, as of its last value; NaN: none."""

    def add(self, rows: Rows, at: Float64Array, values: Float64Array) -> None:
        """Take in a value of each row, each later than those before; NaN: none."""
        numbers = np.floor(at / self._bucket_seconds).astype(np.int64)
        places = numbers % (self._buckets + 1)
        same = self._numbers[rows, places] == numbers
        before = np.where(same, self._values[rows, places], np.nan)
        self._values[rows, places] = np.fmax(before, values)
        self._numbers[rows, places] = numbers
        recent = self._numbers[rows] >= (numbers - self._buckets)[:, np.newaxis]
        kept = np.where(recent, self._values[rows], np.nan)
        highest = np.max(kept, axis=1, initial=-np.inf, where=~np.isnan(kept))
        self.highest[rows] = np.where(np.isfinite(highest), highest, np.nan)

    def clear(self, row: int) -> None:
        """Forget a row's values."""
        self._values[row] = np.nan
        self._numbers[row] = -1
        self.highest[row] = np.nan

    def grow(self, added: int) -> None:
        """Make room for more rows."""
        self._values = np.pad(self._values, ((0, added), (0, 0)), constant_values=np.nan)
        self._numbers = np.pad(self._numbers, ((0, added), (0, 0)), constant_values=-1)
        self.highest = np.pad(self.highest, (0, added), constant_values=np.nan)
