"""What is tried out for the sake of argument leaves no trace, in clusters of every kind."""

import hashlib
from random import Random
from typing import Any

import numpy as np
import pytest

from hydatis.sandbox.verifying.cases import Cluster as Case
from hydatis.sandbox.verifying.generating.clusters import make_cluster
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.events import StorageKind
from hydatis.scheduler.pod_class import PodClass, PodClasses
from hydatis.scheduler.testing import cluster_of, node, place, pod, pod_class_of
from hydatis.scheduler.what_if import WhatIf

_SHARED = {"columns", "storage", "_storage", "_row_of", "patterns", "identity", "requirements"}
"""What cannot change, or is compared by identity."""


def _state(part: Any) -> Any:
    """Everything that a part of the tables holds, by value; in its order where there is one."""
    if isinstance(part, np.ndarray):
        return repr(part.tolist())
    if isinstance(part, dict):
        return [(repr(key), _state(value)) for key, value in part.items() if key not in _SHARED]
    if isinstance(part, list | tuple | set | frozenset):
        return [_state(value) for value in part]
    if type(part).__module__.startswith("hydatis") and not isinstance(part, PodClass):
        slots = [name for kind in type(part).__mro__ for name in getattr(kind, "__slots__", ())]
        names = [name for name in (*slots, *getattr(part, "__dict__", ())) if name != "__weakref__"]
        return [(name, _state(getattr(part, name, None))) for name in names if name not in _SHARED]
    return repr(part)


def _unordered(state: Any) -> Any:
    """Dictionaries fill again in another order; only the pods of a row must keep theirs."""
    if isinstance(state, list | tuple):
        # A digest for each level: quoting what is quoted already would double in length with each.
        return sorted(hashlib.sha256(repr(_unordered(entry)).encode()).hexdigest() for entry in state)
    return state


def _tables(case: Case) -> tuple[Cluster, PodClasses]:
    cluster = Cluster()
    for manifest in case.nodes:
        cluster.set_node(manifest)
    for manifest in case.objects:
        if manifest["kind"] in StorageKind.__members__.values():
            cluster.storage.set(StorageKind(manifest["kind"]), manifest)
    classes = PodClasses(cluster.columns)
    for manifest in case.pods:
        pod_class = classes.of(manifest)
        cluster.ensure_columns()
        cluster.place(manifest["metadata"]["uid"], manifest["spec"]["nodeName"], pod_class)
    return cluster, classes


@pytest.mark.parametrize("number", range(40))
def test_tables_logs_and_versions_are_as_before(number: int) -> None:
    case = make_cluster(5, number)
    cluster, classes = _tables(case)
    rows = cluster.rows().tolist()
    if not rows:
        return
    newcomers = [classes.of(manifest) for manifest in case.candidates]
    cluster.ensure_columns()
    for newcomer in newcomers:
        cluster.placed.hold_terms(newcomer.affinity)
    before = _unordered(_state(cluster))
    storage_version = cluster.storage.version
    orders = [list(cluster.pods_on(row)) for row in rows]
    random = Random(number)  # noqa: S311  reproducible on purpose
    with WhatIf(cluster) as what_if:
        for step in range(40):
            row = random.choice(rows)
            present = list(cluster.pods_on(row))
            if present and random.random() < 0.5:
                what_if.remove(random.choice(present), row)
            elif random.random() < 0.2:
                what_if.undo_to(random.randint(0, what_if.mark))
            else:
                what_if.place(f"newcomer-{step}", row, random.choice(newcomers))
    assert cluster.storage.version == storage_version
    assert [list(cluster.pods_on(row)) for row in rows] == orders
    assert _unordered(_state(cluster)) == before


def test_a_fault_within_is_undone_too() -> None:
    cluster = cluster_of(node("n"))
    running = pod("running").requests(cpu="1")
    place(cluster, running, "n")
    newcomer = pod_class_of(cluster, pod("new").requests(cpu="2"))
    before = _unordered(_state(cluster))
    row = int(cluster.rows()[0])

    def fail() -> None:
        with WhatIf(cluster) as what_if:
            what_if.remove(running.uid, row)
            what_if.place("new", row, newcomer)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert _unordered(_state(cluster)) == before
