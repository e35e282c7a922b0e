"""Large owners' pods are dealt out to several."""

import numpy as np
import pytest

from hydatis.simulations.virtual_time.dealing import Owned, dealt_out
from hydatis.simulations.virtual_time.workload import Owner


def owned(*pods: int) -> Owned:
    """Return owners with so many pods each; owner k follows series 2k and 2k + 1."""
    owners = tuple(Owner(f"o{k}", "services", "LS", 1000 * (k + 1), 512) for k in range(len(pods)))
    series = np.arange(2 * len(pods), dtype=np.int64).reshape(len(pods), 2)
    return Owned(owners, np.repeat(np.arange(len(pods)), pods), series)


def dealt(before: Owned, most_percent: float, asked: float = 1.0) -> Owned:
    count = len(before.owner_of_pod)
    return dealt_out(before, np.full(count, asked), most_percent, 20, np.random.default_rng(1))


def test_no_owner_asks_for_more_than_its_share() -> None:
    after = dealt(owned(600, 300, 100), 11.0)
    shares = np.bincount(after.owner_of_pod) / 1000
    assert shares.max() <= 0.111
    assert len(shares) == len(after.owners) == len(after.series_of_owner) == 6 + 3 + 1


def test_those_who_take_over_ask_for_the_same_under_another_name() -> None:
    before = owned(600, 300, 100)
    after = dealt(before, 11.0)
    asked = np.array([owner.cpu_millicores for owner in after.owners])[after.owner_of_pod]
    assert asked.tolist() == [before.owners[k].cpu_millicores for k in before.owner_of_pod.tolist()]
    assert len({owner.name for owner in after.owners}) == len(after.owners)
    assert after.series_of_owner[:3].tolist() == before.series_of_owner.tolist()
    assert after.series_of_owner.max() < 20


@pytest.mark.parametrize("asked", [1.0, 0.0])
def test_owners_that_are_small_enough_stay_as_they_are(asked: float) -> None:
    before = owned(40, 30, 30)
    after = dealt(before, 100.0 if asked else 10.0, asked)
    assert after.owners == before.owners
    assert after.owner_of_pod.tolist() == before.owner_of_pod.tolist()
