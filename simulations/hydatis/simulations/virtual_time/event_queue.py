"""What is going to happen, in order of virtual time.

Of what happens at the same time ends come first, so that what they free is there for the rest, and last what wants a
node. Of equals, what was planned first comes first.
"""

import heapq
from enum import IntEnum
from typing import NamedTuple


class Happening(IntEnum):
    """Kinds of events, in the order in which they happen at one time."""

    POD_ENDS = 0
    POD_STARTS = 1
    """A binding becomes effective."""
    NODE_CHANGES = 2
    METRICS_ARRIVE = 3
    POD_GIVES_UP = 4
    POD_IS_MADE_AGAIN = 5


class Planned(NamedTuple):
    """One event to come."""

    seconds: float
    kind: Happening
    sequence: int
    subject: int
    """Which pod, or which entry of the plan of node changes; 0 where there is none."""
    life: int = 0
    """Which of the pod's lives it is about: void once it has another."""


class EventQueue:
    """Events to come. Time never runs back: nothing can be planned before what was taken out last."""

    def __init__(self) -> None:
        self._heap: list[Planned] = []
        self._sequence = 0
        self.now = 0.0
        """Time of the event that was taken out last, or up to which time was advanced."""

    def plan(self, seconds: float, kind: Happening, subject: int = 0, life: int = 0) -> None:
        """Let something happen."""
        if seconds < self.now:
            raise ValueError(f"{kind.name} planned for {seconds} s, but it is {self.now} s already")
        heapq.heappush(self._heap, Planned(seconds, kind, self._sequence, subject, life))
        self._sequence += 1

    def next_seconds(self) -> float:
        """Return when the next event is; infinite without any."""
        return self._heap[0].seconds if self._heap else float("inf")

    def advance(self, seconds: float) -> None:
        """Let time pass until then."""
        if seconds < self.now:
            raise ValueError(f"time cannot run back from {self.now} s to {seconds} s")
        self.now = seconds

    def due(self) -> Planned | None:
        """Take out the next event if it is due by now."""
        if self._heap and self._heap[0].seconds <= self.now:
            return heapq.heappop(self._heap)
        return None
