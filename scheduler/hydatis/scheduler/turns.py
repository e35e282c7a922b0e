"""The order in which the pods of one class of unschedulable pods come back, as the queue would order them: those whose
backoff has ended by priority and then by time, then the others by the end of their backoff.

A pod that has just failed has no turn before something new happens to its class.
"""

import heapq
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydatis.scheduler.pending_pod import PendingPod

Turn = tuple[float, ...]
"""Compares as the queue orders pods: 0, -priority and time for one that is ready; 1, the end of its backoff, -priority
and time for one that is not.
"""

_SPARE_ENTRIES = 32
"""Entries of pods that left, beyond the number of those that did not, before they are swept out."""


class Turns:
    """Pods of one class. Each parking has its number, `PendingPod.parked_number`, which tells void entries."""

    __slots__ = ("_backing_off", "_fresh", "_ready")

    def __init__(self) -> None:
        self._ready: list[tuple[Turn, int, PendingPod]] = []
        self._backing_off: list[tuple[Turn, int, PendingPod]] = []
        self._fresh: list[tuple[int, PendingPod]] = []

    def add(self, pod: "PendingPod", pods: int) -> None:
        """Take in a pod that was parked; `pods` is how many there are with it."""
        self._fresh.append((pod.parked_number, pod))
        if len(self._fresh) > 2 * pods + _SPARE_ENTRIES:
            self._fresh = [entry for entry in self._fresh if entry[1].parked_number == entry[0]]

    def renew(self, ready_at: Callable[["PendingPod"], float], pods: int) -> None:
        """Give every pod a turn. `ready_at` says when a pod's backoff ends, which does not change while it is parked;
        `pods` is how many there are.
        """
        for number, pod in self._fresh:
            if pod.parked_number == number:
                turn = (1.0, ready_at(pod), -pod.priority, pod.queued_at)
                heapq.heappush(self._backing_off, (turn, number, pod))
        self._fresh.clear()
        if len(self._ready) + len(self._backing_off) > 2 * pods + _SPARE_ENTRIES:
            for heap in (self._ready, self._backing_off):
                heap[:] = [entry for entry in heap if entry[2].parked_number == entry[1]]
                heapq.heapify(heap)

    def first(self, now: float) -> Turn | None:
        """Return the first pod's turn; None when no pod has one."""
        entry = self._first(now)
        return None if entry is None else entry[0]

    def change_at(self) -> float | None:
        """Return when the next backoff ends, which changes the order; None when none does."""
        return self._backing_off[0][0][1] if self._backing_off else None

    def take(self, now: float, among: Collection[str] | None = None) -> "PendingPod | None":
        """Take out the first pod, or the first one of some, by uid; None when none of them has a turn."""
        passed_over = []
        taken = None
        while (entry := self._first(now)) is not None:
            heapq.heappop(self._ready if entry[0][0] == 0.0 else self._backing_off)
            if among is None or entry[2].reference.uid in among:
                taken = entry[2]
                break
            passed_over.append(entry)
        for entry in passed_over:
            heapq.heappush(self._ready if entry[0][0] == 0.0 else self._backing_off, entry)
        return taken

    def _first(self, now: float) -> "tuple[Turn, int, PendingPod] | None":
        while self._backing_off:
            turn, number, pod = self._backing_off[0]
            if pod.parked_number != number:
                heapq.heappop(self._backing_off)
            elif turn[1] <= now:
                heapq.heappop(self._backing_off)
                heapq.heappush(self._ready, ((0.0, -pod.priority, pod.queued_at), number, pod))
            else:
                break
        while self._ready and self._ready[0][2].parked_number != self._ready[0][1]:
            heapq.heappop(self._ready)
        if self._ready:
            return self._ready[0]
        return self._backing_off[0] if self._backing_off else None
