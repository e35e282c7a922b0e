"""crane's Dynamic, by the arithmetic of its source."""

import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.testing import (
    measure_nodes,
    measure_pods,
    pod,
    requirements_of,
    run_pod,
)
from hydatis.simulations.baselines.crane_dynamic import CraneDynamic, hot_values
from hydatis.simulations.baselines.testing import newcomer, scores_of, ten_cores

GIB = 2**30


def scored(cluster: Cluster, plugin: CraneDynamic | None = None) -> dict[str, int]:
    return scores_of(plugin or CraneDynamic(), cluster, newcomer())


def test_the_score_is_what_is_left_on_average_cut_to_a_whole_number() -> None:
    cluster = ten_cores("n", "unknown")
    measure_nodes(cluster, 0.0, {"n": (2500.0, 5.0 * GIB)})
    # All three metrics are alike: (75 + 50) / 2 = 62.5
    assert scored(cluster) == {"n": 62, "unknown": 0}


def test_the_hour_and_the_day_count_by_their_highest_five_minutes() -> None:
    cluster = ten_cores("n")
    for minute in range(0, 120, 5):
        cpu = 9000.0 if minute == 0 else 5000.0 if minute == 90 else 1000.0
        measure_nodes(cluster, 60.0 * minute, {"n": (cpu, 0.0)})
    # CPU: 0.2 x 90 + 0.3 x 50 + 0.5 x 10 = 38; memory: 100
    assert scored(cluster) == {"n": 69}


@pytest.mark.parametrize(
    ("age", "score"),
    [(479.0, 62), (480.0, 50), (1199.0, 50), (1200.0, 31), (11_099.0, 31), (11_100.0, 0)],
)
def test_what_has_expired_scores_nothing_but_keeps_its_weight(age: float, score: int) -> None:
    cluster = ten_cores("n")
    measure_nodes(cluster, 0.0, {"n": (2500.0, 5.0 * GIB)})
    cluster.load.advance(age)
    assert scored(cluster) == {"n": score}


def test_nodes_that_took_pods_of_late_are_hot() -> None:
    cluster = ten_cores("n")
    measure_nodes(cluster, 0.0, {"n": (0.0, 0.0)})
    assert scored(cluster) == {"n": 100}
    for number in range(11):
        run_pod(cluster, pod(f"p{number}"), "n", 1.0 + 20.0 * number)
    # 11 within five minutes, 3 within one: 11 // 5 + 3 // 2.
    measure_nodes(cluster, 201.0, {"n": (0.0, 0.0)})
    assert hot_values(cluster.load, cluster.rows()).tolist() == [3]
    assert scored(cluster) == {"n": 70}
    cluster.load.advance(261.0)
    assert scored(cluster) == {"n": 80}
    cluster.load.advance(400.0)
    assert scored(cluster) == {"n": 90}


def test_the_score_stays_within_bounds() -> None:
    cluster = ten_cores("hot", "over")
    measure_nodes(cluster, 0.0, {"hot": (9000.0, 9.0 * GIB), "over": (12_000.0, 12.0 * GIB)})
    for number in range(30):
        run_pod(cluster, pod(f"p{number}"), "hot", 1.0)
    assert scored(cluster) == {"hot": 0, "over": 0}


@pytest.mark.parametrize(
    ("cpu", "memory", "reason"),
    [
        (6500.0, 6.5 * GIB, None),
        (6501.0, 0.0, "Load[cpu_usage_avg_5m] of node is too high"),
        (0.0, 6.6 * GIB, "Load[mem_usage_avg_5m] of node is too high"),
    ],
)
def test_nodes_above_a_limit_are_rejected(cpu: float, memory: float, reason: str | None) -> None:
    cluster, plugin = ten_cores("n"), CraneDynamic()
    measure_nodes(cluster, 0.0, {"n": (cpu, memory)})
    requirements, rows = requirements_of(cluster, pod()), cluster.rows()
    assert plugin.filter(requirements, cluster, rows).tolist() == [reason is None]
    assert plugin.reasons(requirements, cluster, rows) == ({} if reason is None else {reason: 1})
    assert plugin.unresolvable(requirements, cluster, rows).tolist() == [False]
    cluster.load.advance(1200.0)
    assert plugin.filter(requirements, cluster, rows).tolist() == [True]


def test_the_hour_s_peak_rejects_when_the_last_minutes_do_not() -> None:
    cluster, plugin = ten_cores("n"), CraneDynamic()
    measure_nodes(cluster, 0.0, {"n": (7600.0, 0.0)})
    measure_nodes(cluster, 400.0, {"n": (1000.0, 0.0)})
    requirements, rows = requirements_of(cluster, pod()), cluster.rows()
    assert plugin.reasons(requirements, cluster, rows) == {"Load[cpu_usage_max_avg_1h] of node is too high": 1}


def test_by_class_expected_use_takes_the_place_of_the_hot_value() -> None:
    cluster = ten_cores("n", "unknown")
    db = pod("p").requests(cpu="1", memory="1Gi").owned_by("StatefulSet", "db")
    run_pod(cluster, db, "unknown", 0.0)
    for hour in range(1, 300):
        measure_pods(cluster, 3600.0 * hour, {db.uid: (1000.0, 0.0)})
    now = 3600.0 * 300
    measure_nodes(cluster, now, {"n": (2500.0, 5.0 * GIB)})
    by_class = CraneDynamic(by_class=True)
    # 10 % more of CPU: (65 + 50) / 2; the other node uses 10 % and then 20 % of CPU.
    assert scored(cluster, by_class) == {"n": 57, "unknown": 90}
    run_pod(cluster, pod("q").requests(cpu="1", memory="1Gi").owned_by("StatefulSet", "db"), "n", now + 1.0)
    assert scored(cluster, by_class)["n"] == 52
