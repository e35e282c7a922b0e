"""A log of changed rows with many readers, each at its own position."""

import numpy as np

from hydatis.scheduler.arrays import Rows

_LONGEST = 8192
"""Entries kept. A reader further behind looks at every row again, which by then costs less than looking up so many."""


class ChangeLog:
    """Numbered entries, the oldest dropped. Positions only grow."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._first = 0

    @property
    def position(self) -> int:
        """The position after the last entry: a reader that is here has seen everything."""
        return self._first + len(self._rows)

    def append(self, row: int) -> None:
        """Write down that a row changed."""
        self._rows.append(row)
        if len(self._rows) >= 2 * _LONGEST:
            del self._rows[:_LONGEST]
            self._first += _LONGEST

    def extend(self, rows: Rows) -> None:
        """Write down that several rows changed."""
        for row in rows.tolist():
            self.append(row)

    def retract(self, position: int) -> None:
        """Strike out what was written after `position`, which no reader has seen: it was undone."""
        del self._rows[max(position - self._first, 0) :]
        self._first = min(self._first, position)

    def since(self, position: int) -> Rows | None:
        """Return the rows changed since `position`, each once; None when the log no longer reaches back so far."""
        if position < self._first:
            return None
        rows = self._rows[position - self._first :]
        if len(rows) > 1:
            rows = list(set(rows))
        return np.array(rows, dtype=np.intp)
