"""TargetLoadPacking, by the cases of the source's own test and by its arithmetic."""

from collections.abc import Callable

import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.testing import (
    PodBuilder,
    by_node,
    cluster_of,
    measure_nodes,
    measure_pods,
    node,
    pod,
    pod_class_of,
    requirements_of,
    run_pod,
)
from hydatis.simulations.baselines.target_load_packing import TargetLoadPacking


def core() -> Cluster:
    return cluster_of(node("n").allocatable(cpu="1000m", memory="1Gi"))


def scored(cluster: Cluster, builder: PodBuilder, plugin: TargetLoadPacking | None = None) -> int:
    plugin = (plugin or TargetLoadPacking()).for_owner(pod_class_of(cluster, builder).owner)
    score = by_node(cluster, plugin.score(requirements_of(cluster, builder), cluster, cluster.rows()))["n"]
    return int(score)


def limited(limit: str, **requests: str) -> PodBuilder:
    return pod().set_spec(containers=[{"name": "main", "resources": {"limits": {"cpu": limit}, "requests": requests}}])


def no_containers() -> PodBuilder:
    return pod().set_spec(containers=[])


@pytest.mark.parametrize(
    ("percent", "builder", "score"),
    [
        (0, no_containers, 40),
        (50, no_containers, 33),
        (30, lambda: limited("1000m", cpu="1000m"), 0),
        # 10 + 15 percent: 60 x 25 / 40 + 40 = 77.5
        (10, lambda: pod().requests(cpu="100m"), 78),
        # 40 percent is the target itself
        (25, lambda: pod().requests(cpu="100m"), 100),
        # 10 + 20 percent of a limit, whatever is requested: 60 x 30 / 40 + 40
        (10, lambda: limited("200m", cpu="100m"), 85),
        # 100 percent: 40 x 0 / 60
        (0, pod, 0),
        # 55 percent, overhead included: 40 x 45 / 60
        (30, lambda: pod().requests(cpu="100m").set_spec(overhead={"cpu": "100m"}), 30),
        # 1.5 x 33 = 49.5 is rounded to 50: 5 percent
        (0, lambda: pod().requests(cpu="33m"), 48),
    ],
)
def test_nodes_are_packed_up_to_the_target(percent: float, builder: Callable[[], PodBuilder], score: int) -> None:
    cluster = core()
    measure_nodes(cluster, 100.0, {"n": (percent * 10.0, 0.0)})
    assert scored(cluster, builder()) == score


def test_a_node_without_metrics_gets_the_minimum() -> None:
    cluster = core()
    assert scored(cluster, no_containers()) == 0
    measure_nodes(cluster, 100.0, {"n": (float("nan"), 1.0)})
    assert scored(cluster, no_containers()) == 0
    measure_nodes(cluster, 130.0, {"n": (0.0, 1.0)})
    cluster.load.advance(429.9)
    assert scored(cluster, no_containers()) == 40
    cluster.load.advance(430.0)
    assert scored(cluster, no_containers()) == 0


@pytest.mark.parametrize(("placed_at", "score"), [(39.0, 40), (40.0, 40), (41.0, 63), (99.0, 63), (120.0, 63)])
def test_pods_of_the_last_minute_of_the_metrics_count_as_predicted(placed_at: float, score: int) -> None:
    cluster = core()
    run_pod(cluster, pod("recent").requests(cpu="100m"), "n", placed_at)
    measure_nodes(cluster, 100.0, {"n": (0.0, 0.0)})
    cluster.load.advance(121.0)
    # 15 percent: 60 x 15 / 40 + 40 = 62.5
    assert scored(cluster, no_containers()) == score


def test_by_class_pods_count_as_their_owner_s_mean() -> None:
    cluster = core()
    one = pod("p").requests(cpu="100m").owned_by("StatefulSet", "db")
    run_pod(cluster, one, "n", 0.0)
    for hour in range(1, 100):
        measure_pods(cluster, 3600.0 * hour, {one.uid: (40.0, 0.0)})
    now = 3600.0 * 100
    by_class, new = TargetLoadPacking(by_class=True), pod("new").requests(cpu="100m").owned_by("StatefulSet", "db")
    # Without metrics the node uses what its pod is expected to: 4 and 4 percent, 60 x 8 / 40 + 40.
    assert scored(cluster, new, by_class) == 52
    measure_nodes(cluster, now, {"n": (100.0, 0.0)})
    # 10 and 4 percent
    assert scored(cluster, new, by_class) == 61
    run_pod(cluster, pod("q").requests(cpu="100m").owned_by("StatefulSet", "db"), "n", now + 1.0)
    assert scored(cluster, new, by_class) == 67
