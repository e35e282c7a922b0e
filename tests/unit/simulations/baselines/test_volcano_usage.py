"""Volcano's usage plugin, by the arithmetic of its source."""

import math

import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.testing import (
    PodBuilder,
    measure_nodes,
    measure_pods,
    pod,
    requirements_of,
    run_pod,
)
from hydatis.simulations.baselines.testing import newcomer, scores_of, ten_cores
from hydatis.simulations.baselines.volcano_usage import CPU_EXCEEDED, MEMORY_EXCEEDED, ONE, VolcanoUsage

GIB = 2**30


def scored(cluster: Cluster, plugin: VolcanoUsage | None = None) -> dict[str, float]:
    scores = scores_of(plugin or VolcanoUsage(), cluster, newcomer())
    return {name: score / ONE for name, score in scores.items()}


def stating(name: str, requests: dict[str, str], limits: dict[str, str]) -> PodBuilder:
    return pod(name).set_spec(containers=[{"name": "main", "resources": {"requests": requests, "limits": limits}}])


def test_the_score_is_what_the_last_ten_minutes_left_on_average() -> None:
    cluster = ten_cores("n", "unknown")
    for minute, cpu in enumerate([9000.0, *[4000.0, 6000.0] * 5]):
        measure_nodes(cluster, 60.0 * minute, {"n": (cpu, 2.0 * GIB)})
    assert scored(cluster) == {"n": pytest.approx((0.5 + 0.8) / 2 * 500), "unknown": 0.0}
    cluster.load.advance(600.0 + 299.0)
    assert scored(cluster)["n"] > 0.0
    cluster.load.advance(600.0 + 300.0)
    assert scored(cluster)["n"] == 0.0


@pytest.mark.parametrize(
    ("utilization", "sigma"),
    [(0.5, 0.575), (0.0, 0.15 + 0.85 / (1 + math.exp(6))), (1.0, 0.15 + 0.85 / (1 + math.exp(-6)))],
)
def test_the_fuller_the_node_the_closer_pods_are_taken_to_their_limits(utilization: float, sigma: float) -> None:
    assert VolcanoUsage().sigma(utilization) == pytest.approx(sigma)


def test_pods_of_the_last_half_minute_are_estimated_on_top() -> None:
    cluster = ten_cores("n")
    measure_nodes(cluster, 0.0, {"n": (5000.0, 2.0 * GIB)})
    run_pod(cluster, stating("p", {"cpu": "1"}, {"cpu": "2"}), "n", 10.0)
    sigma = 0.15 + 0.85 / (1 + math.exp(12 * 0.15))
    assert scored(cluster)["n"] == pytest.approx((0.5 - (1 + sigma) / 10 + 0.8) / 2 * 500, abs=1e-6)
    run_pod(cluster, stating("best-effort", {}, {}), "n", 20.0)
    run_pod(cluster, stating("another", {}, {}), "n", 20.0)
    share = 0.1 + 0.12
    assert scored(cluster)["n"] == pytest.approx((0.5 - (1 + sigma) / 10 - share + 0.8 - share) / 2 * 500, abs=1e-6)
    cluster.load.advance(40.0)
    assert scored(cluster)["n"] == pytest.approx((0.5 - share + 0.8 - share) / 2 * 500, abs=1e-6)
    cluster.load.advance(50.0)
    assert scored(cluster)["n"] == pytest.approx((0.5 + 0.8) / 2 * 500)


def test_a_full_node_scores_nothing_and_no_less() -> None:
    cluster = ten_cores("n")
    measure_nodes(cluster, 0.0, {"n": (15_000.0, 15.0 * GIB)})
    assert scored(cluster) == {"n": 0.0}


@pytest.mark.parametrize(
    ("cpu", "memory", "reason"),
    [(8000.0, 8.0 * GIB, None), (8001.0, 9.0 * GIB, CPU_EXCEEDED), (0.0, 8.1 * GIB, MEMORY_EXCEEDED)],
)
def test_nodes_above_a_threshold_are_rejected_whatever_leaves_them(
    cpu: float, memory: float, reason: str | None
) -> None:
    cluster, plugin = ten_cores("n"), VolcanoUsage()
    measure_nodes(cluster, 0.0, {"n": (cpu, memory)})
    requirements, rows = requirements_of(cluster, pod()), cluster.rows()
    assert plugin.filter(requirements, cluster, rows).tolist() == [reason is None]
    assert plugin.reasons(requirements, cluster, rows) == ({} if reason is None else {reason: 1})
    assert plugin.unresolvable(requirements, cluster, rows).tolist() == [True]
    cluster.load.advance(300.0)
    assert plugin.filter(requirements, cluster, rows).tolist() == [True]


def test_by_class_owners_stand_in_for_requests_and_metrics() -> None:
    cluster = ten_cores("n", "unknown")
    db = pod("p").requests(cpu="1", memory="1Gi").owned_by("StatefulSet", "db")
    run_pod(cluster, db, "unknown", 0.0)
    for hour in range(1, 300):
        measure_pods(cluster, 3600.0 * hour, {db.uid: (2000.0, 0.5 * GIB)})
    now = 3600.0 * 300
    measure_nodes(cluster, now, {"n": (5000.0, 2.0 * GIB)})
    by_class = VolcanoUsage(by_class=True)
    found = scored(cluster, by_class)
    assert found["n"] == pytest.approx((0.3 + 0.75) / 2 * 500, abs=2.0)
    assert found["unknown"] == pytest.approx((0.6 + 0.9) / 2 * 500, abs=2.0)
    run_pod(cluster, pod("q").requests(cpu="1", memory="1Gi").owned_by("StatefulSet", "db"), "n", now + 1.0)
    assert scored(cluster, by_class)["n"] == pytest.approx((0.1 + 0.7) / 2 * 500, abs=2.0)
