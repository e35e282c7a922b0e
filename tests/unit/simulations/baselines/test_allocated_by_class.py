"""Scores by requests, with what owners' pods have been seen to use in place of requests."""

import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.testing import cluster_of, measure_pods, node, pod, run_pod
from hydatis.simulations.baselines.allocated_by_class import FINE, AllocatedByClass, Preference
from hydatis.simulations.baselines.testing import newcomer, scores_of

GIB = 2**30


def cluster() -> Cluster:
    """Nodes of 10 and 20 cores and as many GiB; on the first runs a pod that requests little and uses all of it."""
    found = cluster_of(*(node(name).allocatable(cpu=n, memory=f"{n}Gi") for name, n in (("a", "10"), ("b", "20"))))
    known = pod("db-0").requests(cpu="1", memory="1Gi").owned_by("StatefulSet", "db")
    run_pod(found, known, "a", 0.0)
    for hour in range(1, 500):
        measure_pods(found, 3600.0 * hour, {known.uid: (2000.0, 1.0 * GIB)})
    return found


def scored(prefers: Preference) -> dict[str, float]:
    found = scores_of(AllocatedByClass(prefers=prefers), cluster(), newcomer())
    return {name: score / FINE for name, score in found.items()}


def test_pods_count_by_what_their_owners_pods_use() -> None:
    # Two such pods on a, one on b: 2 of its 1 requested cores each, and 1 GiB.
    least = scored(Preference.LEAST)
    assert least["a"] == pytest.approx(100 * (1 - (0.4 + 0.2) / 2), abs=0.5)
    assert least["b"] == pytest.approx(100 * (1 - (0.1 + 0.05) / 2), abs=0.5)
    most = scored(Preference.MOST)
    assert {name: 100 - score for name, score in most.items()} == pytest.approx(least, abs=0.001)


def test_best_fit_takes_the_node_with_the_least_left() -> None:
    found = scored(Preference.BEST_FIT)
    # Left of a: 6 cores and 8 GiB, of the largest node's 20.
    assert found["a"] == pytest.approx(100 * (1 - (6 / 20 + 8 / 20) / 2), abs=0.5)
    assert found["a"] > found["b"]


def test_dot_product_takes_the_node_that_has_least_of_what_the_pod_uses() -> None:
    found = scored(Preference.DOT_PRODUCT)
    # Free on a: 8 cores and 9 GiB; the pod uses 2 and 1; the largest node has 20.
    assert found["a"] == pytest.approx(100 * (1 - (8 / 20 * 2 / 20 + 9 / 20 / 20) / 2), abs=0.5)
    assert found["a"] > found["b"]
