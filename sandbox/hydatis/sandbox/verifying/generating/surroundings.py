"""The objects around a cluster that plugins look up: namespaces, services, controllers, disruption
budgets and storage.

A few clusters in a row share a set, since the oracle starts anew for each set that it has not met, which takes it as
long as judging two clusters. So pods have the same names and uids in every cluster, which claims of ephemeral volumes
can then be made for.
"""

from functools import lru_cache
from random import Random

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating.neighbours import NAMESPACES, neighbourhood
from hydatis.sandbox.verifying.generating.priorities import disruption_budgets
from hydatis.sandbox.verifying.generating.storage import storage

CANDIDATES = 8
"""Pods judged on each cluster."""
_CLUSTERS_A_SET = 16
_NODES_WITH_EPHEMERAL = 8


def candidate_uid(position: int) -> str:
    """Return the uid of a pod to judge."""
    return f"candidate-{position}"


def bound_uid(position: int, place: int) -> str:
    """Return the uid of a pod that runs, by its node's position and its place there."""
    return f"{position}-{place}"


@lru_cache(maxsize=8)
def _surroundings(seed: int, kind: int) -> tuple[Manifest, ...]:
    random = Random(f"{seed}/surroundings/{kind}")  # noqa: S311  reproducible on purpose
    candidates = tuple(map(candidate_uid, range(CANDIDATES)))
    running = tuple(bound_uid(position, 0) for position in range(_NODES_WITH_EPHEMERAL))
    around = neighbourhood(random, workloads=bool(kind % 4))
    if kind % 3:
        for namespace in dict.fromkeys(NAMESPACES):
            around += disruption_budgets(random, namespace)
    return (*around, *storage(random, tuple(dict.fromkeys(NAMESPACES)), candidates, running))


def surroundings(seed: int, number: int) -> tuple[Manifest, ...]:
    """Return what is around the cluster of this number."""
    return _surroundings(seed, number // _CLUSTERS_A_SET)
