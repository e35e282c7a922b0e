"""Topology domains are kept as long as no node changes."""

from collections.abc import Callable

import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.testing import cluster_of, node, place, pod
from hydatis.scheduler.topology import Domains, domains_of


def _grow(cluster: Cluster) -> None:
    for number in range(cluster.capacity + 1):
        place(cluster, pod(), f"unknown-{number}")


_CHANGES: dict[str, Callable[[Cluster], object]] = {
    "a node comes": lambda cluster: cluster.set_node(node("c").label("zone", "3").manifest()),
    "a node goes": lambda cluster: cluster.remove_node("b"),
    "a label changes": lambda cluster: cluster.set_node(node("b").label("zone", "1").manifest()),
    "a label goes": lambda cluster: cluster.set_node(node("b").manifest()),
    "the tables grow": _grow,
}


@pytest.mark.parametrize("unlabelled_too", [False, True])
@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES.keys())
def test_domains_are_those_of_the_nodes_as_they_are_now(
    change: Callable[[Cluster], object], unlabelled_too: bool
) -> None:
    cluster = cluster_of(node("a").label("zone", "1"), node("b").label("zone", "2"))
    before = domains_of(cluster, "zone", unlabelled_too=unlabelled_too)
    place(cluster, pod(), "a")
    assert domains_of(cluster, "zone", unlabelled_too=unlabelled_too) is before
    change(cluster)
    kept = domains_of(cluster, "zone", unlabelled_too=unlabelled_too)
    anew = Domains(cluster, "zone", unlabelled_too=unlabelled_too)
    assert kept.numbers.tolist() == anew.numbers.tolist()
    assert kept.labelled.tolist() == anew.labelled.tolist()
