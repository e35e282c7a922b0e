"""Which rows become older than somebody cares about, and when.

Some plugins take a sample that is too old for none, or count the pods placed in the last minutes. What they say of a
row then changes without any event. `MeasuredLoad` owns this; asking about an age for the first time is what makes it
known here, so that ages that nobody asks about cost nothing. Invariant: a row that outgrows a known age is told once.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Rows


class SampleAges:
    """Tells of rows whose last sample outgrows an age. Each age has one alarm a row at most, put off when it rings for
    a row that has been sampled since.
    """

    def __init__(self) -> None:
        self._alarms: dict[float, list[tuple[float, int]]] = {}
        self._set: dict[float, BoolArray] = {}

    def know(self, age: float, sampled_at: Float64Array) -> None:
        """Tell of this age from now on."""
        if age not in self._alarms:
            rows = np.flatnonzero(np.isfinite(sampled_at))
            alarms = [(at + age, row) for at, row in zip(sampled_at[rows].tolist(), rows.tolist(), strict=True)]
            heapify(alarms)
            self._alarms[age] = alarms
            self._set[age] = np.isfinite(sampled_at)

    def sampled(self, rows: Rows, sampled_at: Float64Array) -> None:
        """Take note of new samples; `sampled_at` is the whole table."""
        for age, is_set in self._set.items():
            alarms = self._alarms[age]
            new = rows[~is_set[rows]]
            is_set[new] = True
            for row in new.tolist():
                heappush(alarms, (float(sampled_at[row]) + age, row))

    def outgrown(self, now: float, sampled_at: Float64Array) -> list[int]:
        """Return the rows that have outgrown a known age by `now`."""
        found = []
        for age, alarms in self._alarms.items():
            while alarms and alarms[0][0] <= now:
                row = heappop(alarms)[1]
                due = float(sampled_at[row]) + age
                if due <= now:
                    self._set[age][row] = False
                    found.append(row)
                else:
                    heappush(alarms, (due, row))
        return found

    def grow(self, added: int) -> None:
        """Make room for more rows."""
        self._set = {age: np.pad(is_set, (0, added)) for age, is_set in self._set.items()}


class PlacementAges:
    """Counts the pods placed on each row within an age, and tells of rows where one outgrows it. Pods that have left
    since still count, unless their placement was taken back.
    """

    def __init__(self) -> None:
        self._alarms: dict[float, list[tuple[float, int, str]]] = {}
        self._recent: dict[float, dict[int, dict[str, float]]] = {}

    def knows(self, age: float) -> bool:
        """Whether this age is told of."""
        return age in self._alarms

    def know(self, age: float, placed: Iterable[tuple[float, int, str]], now: float) -> None:
        """Tell of this age from now on; `placed` are the pods that there are: when, row, uid."""
        self._alarms[age] = []
        self._recent[age] = {}
        for since, row, uid in placed:
            if since + age > now:
                self._add(age, since, row, uid)

    def placed(self, since: float, row: int, uid: str) -> None:
        """A pod was placed."""
        for age in self._alarms:
            self._add(age, since, row, uid)

    def taken_back(self, row: int, uid: str) -> None:
        """A placement did not come about."""
        for recent in self._recent.values():
            recent.get(row, {}).pop(uid, None)

    def within(self, age: float, row: int) -> int:
        """Count the pods placed on a row within a known age."""
        return len(self._recent[age].get(row, ()))

    def outgrown(self, now: float) -> list[int]:
        """Return the rows on which a pod has outgrown a known age by `now`."""
        found = []
        for age, alarms in self._alarms.items():
            recent = self._recent[age]
            while alarms and alarms[0][0] <= now:
                due, row, uid = heappop(alarms)
                pods = recent.get(row)
                # A pod may have been placed here again since, or the row may be another node's by now.
                if pods is not None and uid in pods and pods[uid] + age == due:
                    del pods[uid]
                    if not pods:
                        del recent[row]
                    found.append(row)
        return found

    def forget(self, row: int) -> None:
        """The row belongs to nobody any more."""
        for recent in self._recent.values():
            recent.pop(row, None)

    def _add(self, age: float, since: float, row: int, uid: str) -> None:
        self._recent[age].setdefault(row, {})[uid] = since
        heappush(self._alarms[age], (since + age, row, uid))
