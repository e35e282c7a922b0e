"""NodeResourcesFit."""

import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, by_node, cluster_of, node, place, pod, requirements_of


def _used(used: PodBuilder, builder: NodeBuilder) -> Cluster:
    cluster = cluster_of(builder)
    place(cluster, used, "node")
    return cluster


@pytest.mark.parametrize(
    ("used", "wanted", "reasons"),
    [
        (pod(), pod(), {}),
        (pod().requests(cpu="3"), pod().requests(cpu="1"), {}),
        (pod().requests(cpu="3"), pod().requests(cpu="1001m"), {"Insufficient cpu": 1}),
        (pod().requests(memory="16Gi"), pod().requests(memory="1"), {"Insufficient memory": 1}),
        (pod().requests(memory="16Gi"), pod().requests(cpu="1"), {}),
        (
            pod().requests(cpu="4", memory="16Gi"),
            pod().requests(cpu="1", memory="1Gi"),
            {"Insufficient cpu": 1, "Insufficient memory": 1},
        ),
        (pod().requests(cpu="5"), pod(), {}),
        (pod().requests(cpu="5"), pod().requests(cpu="0"), {}),
        (pod(), pod().requests(ephemeral_storage="1Gi"), {"Insufficient ephemeral-storage": 1}),
        (pod(), pod().request_of({"nvidia.com/gpu": 1}), {"Insufficient nvidia.com/gpu": 1}),
        (pod(), pod().request_of({"nvidia.com/gpu": 0}), {}),
        (pod(), pod().request_of({"storage": "1Gi"}), {}),
    ],
)
def test_a_pod_fits_where_enough_of_everything_is_left(
    used: PodBuilder, wanted: PodBuilder, reasons: dict[str, int]
) -> None:
    cluster = _used(used, node())
    requirements = requirements_of(cluster, wanted)
    rows = cluster.rows()
    assert by_node(cluster, NodeResourcesFit().filter(requirements, cluster, rows)) == {"node": not reasons}
    assert NodeResourcesFit().reasons(requirements, cluster, rows) == reasons


def test_a_node_takes_as_many_pods_as_it_allows() -> None:
    cluster = _used(pod(), node().allocatable(pods="1"))
    wanted = requirements_of(cluster, pod())
    assert NodeResourcesFit().reasons(wanted, cluster, cluster.rows()) == {"Too many pods": 1}


def test_a_node_that_states_no_number_of_pods_takes_none() -> None:
    cluster = cluster_of(node().allocatable(pods="0"))
    assert by_node(cluster, NodeResourcesFit().filter(requirements_of(cluster, pod()), cluster, cluster.rows())) == {
        "node": False
    }


def test_requests_near_64_bits_never_wrap_around_to_a_fit() -> None:
    cluster = cluster_of(node().allocatable(memory="8Ei"))
    for number in range(3):
        place(cluster, pod(f"huge-{number}").requests(memory="7Ei"), "node")
    wanted = requirements_of(cluster, pod().requests(memory="1"))
    assert NodeResourcesFit().reasons(wanted, cluster, cluster.rows()) == {"Insufficient memory": 1}


@pytest.mark.parametrize(
    ("used", "wanted", "least", "most"),
    [
        # 100m of 4 cores: 97; 200Mi of 16 GiB: 98.
        (None, pod(), 97, 1),
        # 2000m of 4000m: 50; 8 GiB of 16 GiB: 50.
        (pod().requests(cpu="1", memory="4Gi"), pod().requests(cpu="1", memory="4Gi"), 50, 50),
        # 1000m of 4000m: 75; 1 GiB of 16 GiB: 93. The mean 84 is rounded down.
        (None, pod().requests(cpu="1", memory="1Gi"), 84, 15),
        # A node asked for more than it has scores as full.
        (pod().requests(cpu="4", memory="16Gi"), pod().requests(cpu="1", memory="1Gi"), 0, 100),
    ],
)
def test_scores_are_percentages_left_or_requested_rounded_down(
    used: PodBuilder | None, wanted: PodBuilder, least: int, most: int
) -> None:
    cluster = _used(used, node()) if used else cluster_of(node())
    requirements = requirements_of(cluster, wanted)
    rows = cluster.rows()
    assert by_node(cluster, NodeResourcesFit().score(requirements, cluster, rows)) == {"node": least}
    assert by_node(cluster, NodeResourcesFit(most_allocated=True).score(requirements, cluster, rows)) == {"node": most}


def test_a_resource_that_the_node_does_not_have_is_left_out_of_the_mean() -> None:
    cluster = cluster_of(node().allocatable(memory="0"))
    requirements = requirements_of(cluster, pod().requests(cpu="1"))
    assert by_node(cluster, NodeResourcesFit().score(requirements, cluster, cluster.rows())) == {"node": 75}


@pytest.mark.parametrize(
    ("builder", "wanted", "unresolvable"),
    [
        (node(), pod().requests(cpu="4"), False),
        (node(), pod().requests(cpu="5"), True),
        (node(), pod().requests(cpu="2", memory="17Gi"), True),
        (node(), pod().request_of({"nvidia.com/gpu": 1}), True),
        # kube-scheduler counts places for pods as something that preemption frees, however few there are.
        (node().allocatable(pods="0"), pod(), False),
    ],
)
def test_only_a_request_over_what_the_node_has_cannot_be_helped_by_preemption(
    builder: NodeBuilder, wanted: PodBuilder, unresolvable: bool
) -> None:
    cluster = _used(pod().requests(cpu="4"), builder)
    requirements = requirements_of(cluster, wanted)
    rows = cluster.rows()
    assert by_node(cluster, NodeResourcesFit().filter(requirements, cluster, rows)) == {"node": False}
    assert by_node(cluster, NodeResourcesFit().unresolvable(requirements, cluster, rows)) == {"node": unresolvable}
