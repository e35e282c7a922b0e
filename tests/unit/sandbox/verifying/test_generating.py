"""The generator reaches what the plugins tell apart, and makes the same clusters from the same seed."""

from collections.abc import Iterator
from typing import Any

import pytest

from hydatis.sandbox.verifying.cases import Cluster
from hydatis.sandbox.verifying.generating.clusters import make_cluster
from hydatis.sandbox.verifying.generating.surroundings import CANDIDATES
from hydatis.scheduler.quantities import parse_quantity

SEED = 11
CLUSTERS = 600


@pytest.fixture(scope="module")
def clusters() -> list[Cluster]:
    return [make_cluster(SEED, number) for number in range(CLUSTERS)]


def values_of(part: Any, field: str) -> Iterator[Any]:
    """Every value of a field of that name, however deep."""
    if isinstance(part, dict):
        if field in part:
            yield part[field]
        for value in part.values():
            yield from values_of(value, field)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from values_of(value, field)


def test_the_same_seed_and_number_make_the_same_cluster_and_others_make_another() -> None:
    assert make_cluster(1, 5) == make_cluster(1, 5)
    assert make_cluster(1, 5) != make_cluster(1, 6)
    assert make_cluster(1, 5) != make_cluster(2, 5)


def test_clusters_are_small_mostly_and_sometimes_empty_or_large(clusters: list[Cluster]) -> None:
    sizes = [len(cluster.nodes) for cluster in clusters]
    assert {0, 1, 8, 60} <= set(sizes)
    assert sum(1 <= size <= 8 for size in sizes) > 0.95 * CLUSTERS
    assert all(len(cluster.candidates) == CANDIDATES for cluster in clusters)


@pytest.mark.parametrize(
    ("group", "field", "wanted"),
    [
        ("candidates", "operator", {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Equal"}),
        ("candidates", "effect", {"NoSchedule", "PreferNoSchedule", "NoExecute"}),
        ("nodes", "effect", {"NoSchedule", "PreferNoSchedule", "NoExecute"}),
        ("nodes", "unschedulable", {True}),
        ("candidates", "protocol", {"TCP", "UDP", "SCTP"}),
        ("pods", "hostIP", {"", "0.0.0.0", "127.0.0.1", "::1"}),  # noqa: S104  a value in manifests
        ("pods", "hostPort", {0, 80, 443}),
        ("candidates", "restartPolicy", {"Always"}),
        ("candidates", "nodeName", {"n0", "gone"}),
        ("pods", "reason", {"Infeasible", "Deferred"}),
        ("candidates", "weight", {1, 100}),
        ("candidates", "claimName", {"claim-0", "claim-13", "claim-gone"}),
        ("pods", "claimName", {"claim-0", "claim-13"}),
        ("objects", "volumeBindingMode", {"Immediate", "WaitForFirstConsumer"}),
        ("objects", "volume.kubernetes.io/selected-node", {"n0", "gone", ""}),
        ("objects", "volumeMode", {"Block", "Filesystem"}),
        ("objects", "phase", {"Pending", "Bound", "Lost", "Available"}),
        ("objects", "preventPodSchedulingIfMissing", {True}),
        ("objects", "count", {0, 1, 3}),
    ],
)
def test_every_value_that_plugins_tell_apart_comes_up(
    clusters: list[Cluster], group: str, field: str, wanted: set[Any]
) -> None:
    found = {value for cluster in clusters for value in values_of(getattr(cluster, group), field)}
    assert wanted <= found


@pytest.mark.parametrize(
    ("group", "field"),
    [
        ("candidates", "matchFields"),
        ("candidates", "nodeSelector"),
        ("candidates", "preferredDuringSchedulingIgnoredDuringExecution"),
        ("candidates", "initContainers"),
        ("candidates", "overhead"),
        ("pods", "containerStatuses"),
        ("pods", "initContainerStatuses"),
        ("pods", "allocatedResources"),
    ],
)
def test_every_optional_field_is_there_on_some_and_missing_on_others(
    clusters: list[Cluster], group: str, field: str
) -> None:
    manifests = [manifest for cluster in clusters for manifest in getattr(cluster, group)]
    having = sum(any(True for _ in values_of(manifest, field)) for manifest in manifests)
    assert 0 < having < len(manifests)


def test_terms_are_sometimes_empty_and_their_bounds_no_integers(clusters: list[Cluster]) -> None:
    pods = [pod for cluster in clusters for pod in cluster.candidates]
    terms = [term for found in values_of(pods, "nodeSelectorTerms") for term in found]
    assert {} in terms
    expressions = [e for found in values_of(terms, "matchExpressions") for e in found]
    bounds = {e["values"][0] for e in expressions if e["operator"] in {"Gt", "Lt"}}
    assert {"two", "1.5", "9223372036854775808", "2"} <= bounds


def test_quantities_come_in_every_notation_and_all_can_be_read(clusters: list[Cluster]) -> None:
    found = {
        quantity for cluster in clusters for r in values_of(cluster.candidates, "requests") for quantity in r.values()
    }
    assert {"0", "1500m", "2e3", "0.1Gi", "100T", "1n", 1} <= found
    for quantity in found:
        assert parse_quantity(quantity) >= 0


def test_some_nodes_offer_no_places_for_pods(clusters: list[Cluster]) -> None:
    places = [node["status"]["allocatable"].get("pods") for cluster in clusters for node in cluster.nodes]
    assert None in places
    assert "0" in places


def test_every_bound_pod_is_on_a_node_of_its_cluster(clusters: list[Cluster]) -> None:
    for cluster in clusters:
        names = {node["metadata"]["name"] for node in cluster.nodes}
        assert {pod["spec"]["nodeName"] for pod in cluster.pods} <= names
