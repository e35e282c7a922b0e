"""The ways in which pods reach the scheduler under test.

Called by the command line (names) and the runs (what to do).
"""

import math
from dataclasses import dataclass

from hydatis.benchmarks.errors import BenchError

MOST_PACED_SECONDS = 30.0
"""A paced run creates pods for at most this long: longer adds waiting, not knowledge."""


@dataclass(frozen=True, slots=True)
class Mode:
    """How pods are created, and when."""

    name: str
    created_first: bool
    """All pods exist before the scheduler's process starts."""
    pods_per_second: float | None
    """Rate of creation; None creates as fast as the API server takes them."""

    def pods(self, asked: int) -> int:
        """Give the number of pods of one run: `asked`, or what fits into `MOST_PACED_SECONDS` at the mode's rate."""
        if self.pods_per_second is None:
            return asked
        return min(asked, math.floor(self.pods_per_second * MOST_PACED_SECONDS))


MODES: tuple[Mode, ...] = (
    Mode("queued", created_first=True, pods_per_second=None),
    Mode("burst", created_first=False, pods_per_second=None),
    Mode("paced-20", created_first=False, pods_per_second=20.0),
    Mode("paced-100", created_first=False, pods_per_second=100.0),
)


def mode_named(name: str) -> Mode:
    """Find a mode.

    Raises:
        BenchError: there is none of that name.

    """
    for mode in MODES:
        if mode.name == name:
            return mode
    raise BenchError(f"--mode {name} is unknown; choose from {', '.join(mode.name for mode in MODES)}.")
