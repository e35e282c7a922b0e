"""What a measure is: a number of one run that says what it means and which way is better."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hydatis.simulations.measures.counted import CountedPart


class Direction(StrEnum):
    """Which of two values is the better one."""

    LOWER = "lower"
    HIGHER = "higher"


class Subject(StrEnum):
    """What a measure is about; tables are grouped by it."""

    OVERLOAD = "Overload"
    BALANCE = "Balance"
    SERVICE = "Service"
    CAPACITY = "Capacity and cost"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a run."""

    name: str
    """As in the JSON file."""
    title: str
    """As in tables and figures."""
    unit: str
    better: Direction
    subject: Subject
    definition: str
    """One sentence; tables of the documentation and the report are made from it."""
    of: Callable[[CountedPart], float]
    """NaN where the run has nothing to measure, such as the waiting time of no pods."""

    def worse_by(self, value: float, than: float) -> float:
        """Return by how much `value` is worse than `than`; negative where it is better."""
        return value - than if self.better is Direction.LOWER else than - value
