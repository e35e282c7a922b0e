"""LowRiskOverCommitment, by the cases of the source's own test and by its arithmetic."""

import numpy as np
import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.testing import PodBuilder, by_node, measure_nodes, place, pod, requirements_of
from hydatis.simulations.baselines.low_risk_over_commitment import LowRiskOverCommitment
from hydatis.simulations.baselines.testing import ten_cores


@pytest.mark.parametrize(
    ("capacity", "mean", "without_pod", "pod_states", "risk"),
    [
        (4000, 3200, (1000, 2000), (1000, 1000), 0.5),
        (4000, 3200, (3000, 4000), (1000, 1000), 1.0),
        (4096, 1024, (0, 0), (2048, 6144), 0.25),
        (4096, 1024, (512, 6144), (512, 1024), 0.75),
    ],
    ids=["test-cpu-1", "test-cpu-2", "test-mem-1", "test-mem-2"],
)
def test_the_source_s_cases(
    capacity: int, mean: int, without_pod: tuple[int, int], pod_states: tuple[int, int], risk: float
) -> None:
    """Requests and limits in pairs."""
    requested, limited = (np.array([float(amount)]) for amount in without_pod)
    found = LowRiskOverCommitment().risk(
        np.array([float(mean)]),
        np.array([0.0]),
        capacity=np.array([float(capacity)]),
        requested=requested,
        limited=limited,
        request=pod_states[0],
        limit=pod_states[1],
    )
    assert found.tolist() == [risk]


def of(name: str, request: str, limit: str) -> PodBuilder:
    resources = {"requests": {"cpu": request}, "limits": {"cpu": limit}}
    return pod(name).set_spec(containers=[{"name": "main", "resources": resources}])


def scored(cluster: Cluster, builder: PodBuilder, plugin: LowRiskOverCommitment) -> dict[str, int]:
    return by_node(cluster, plugin.score(requirements_of(cluster, builder), cluster, cluster.rows()))


def test_the_beta_distribution_tells_how_likely_more_than_the_requests_is() -> None:
    cluster = ten_cores("n", memory="1Gi")
    place(cluster, of("p", "5", "20"), "n")
    for at, cpu in ((0.0, 4900.0), (60.0, 5100.0)):
        measure_nodes(cluster, at, {"n": (cpu, 0.0)})
    # Mean 0.5, so as much below as above: half. Limits 21 of 10 cores, requests 6: 11 / 15.
    risk = 0.5 * 11 / 15 + 0.5 * 0.5
    assert scored(cluster, of("new", "1", "1"), LowRiskOverCommitment()) == {"n": round(100 * (1 - risk))}


def test_limits_below_capacity_bound_what_can_be() -> None:
    cluster = ten_cores("n", memory="1Gi")
    place(cluster, of("p", "5", "8"), "n")
    for at, cpu in ((0.0, 4900.0), (60.0, 5100.0)):
        measure_nodes(cluster, at, {"n": (cpu, 0.0)})
    # Deviation 0.01 x sqrt(5): hardly any of the distribution is above 0.8.
    assert scored(cluster, of("new", "1", "1"), LowRiskOverCommitment()) == {"n": 75}


def test_where_limits_are_requests_all_nodes_are_alike() -> None:
    cluster = ten_cores("busy", "idle", memory="1Gi")
    place(cluster, of("p", "5", "5"), "busy")
    for at, cpu in ((0.0, 8000.0), (60.0, 9000.0)):
        measure_nodes(cluster, at, {"busy": (cpu, 0.0), "idle": (0.0, 0.0)})
    assert scored(cluster, of("new", "1", "1"), LowRiskOverCommitment()) == {"busy": 100, "idle": 100}


def test_pods_that_state_nothing_and_nodes_without_metrics_get_the_minimum() -> None:
    cluster = ten_cores("n", "unknown", memory="1Gi")
    measure_nodes(cluster, 0.0, {"n": (100.0, 0.0)})
    assert scored(cluster, pod("new"), LowRiskOverCommitment()) == {"n": 0, "unknown": 0}
    assert scored(cluster, of("new", "1", "1"), LowRiskOverCommitment())["unknown"] == 0


def test_sums_follow_the_pods_that_come_and_go() -> None:
    cluster, plugin = ten_cores("n", *(f"n{number}" for number in range(70))), LowRiskOverCommitment()
    first, second = of("p", "1", "3"), pod("q").requests(cpu="2", memory="64Mi")
    place(cluster, first, "n")
    plugin.sums.refresh(cluster)
    place(cluster, second, "n")
    plugin.sums.refresh(cluster)
    row = cluster.row_of("n")
    assert plugin.sums.requests[:, row].tolist() == [3000, 64 * 2**20]
    assert plugin.sums.limits[:, row].tolist() == [5000, 64 * 2**20]
    cluster.remove(first.uid, "n")
    cluster.remove(second.uid, "n")
    plugin.sums.refresh(cluster)
    assert not plugin.sums.limits.any()
