"""Koordinator's LoadAwareScheduling, by the arithmetic of its source."""

import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.testing import (
    by_node,
    measure_nodes,
    measure_pods,
    pod,
    pod_class_of,
    requirements_of,
    run_pod,
)
from hydatis.simulations.baselines.koordinator import EXCEEDED, EXPIRED, KoordinatorLoadAware
from hydatis.simulations.baselines.testing import newcomer, scores_of, ten_cores

GIB = 2**30


def bound(cluster: Cluster, plugin: KoordinatorLoadAware) -> KoordinatorLoadAware:
    return plugin.for_owner(pod_class_of(cluster, newcomer()).owner)


def scored(cluster: Cluster, plugin: KoordinatorLoadAware | None = None) -> dict[str, int]:
    return scores_of(plugin or KoordinatorLoadAware(), cluster, newcomer())


def passed(cluster: Cluster, plugin: KoordinatorLoadAware | None = None) -> dict[str, bool]:
    plugin = bound(cluster, plugin or KoordinatorLoadAware())
    return by_node(cluster, plugin.filter(requirements_of(cluster, newcomer()), cluster, cluster.rows()))


def test_the_score_is_the_mean_of_what_is_left_of_cpu_and_memory() -> None:
    cluster = ten_cores("n", "full", "unknown")
    measure_nodes(cluster, 0.0, {"n": (2000.0, 2.0 * GIB), "full": (9500.0, 0.0)})
    # 2000 + 850 of 10000: 71. Memory: 2 GiB + 751619277 of 10 GiB leaves 72.99999999 %: 72.
    assert scored(cluster) == {"n": (71 + 72) // 2, "full": (0 + 93) // 2, "unknown": 0}
    cluster.load.advance(180.0)
    assert set(scored(cluster).values()) == {0}


@pytest.mark.parametrize(
    ("requests", "limits", "estimate"),
    [
        ({}, {}, (250, 200 * 2**20)),
        ({"cpu": "1", "memory": "1Gi"}, {}, (850, 751619277)),
        ({"cpu": "1"}, {"cpu": "2"}, (1700, 200 * 2**20)),
        ({"cpu": "3"}, {"cpu": "2"}, (2000, 200 * 2**20)),
        ({"cpu": "33m"}, {}, (28, 200 * 2**20)),
    ],
)
def test_pods_are_estimated_by_the_larger_of_request_and_limit(
    requests: dict[str, str], limits: dict[str, str], estimate: tuple[int, int]
) -> None:
    cluster = ten_cores("n")
    resources = {"requests": requests, "limits": limits}
    builder = pod().set_spec(containers=[{"name": "main", "resources": resources}])
    assert KoordinatorLoadAware().estimated_pod(requirements_of(cluster, builder)) == estimate


def test_pods_that_the_sample_does_not_hold_yet_count_as_estimated() -> None:
    cluster = ten_cores("n")
    old, recent = (pod(name).requests(cpu="1", memory="1Gi") for name in ("old", "recent"))
    run_pod(cluster, old, "n", 0.0)
    run_pod(cluster, recent, "n", 70.0)
    measure_nodes(cluster, 100.0, {"n": (1000.0, 0.0)})
    # 1000 + 850 + 850 of 10000; 0 + 2 x 751619277 of 10 GiB leaves 86.0 %.
    assert scored(cluster) == {"n": (73 + 85) // 2}
    # Of the recent pod's 850, 100 are in what is measured of the node.
    measure_pods(cluster, 100.0, {recent.uid: (100.0, float(2 * GIB))})
    assert scored(cluster) == {"n": (74 + 92) // 2}
    measure_nodes(cluster, 130.0, {"n": (1000.0, 0.0)})
    assert scored(cluster) == {"n": (81 + 92) // 2}


@pytest.mark.parametrize(
    ("cpu", "memory", "reason"),
    [
        (5600.0, 0.0, None),
        # 64.5 and 65.49 percent are rounded to 65, which is not above 65
        (5699.0, 0.0, None),
        (5700.0, 0.0, EXCEEDED["cpu"]),
        (0.0, 8.8 * GIB, None),
        (0.0, 8.9 * GIB, EXCEEDED["memory"]),
        (9000.0, 9.9 * GIB, EXCEEDED["cpu"]),
    ],
)
def test_nodes_above_a_threshold_are_rejected(cpu: float, memory: float, reason: str | None) -> None:
    cluster = ten_cores("n")
    measure_nodes(cluster, 0.0, {"n": (cpu, memory)})
    assert passed(cluster) == {"n": reason is None}
    plugin, rows = KoordinatorLoadAware(), cluster.rows()
    if reason is not None:
        assert plugin.reasons(requirements_of(cluster, newcomer()), cluster, rows) == {reason: 1}
        assert not plugin.unresolvable(requirements_of(cluster, newcomer()), cluster, rows).any()


def test_a_node_passes_without_metrics_but_not_when_they_have_expired() -> None:
    cluster = ten_cores("never", "once")
    measure_nodes(cluster, 0.0, {"once": (0.0, 0.0)})
    cluster.load.advance(179.0)
    assert passed(cluster) == {"never": True, "once": True}
    cluster.load.advance(180.0)
    assert passed(cluster) == {"never": True, "once": False}
    rows = cluster.rows()[1:]
    assert KoordinatorLoadAware().reasons(requirements_of(cluster, newcomer()), cluster, rows) == {EXPIRED: 1}


def test_by_class_owners_stand_in_for_requests_and_metrics() -> None:
    cluster = ten_cores("n", "unknown")
    db = pod("p").requests(cpu="1", memory="1Gi").owned_by("StatefulSet", "db")
    run_pod(cluster, db, "unknown", 0.0)
    for hour in range(1, 300):
        measure_pods(cluster, 3600.0 * hour, {db.uid: (270.0, 0.27 * GIB)})
    now = 3600.0 * 300
    measure_nodes(cluster, now, {"n": (2000.0, 2.0 * GIB)})
    by_class = KoordinatorLoadAware(by_class=True)
    # 22.7 % of both used there, and twice the mean of the owner here.
    assert scored(cluster, by_class) == {"n": 77, "unknown": 94}
    cluster.load.advance(now + 180.0)
    assert passed(cluster, by_class) == {"n": True, "unknown": True}
    assert scored(cluster, by_class)["n"] == 97
