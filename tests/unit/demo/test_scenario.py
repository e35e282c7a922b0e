import gzip
from collections import Counter
from pathlib import Path

import pytest

from hydatis.sandbox.demo.errors import DemoError
from hydatis.sandbox.demo.scenario import (
    GATED,
    SCHEDULER_NAME,
    UNSCHEDULABLE,
    Scenario,
    mixed_scenario,
    trace_scenario,
)
from hydatis.simulations.clusters import GPU_RESOURCE, Manifest


def templates(scenario: Scenario) -> list[Manifest]:
    return [manifest["spec"]["template"] for manifest in scenario.workloads if "template" in manifest["spec"]]


def test_the_counts_add_up_to_what_was_asked() -> None:
    scenario = mixed_scenario(50, 300, seed=1)
    replicas = sum(manifest["spec"].get("replicas", 0) for manifest in scenario.workloads)
    daemon_sets = sum(manifest["kind"] == "DaemonSet" for manifest in scenario.workloads)
    assert len(scenario.nodes) == 50
    assert daemon_sets == 1
    assert len(scenario.pods) + replicas + daemon_sets * 50 == scenario.pod_count == 300


def test_every_pod_names_hydatis_as_its_scheduler() -> None:
    scenario = mixed_scenario(50, 300, seed=1)
    specs = [pod["spec"] for pod in scenario.pods] + [template["spec"] for template in templates(scenario)]
    assert {spec["schedulerName"] for spec in specs} == {SCHEDULER_NAME}


def test_the_same_seed_gives_the_same_scenario() -> None:
    assert mixed_scenario(50, 300, seed=5) == mixed_scenario(50, 300, seed=5)
    assert mixed_scenario(50, 300, seed=5) != mixed_scenario(50, 300, seed=6)


def test_several_shapes_are_there_with_one_that_fits_nowhere_and_one_gated() -> None:
    scenario = mixed_scenario(50, 300, seed=1)
    pods = {pod["metadata"]["name"]: pod["spec"] for pod in scenario.pods}
    assert len(pods) == len(scenario.pods)
    assert pods[UNSCHEDULABLE]["containers"][0]["resources"]["requests"]["cpu"] == "1000000m"
    assert pods[GATED]["schedulingGates"]
    assert sum(1 for spec in pods.values() if "schedulingGates" in spec) == 1
    kinds = Counter(key for spec in pods.values() for key in ("affinity", "nodeSelector", "tolerations") if key in spec)
    assert set(kinds) == {"affinity", "nodeSelector", "tolerations"}


def test_no_controller_selects_pods_of_another() -> None:
    scenario = mixed_scenario(50, 300, seed=1)
    for template in templates(scenario):
        labels = template["metadata"]["labels"]
        others = [pod["metadata"]["labels"] for pod in scenario.pods]
        others += [other["metadata"]["labels"] for other in templates(scenario) if other is not template]
        assert not any(labels.items() <= other.items() for other in others)


def test_nodes_are_left_for_kwok_to_bring_up() -> None:
    for node in mixed_scenario(50, 300, seed=1).nodes:
        assert node["metadata"]["annotations"] == {"kwok.x-k8s.io/node": "fake"}
        assert "conditions" not in node["status"]


@pytest.mark.parametrize(
    ("nodes", "pods", "problem"),
    [
        (3, 300, "--nodes 3 are too few to show 7 kinds of node; use 7 or more"),
        (50, 71, "--pods 71 are too few: the DaemonSet alone has one on each of 50 nodes; use 72 or more"),
        (7, 2000, "nodes by more than 60%; raise --nodes or lower --pods"),
    ],
)
def test_sizes_that_cannot_work_are_refused_with_the_remedy(nodes: int, pods: int, problem: str) -> None:
    with pytest.raises(DemoError) as raised:
        mixed_scenario(nodes, pods, seed=1)
    assert problem in str(raised.value)


@pytest.mark.parametrize("seed", range(8))
def test_the_default_size_works_with_any_seed(seed: int) -> None:
    assert mixed_scenario(50, 300, seed).pod_count == 300


def test_a_trace_is_cut_where_the_cluster_would_be_too_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, openb_list: str
) -> None:
    monkeypatch.setenv("HYDATIS_DATA", openb_list)
    small = trace_scenario(50, 100, seed=1)
    assert small.left_out == 0
    assert small.pod_count == 100
    assert not small.strict
    large = trace_scenario(50, 1000, seed=1)
    assert large.left_out > 0
    assert large.pod_count == 1000 - large.left_out
    asked = sum(int(p["spec"]["containers"][0]["resources"]["requests"].get(GPU_RESOURCE, 0)) for p in large.pods)
    offered = sum(int(node["status"]["allocatable"].get(GPU_RESOURCE, 0)) for node in large.nodes)
    assert 0.5 * offered < asked <= 0.6 * offered


@pytest.fixture
def openb_list(tmp_path: Path) -> str:
    rows = "".join(f"p{i},{1000 + i % 7 * 1000},{4096},{1},{1000}\n" for i in range(500))
    path = tmp_path / "openb" / "openb_pod_list_default.csv.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(("name,cpu_milli,memory_mib,num_gpu,gpu_milli\n" + rows).encode()))
    return str(tmp_path)
