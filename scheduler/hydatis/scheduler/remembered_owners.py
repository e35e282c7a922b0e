"""What is known of owners, taken out of a running history: for a restart, or for another replica."""

from dataclasses import dataclass

from hydatis.scheduler.arrays import Float64Array
from hydatis.scheduler.owner import Owner


@dataclass(frozen=True, slots=True)
class RememberedOwners:
    """Made by `OwnerHistory.remembered`, taken in by `OwnerHistory.restore`."""

    owners: tuple[Owner, ...]
    ages: Float64Array
    """(owners,) seconds since something was learned of each; infinite: nothing was."""
    tables: tuple[Float64Array, ...]
    """The tables of the history, in its own order, each with owners along the second axis."""
