"""What models see of a pod on a node."""

import numpy as np
import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.features.placement import placement_features
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.plugins.expected_overload import ExpectedOverload
from hydatis.scheduler.testing import (
    cluster_of,
    measure_nodes,
    measure_pods,
    node,
    pod,
    requirements_of,
    run_pod,
)

GIB = 2**30
WEB = Owner("default", "StatefulSet", "web")
NOON = 12 * 3600.0


def cluster() -> Cluster:
    """Two nodes; on the first run two pods that use half of the core that each requests."""
    found = cluster_of(node("a").allocatable(cpu="10", memory="100Gi"), node("b").allocatable(cpu="20", memory="50Gi"))
    pods = [pod(f"web-{k}").requests(cpu="1", memory="2Gi").owned_by("StatefulSet", "web") for k in range(2)]
    for each in pods:
        run_pod(found, each, "a", 0.0)
    for hour in range(1, 12):
        at = 3600.0 * hour
        measure_pods(found, at, {each.uid: (500.0, 1.0 * GIB) for each in pods})
    measure_nodes(found, NOON, {"a": (4000.0, 30.0 * GIB)})
    found.load.advance(NOON + 30.0)
    return found


def seen(found: Cluster, owner: Owner = WEB) -> dict[str, list[float]]:
    requirements = requirements_of(found, pod("new").requests(cpu="2", memory="2Gi"))
    rows = np.array([found.row_of("a"), found.row_of("b")], dtype=np.intp)
    added = ExpectedOverload().for_owner(owner).added_overload(requirements, found, rows)
    table = placement_features(requirements, owner, found, rows, added)
    assert table.shape == (2, PLACEMENT_SCHEMA.width)
    assert np.isfinite(table).all()
    return {feature.name: table[:, k].tolist() for k, feature in enumerate(PLACEMENT_SCHEMA.features)}


def test_a_measured_node_is_seen_as_it_was_measured() -> None:
    features = seen(cluster())
    assert features["cpu_utilization"][0] == pytest.approx(0.4)
    assert features["memory_utilization"][0] == pytest.approx(0.3)
    assert features["memory_available"][0] == pytest.approx(70.0)
    assert features["resource_pressure"][0] == pytest.approx(0.4)
    assert features["cpu_requested"][0] == pytest.approx(0.2)
    assert features["pods"] == [2.0, 0.0]
    assert features["pod_density"][0] == pytest.approx(0.2)
    assert features["cpu_capacity"] == [10.0, 20.0]
    assert features["measured"] == [1.0, 0.0]


def test_a_node_that_nobody_measured_is_seen_by_its_pods() -> None:
    features = seen(cluster())
    assert features["cpu_utilization"][1] == 0.0
    assert features["memory_available"][1] == pytest.approx(50.0)
    assert features["cpu_peak_1h"][1] == 0.0


def test_the_pod_is_seen_by_its_owner() -> None:
    found = cluster()
    features = seen(found)
    mean = found.load.owners.use_of(WEB).cpu_mean
    assert mean == pytest.approx(0.5, abs=0.05)
    assert features["owner_use"] == pytest.approx([mean, mean])
    assert features["pod_cpu_expected"] == pytest.approx([2 * mean / 10, 2 * mean / 20])
    assert features["cpu_after"][0] == pytest.approx(0.4 + 2 * mean / 10)
    assert features["like_requested"] == pytest.approx([0.2, 0.0])
    assert features["owner_observations"][0] > 0.5
    assert seen(found, Owner("default", "Job", "new"))["owner_observations"] == [0.0, 0.0]


def test_all_nodes_together_and_the_hour_are_the_same_for_every_row() -> None:
    features = seen(cluster())
    assert features["cluster_cpu_utilization"] == pytest.approx([4.0 / 30, 4.0 / 30], rel=1e-4)
    assert features["hour_cosine"] == pytest.approx([-1.0, -1.0], abs=1e-4)


def test_the_closed_form_is_a_feature_by_its_power_of_ten() -> None:
    found = cluster()
    requirements = requirements_of(found, pod("new").requests(cpu="2", memory="2Gi"))
    added = ExpectedOverload().for_owner(WEB).added_overload(requirements, found, found.rows())
    expected = np.log10(np.maximum(added, 1e-12))
    assert sorted(seen(found)["overload_added"]) == pytest.approx(sorted(expected.tolist()), rel=1e-4)
