"""What a workload is drawn from: pods with the time of day at which they came, their owners, and what they used.

`recorded` and `made_up` give one; `drawing` draws from it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.simulations.virtual_time.scenario import Demand, Part
from hydatis.simulations.virtual_time.workload import Owner, Usage

PART_SHARES: Mapping[Part, tuple[float, float]] = MappingProxyType(
    {Part.TRAINING: (0.0, 0.6), Part.VALIDATION: (0.6, 0.8), Part.HELD_OUT: (0.8, 1.0)}
)
"""From which to which share of the days, and of the machines, belongs to each part."""

_STEPS = 2**32


@dataclass(frozen=True, slots=True)
class Pool:
    """Pods to draw from. Arrays have one entry a pod."""

    owners: tuple[Owner, ...]
    """As in the traces: requests are not scaled yet."""
    owner_of_pod: Int64Array
    second_of_day: Float64Array
    lifetime_seconds: Float64Array
    series_of_owner: Int64Array
    """(owners, series an owner): rows of `usage`."""
    usage: Usage
    """As in the traces: not scaled yet. A day of the series is a day of the pods; its steps make whole days."""
    days: int
    """How many days each series has."""


class Source(Protocol):
    """Where pools come from."""

    @property
    def name(self) -> str:
        """Tell what it is, for reports."""
        ...

    def pool(self, part: Part, demand: Demand, seed: int) -> Pool:
        """Return the pods of a part, with about as many owners as the scenario demands; `seed` decides which owner
        follows which series.
        """
        ...


def part_of(name: str) -> Part:
    """Return the part to which a machine belongs, by its name: the same in every folder that has it."""
    digest = hashlib.blake2b(name.encode(), digest_size=4).digest()
    share = int.from_bytes(digest, "big") / _STEPS
    return next(part for part, (start, end) in PART_SHARES.items() if start <= share < end)
