"""LoadVariationRiskBalancing, by the cases of the source's own test."""

import numpy as np
import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.testing import (
    measure_nodes,
    measure_pods,
    pod,
    run_pod,
)
from hydatis.simulations.baselines.load_variation_risk_balancing import LoadVariationRiskBalancing
from hydatis.simulations.baselines.testing import newcomer, scores_of, ten_cores
from hydatis.simulations.baselines.usage_aware import rounded

MIB = 2.0**20


@pytest.mark.parametrize(
    ("margin", "sensitivity", "mean", "deviation", "score"),
    [
        (1, 1, 40, 36, 57),
        (1, 2, -40, 36, 65),
        (1, 2, 200, 36, 20),
        (1, 2, 40, -36, 75),
        (1, 2, 40, 120, 25),
        (-1, 1, 40, 36, 75),
        (1, -1, 40, 36, 57),
        (1, 0, 40, 36, 75),
    ],
)
def test_the_source_s_cases(margin: float, sensitivity: float, mean: float, deviation: float, score: int) -> None:
    plugin = LoadVariationRiskBalancing(margin=margin, sensitivity=sensitivity)
    found = plugin.resource_score(np.array([float(mean)]), np.array([float(deviation)]), 10.0, np.array([100.0]))
    assert rounded(found).tolist() == [score]


def scored(cluster: Cluster, by_class: bool = False) -> dict[str, int]:
    return scores_of(LoadVariationRiskBalancing(by_class=by_class), cluster, newcomer(memory="64Mi"))


def test_the_riskier_resource_counts() -> None:
    cluster = ten_cores("cpu", "memory", "cpu only", "unknown", memory="1024Mi")
    for at, high in ((0.0, 1.0), (60.0, 0.0)):
        samples = {"cpu": (4000 + 2000 * high, 64 * MIB), "memory": (1000, 512 * MIB + 128 * high * MIB)}
        measure_nodes(cluster, at, {**samples, "cpu only": (4000 + 2000 * high, float("nan"))})
    # CPU: mean 5000 and deviation 1000, so (0.6 + 0.1) / 2; memory: mean 576 and 64 MiB, so (0.625 + 0.0625) / 2.
    assert scored(cluster) == {"cpu": 65, "memory": 66, "cpu only": 65, "unknown": 0}
    cluster.load.advance(360.0)
    assert set(scored(cluster).values()) == {0}


def test_pods_that_were_just_placed_count_by_class_alone() -> None:
    cluster = ten_cores("n", "unknown", memory="1024Mi")
    db = pod("p").requests(cpu="1", memory="64Mi").owned_by("StatefulSet", "db")
    run_pod(cluster, db, "unknown", 0.0)
    for hour in range(1, 200):
        measure_pods(cluster, 3600.0 * hour, {db.uid: (2000.0, 32 * MIB)})
    now = 3600.0 * 200
    measure_nodes(cluster, now, {"n": (1000.0, 0.0)})
    assert scored(cluster)["n"] == 90
    # Two cores for the pod itself: (0.1 + 0.2) / 2.
    assert scored(cluster, by_class=True)["n"] == 85
    # The other node is taken to use two cores already, and to vary as its pod is expected to.
    assert 75 <= scored(cluster, by_class=True)["unknown"] <= 80
    run_pod(cluster, pod("q").requests(cpu="1", memory="64Mi").owned_by("StatefulSet", "db"), "n", now + 1.0)
    assert scored(cluster)["n"] == 90
    assert scored(cluster, by_class=True)["n"] == 75
