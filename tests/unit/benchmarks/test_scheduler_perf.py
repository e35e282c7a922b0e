"""The workloads of scheduler_perf against upstream's own files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from hydatis.benchmarks.catalogue import NAMES, default_modes, default_nodes, workload
from hydatis.benchmarks.contenders import Hydatis
from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.modes import mode_named
from hydatis.benchmarks.scheduler_perf import DEFINITIONS, PRIORITIES, Definition, Template
from hydatis.benchmarks.series import Series
from hydatis.simulations.recounting import overcommitments

BURST = mode_named("burst")
MODULES = Path(os.environ.get("GOMODCACHE") or Path.home() / "go/pkg/mod")
UPSTREAM = MODULES / "k8s.io/kubernetes@v1.37.2/test/integration/scheduler_perf"
needs_upstream = pytest.mark.skipif(not UPSTREAM.is_dir(), reason="Kubernetes' sources are not in Go's module cache")


def upstream() -> dict[str, dict[str, Any]]:
    """Upstream's workloads by name, each with the folder of its file."""
    found = {}
    for path in UPSTREAM.glob("*/performance-config.yaml"):
        for entry in yaml.safe_load(path.read_text()):
            found[entry["name"]] = {**entry, "folder": path.parent}
    return found


def operations(entry: Mapping[str, Any], opcode: str) -> list[dict[str, Any]]:
    return [operation for operation in entry["workloadTemplate"] if operation["opcode"] == opcode]


def template_of(entry: Mapping[str, Any], operation: Mapping[str, Any]) -> dict[str, Any]:
    path = operation.get("podTemplatePath") or entry.get("defaultPodTemplatePath") or "../templates/pod-default.yaml"
    return read(entry, path)


def read(entry: Mapping[str, Any], path: str) -> dict[str, Any]:
    template: dict[str, Any] = yaml.safe_load((entry["folder"] / path).read_text())
    return template


