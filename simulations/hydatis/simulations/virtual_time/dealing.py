"""Deals out the pods of the largest owners to several, so that none asks for most of a cluster.

The traces name no owners: pods that ask for the same are taken for one owner's, and one size that many ask for would
make an owner of a quarter of the cluster, whose pods all are busy at the same time. What a policy can do against that
is little. Called by the drawing, whatever pods are drawn from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.simulations.virtual_time.workload import Owner


@dataclass(frozen=True, slots=True)
class Owned:
    """Who owns the pods of a workload, and what owners' pods follow."""

    owners: tuple[Owner, ...]
    owner_of_pod: Int64Array
    series_of_owner: Int64Array
    """(owners, series an owner): rows of the usage table."""


def dealt_out(
    owned: Owned, asked: Float64Array, most_percent: float, series: int, random: np.random.Generator
) -> Owned:
    """Put as many owners in place of each large one as it takes for none to ask for more than `most_percent` of what
    all ask for. They ask for the same; each follows other series, of which there are `series`.

    `asked` (pods,) is what each pod asks for in all.
    """
    by_owner = np.bincount(owned.owner_of_pod, asked, len(owned.owners))
    whole = max(float(by_owner.sum()), np.finfo(np.float64).tiny)
    owners = list(owned.owners)
    owner_of_pod, followed = owned.owner_of_pod.copy(), [owned.series_of_owner]
    for number, share in enumerate((100.0 * by_owner / whole).tolist()):
        several = int(np.ceil(share / most_percent))
        if several < 2:
            continue
        pods = np.flatnonzero(owned.owner_of_pod == number)
        numbers = np.concatenate([[number], len(owners) + np.arange(several - 1)])
        owner_of_pod[pods] = numbers[random.permutation(len(pods)) % several]
        owners += _like(owners[number], several - 1)
        followed.append(random.integers(series, size=(several - 1, owned.series_of_owner.shape[1])))
    return Owned(tuple(owners), owner_of_pod, np.concatenate(followed).astype(np.int64))


def _like(owner: Owner, count: int) -> Sequence[Owner]:
    return [replace(owner, name=f"{owner.name}-{number}") for number in range(1, count + 1)]
