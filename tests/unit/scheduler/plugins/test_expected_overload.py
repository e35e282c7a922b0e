"""The overload that a pod is expected to add, in closed form."""

import math

import numpy as np
import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.plugins.expected_overload import DECADES, ExpectedOverload, by_decade, expected_excess
from hydatis.scheduler.testing import (
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

GIB = 2**30


def integrated(mean: float, variance: float, threshold: float, power: int) -> float:
    deviation = math.sqrt(variance)
    u = np.linspace(mean - 12 * deviation, mean + 12 * deviation, 400_001)
    density = np.exp(-0.5 * ((u - mean) / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))
    return float(np.sum(np.maximum(0.0, u - threshold) ** power * density) * (u[1] - u[0]))


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize(("mean", "variance"), [(0.2, 0.01), (0.6, 0.02), (0.9, 0.001), (1.4, 0.2)])
def test_the_closed_form_is_the_integral(mean: float, variance: float, squared: bool) -> None:
    found = expected_excess(np.array([mean]), np.array([variance]), 0.6, squared=squared)
    assert found[0] == pytest.approx(integrated(mean, variance, 0.6, 2 if squared else 1), rel=1e-5, abs=1e-12)


def test_far_below_the_threshold_there_is_none_and_never_less() -> None:
    found = expected_excess(np.linspace(-1.0, 0.59, 200), np.full(200, 1e-5), 0.6, squared=True)
    assert (found >= 0.0).all()
    assert found[0] == 0.0


def cluster() -> Cluster:
    """Three nodes of 10 cores and 100 GiB; pods of owner «busy» use all of their CPU, those of «idle» next to none."""
    found = cluster_of(*(node(name).allocatable(cpu="10", memory="100Gi") for name in ("empty", "busy", "idle")))
    cpu = {}
    for number in range(4):
        for name, millicores in (("busy", 1000.0), ("idle", 20.0)):
            one = pod(f"{name}-{number}").requests(cpu="1", memory="1Gi").owned_by("StatefulSet", name)
            run_pod(found, one, name, 0.0)
            cpu[one.uid] = millicores
    for hour in range(1, 30):
        measure_pods(
            found, 3600.0 * hour, {uid: (used * (0.6 + 0.4 * (hour % 3)), 0.5 * GIB) for uid, used in cpu.items()}
        )
    return found


def added(found: Cluster, owner: str, plugin: ExpectedOverload | None = None) -> dict[str, float]:
    builder = pod("new").requests(cpu="1", memory="1Gi").owned_by("StatefulSet", owner)
    plugin = (plugin or ExpectedOverload()).for_owner(pod_class_of(found, builder).owner)
    rows = found.rows()
    amounts = plugin.added_overload(requirements_of(found, builder), found, rows)
    return dict(zip(map(found.node_name, rows.tolist()), amounts.tolist(), strict=True))


def test_without_samples_of_nodes_owners_tell_where_load_is() -> None:
    found = cluster()
    busy = added(found, "busy")
    assert busy["empty"] < busy["busy"]
    assert busy["idle"] < busy["busy"]
    assert added(found, "idle")["busy"] < busy["busy"]


def test_the_amount_is_what_the_formula_gives() -> None:
    found = cluster()
    owners, row = found.load.owners, found.row_of("busy")
    busy = Owner("default", "StatefulSet", "busy")
    use, shared = owners.use_of(busy), float(owners.shared[0, owners.number_of(busy)])
    assert shared > 0.5
    there = found.load.expected.mean(np.array([row]))[0] / 10_000

    def overload(pods: int) -> float:
        variance = 0.4 * use.cpu_variance * (shared * pods**2 + (1.0 - shared) * pods) / 100 + 0.05**2
        mean = there + (pods - 4) * use.cpu_mean / 10
        return float(expected_excess(mean, np.array([variance]), 0.6, squared=True)[0])

    only_cpu = ExpectedOverload(memory_weight=0.0, swing=0.4, unknown_deviation=0.05)
    assert added(found, "busy", only_cpu)["busy"] == pytest.approx(overload(5) - overload(4), rel=1e-9)


def test_what_is_measured_moves_the_mean_by_its_weight_while_it_is_fresh() -> None:
    found = cluster()
    before = added(found, "busy")["idle"]
    now = 3600.0 * 30
    measure_nodes(found, now, {"idle": (8000.0, 2.0 * GIB)})
    assert added(found, "busy")["idle"] > 100 * before
    assert added(found, "busy", ExpectedOverload(measured_weight=0.0))["idle"] == pytest.approx(before)
    found.load.advance(now + 180.0)
    assert added(found, "busy")["idle"] == pytest.approx(before)


def test_pods_placed_since_the_sample_count_in_full() -> None:
    found = cluster()
    now = 3600.0 * 30
    measure_nodes(found, now, {"empty": (0.0, 0.0)})
    before = added(found, "busy")["empty"]
    for number in range(5):
        run_pod(found, pod(f"new-{number}").requests(cpu="1").owned_by("StatefulSet", "busy"), "empty", now + 1.0)
    assert added(found, "busy")["empty"] > 100 * before


def test_scores_fall_by_the_power_of_ten() -> None:
    found = cluster()
    requirements = requirements_of(found, pod("new").requests(cpu="1", memory="1Gi"))
    plugin = ExpectedOverload().for_owner(Owner("default", "StatefulSet", "busy"))
    scores = by_node(found, plugin.score(requirements, found, found.rows()))
    fine = ExpectedOverload(points=10**6).for_owner(Owner("default", "StatefulSet", "busy"))
    amounts = added(found, "busy")
    for name, score in scores.items():
        decades = -math.log10(max(amounts[name], 1e-300))
        share = 0.9 * decades / DECADES if decades < DECADES else 1.0 - 0.1 * DECADES / decades
        assert score == int(100 * share)
    assert by_node(found, fine.score(requirements, found, found.rows()))["busy"] // 10**4 == scores["busy"]


def test_nodes_that_are_nearly_idle_are_told_apart() -> None:
    amounts = np.array([1.0, 1e-6, 1e-12, 1e-13, 1e-40, 0.0, math.nan])
    assert by_decade(amounts)[:3] == pytest.approx([0.0, 0.45, 0.9])
    assert (np.diff(by_decade(amounts)[:6]) > 0).all()
    assert by_decade(amounts)[5] < 1.0
    assert by_decade(amounts)[6] == 0.0


def test_a_node_without_any_cpu_is_the_last_choice() -> None:
    found = cluster_of(node("none").allocatable(cpu="0"), node("some"))
    requirements = requirements_of(found, pod("new"))
    assert by_node(found, ExpectedOverload().score(requirements, found, found.rows()))["none"] == 0