def what_schedulers_see(pod: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a pod that say how it is scheduled."""
    spec = pod["spec"]
    (container,) = spec["containers"]
    resources = container.get("resources") or {}
    return {
        "labels": pod["metadata"].get("labels") or {},
        "requests": {name: str(amount) for name, amount in (resources.get("requests") or {}).items()},
        "affinity": spec.get("affinity"),
        "spread": spec.get("topologySpreadConstraints"),
        "priority": spec.get("priority") or PRIORITIES.get(spec.get("priorityClassName"), 0),
    }


def assert_same_pod(ours: Template, theirs: Mapping[str, Any]) -> None:
    assert what_schedulers_see(ours.manifest("any", "any", "pod")) == what_schedulers_see(theirs)


@needs_upstream
@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=lambda definition: definition.name)
def test_pods_are_those_of_upstreams_templates(definition: Definition) -> None:
    entry = upstream()[definition.name]
    *initial, measured = operations(entry, "createPods")
    assert measured["collectMetrics"]
    assert_same_pod(definition.measured, template_of(entry, measured))
    assert len(definition.initial) == len(initial)
    for ours, theirs in zip(definition.initial, initial, strict=True):
        assert_same_pod(ours, template_of(entry, theirs))


@needs_upstream
@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=lambda definition: definition.name)
def test_sizes_zones_and_churn_are_upstreams(definition: Definition) -> None:
    entry = upstream()[definition.name]
    theirs = {
        (p["initNodes"], p.get("initPods", 0), p["measurePods"]) for p in (w["params"] for w in entry["workloads"])
    }
    assert {(size.nodes, size.initial, size.measured) for size in definition.sizes} <= theirs
    (nodes,) = operations(entry, "createNodes")
    assert list(definition.zones) == nodes.get("labelNodePrepareStrategy", {}).get("labelValues", [])
    churns = operations(entry, "churn")
    assert bool(churns) == (definition.churn_pods is not None)
    for churn in churns:
        assert churn["intervalMilliseconds"] == definition.churn_seconds * 1000
        assert (churn["mode"] == "recreate") == definition.churn_recreates
        assert (len(churn["templatePaths"]) == 3) == definition.churn_recreates
        (pod,) = (made for path in churn["templatePaths"] if (made := read(entry, path))["kind"] == "Pod")
        assert definition.churn_pods is not None
        assert_same_pod(definition.churn_pods, pod)
    assert bool(operations(entry, "createAny")) == definition.service


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("nodes", [100, 500, 700, 5000])
def test_every_size_fits_its_nodes(name: str, nodes: int) -> None:
    load = workload(name, nodes, BURST, None, seed=1)
    manifests = load.node_manifests(nodes)
    initial, measured = load.initial_manifests("any"), load.pod_manifests("any")
    pods = [*initial, *measured]
    assert len({pod["metadata"]["name"] for pod in pods}) == len(pods)
    # Where pods are there to make way, each lot has to fit without the other.
    for together in (initial, measured) if load.preempts else (pods,):
        for index, pod in enumerate(together):
            pod["spec"]["nodeName"] = manifests[index % nodes]["metadata"]["name"]
        assert overcommitments(manifests, together) == []


def test_a_pod_that_preempts_fits_only_where_all_four_of_low_priority_have_gone() -> None:
    load = workload("PreemptionBasic", 1, BURST, None, seed=1)
    nodes, (pod,) = load.node_manifests(1), load.pod_manifests("any")
    running = load.initial_manifests("any")
    for each in (pod, *running):
        each["spec"]["nodeName"] = nodes[0]["metadata"]["name"]
    assert len(running) == 4
    assert overcommitments(nodes, running) == overcommitments(nodes, [pod]) == []
    assert overcommitments(nodes, [pod, running[0]]) != []
    assert all(each["spec"]["terminationGracePeriodSeconds"] == 0 for each in running)


def test_more_pods_that_preempt_than_nodes_are_refused() -> None:
    with pytest.raises(BenchError, match="60 are too few for 301 pods of PreemptionBasic"):
        workload("PreemptionBasic", 60, BURST, 61, seed=1).node_manifests(60)


def test_sizes_between_upstreams_are_scaled_from_the_next_smaller_one() -> None:
    affinity = DEFINITIONS["SchedulingPodAffinity"]
    assert (affinity.size(500).initial, affinity.size(500).measured) == (500, 1000)
    assert (affinity.size(1000).initial, affinity.size(1000).measured) == (1000, 2000)
    assert (affinity.size(5000).initial, affinity.size(5000).measured) == (5000, 1000)
    assert (affinity.size(10).initial, affinity.size(10).measured) == (10, 20)


def test_more_pods_than_anti_affinity_leaves_room_for_are_refused() -> None:
    load = workload("SchedulingPodAntiAffinity", 500, BURST, 401, seed=1)
    with pytest.raises(
        BenchError, match=r"500 are too few for 501 pods .*, at most 1 on a node; use 501 nodes or fewer"
    ):
        load.node_manifests(500)


def test_upstreams_workloads_are_measured_in_bursts_at_upstreams_size_unless_told_otherwise() -> None:
    assert default_nodes("SchedulingPodAffinity") == (500,)
    assert default_modes("SchedulingPodAffinity") == ("burst",)
    assert default_nodes("uniform") == (100, 1000, 5000)
    assert default_modes("uniform") == ("queued", "burst", "paced-20", "paced-100")


def test_a_series_goes_through_several_workloads_each_in_its_own_size() -> None:
    names = ["SchedulingPodAffinity", "SchedulingPodAntiAffinity"]
    series = Series((Hydatis(),), names, None, None, None, repeats=1, seed=1, deadline_seconds=60.0)
    planned = [(plan.workload.kind, plan.nodes, plan.workload.pods) for plan in series.plans()]
    assert planned == [("SchedulingPodAffinity", 500, 1000), ("SchedulingPodAntiAffinity", 500, 400)]


def test_help_lists_every_workload() -> None:
    assert len(set(NAMES)) == len(NAMES) == 16
