"""NodeResourcesFit."""

import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugin_args import ResourceSpec, ScoringStrategy, ScoringStrategyType, UtilizationShapePoint
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit, scores_by_utilization
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, by_node, cluster_of, node, place, pod, requirements_of

MOST_ALLOCATED = NodeResourcesFit(ScoringStrategy(ScoringStrategyType.MOST_ALLOCATED))


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
    assert by_node(cluster, MOST_ALLOCATED.score(requirements, cluster, rows)) == {"node": most}


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


GPU = "example.com/gpu"


def _scored(strategy: ScoringStrategy, wanted: PodBuilder, used: PodBuilder, builder: NodeBuilder) -> int:
    cluster = _used(used, builder)
    requirements = requirements_of(cluster, wanted)
    score = NodeResourcesFit(strategy).score(requirements, cluster, cluster.rows())
    return int(by_node(cluster, score)["node"])


@pytest.mark.parametrize(
    ("wanted", "least", "most"),
    [
        # cpu: 1000m of 4000m, weight 3; gpu: 3 of 8 with those that run, weight 5. (3 x 75 + 5 x 62) / 8 = 66.
        (pod().request_of({"cpu": "1", GPU: 1}), 66, 32),
        # Who requests no gpu is scored without it.
        (pod().request_of({"cpu": "1"}), 75, 25),
        (pod().request_of({"cpu": "1", GPU: 0}), 75, 25),
    ],
)
def test_resources_weigh_what_the_strategy_says_and_extended_ones_count_where_requested(
    wanted: PodBuilder, least: int, most: int
) -> None:
    resources = (ResourceSpec("cpu", 3), ResourceSpec(GPU, 5), ResourceSpec("example.com/unknown", 100))
    used = pod("used").request_of({"cpu": "0", GPU: 2})
    gpus = node().allocatable_of({GPU: 8})
    for kind, expected in ((ScoringStrategyType.LEAST_ALLOCATED, least), (ScoringStrategyType.MOST_ALLOCATED, most)):
        assert _scored(ScoringStrategy(kind, resources), wanted, used, gpus) == expected


@pytest.mark.parametrize(
    ("requested", "score"),
    [
        # 400 of 1000: the line from (20, 100) to (60, 0) is at 50.
        ("300m", 50),
        # 410 of 1000: 47.5, and Go's division of the falling line's -52.5 rounds towards zero.
        ("310m", 48),
        # Beyond the last point its score stays.
        ("800m", 0),
        # More than there is counts as all of it.
        ("5", 0),
    ],
)
def test_a_ratio_scores_by_the_share_requested(requested: str, score: int) -> None:
    shape = (UtilizationShapePoint(20, 10), UtilizationShapePoint(60, 0))
    strategy = ScoringStrategy(
        ScoringStrategyType.REQUESTED_TO_CAPACITY_RATIO, (ResourceSpec("cpu"), ResourceSpec("ephemeral-storage")), shape
    )
    used, builder = pod("used").requests(cpu="100m"), node().allocatable(cpu="1", ephemeral_storage="0")
    assert _scored(strategy, pod().requests(cpu=requested), used, builder) == score


def test_a_ratio_leaves_out_resources_that_score_nothing_and_rounds_to_the_nearest() -> None:
    shape = (UtilizationShapePoint(0, 0), UtilizationShapePoint(100, 10))
    strategy = ScoringStrategy(
        ScoringStrategyType.REQUESTED_TO_CAPACITY_RATIO,
        (ResourceSpec("cpu", 1), ResourceSpec("memory", 1), ResourceSpec("ephemeral-storage", 1)),
        shape,
    )
    builder = node().allocatable(cpu="1", memory="1000Mi", ephemeral_storage="1000Gi")
    used = pod("used").requests(cpu="0", memory="0")
    # cpu 20, memory 33, storage 0: the mean of the first two is 26.5.
    assert _scored(strategy, pod().requests(cpu="200m", memory="330Mi"), used, builder) == 27


def test_between_the_points_of_a_shape_scores_lie_on_straight_lines_rounded_towards_zero() -> None:
    scores = scores_by_utilization(
        (UtilizationShapePoint(10, 2), UtilizationShapePoint(13, 3), UtilizationShapePoint(16, 2))
    )
    assert scores[[0, 10, 11, 12, 13, 14, 15, 16, 100]].tolist() == [20, 20, 23, 26, 30, 27, 24, 20, 20]
