"""Rules of kube-scheduler that are easy to miss, each found by comparing with its own plugins on random clusters."""

from typing import Any

import numpy as np
import pytest

from hydatis.scheduler.events import NodeSeen, PodSeen
from hydatis.scheduler.inspecting import Inspection
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, expression, node, pod
from hydatis.scheduler.testing_storage import claim, seen, using, volume

MI = 2**20


def inspect(nodes: list[NodeBuilder], candidate: PodBuilder, *running: PodBuilder) -> Inspection:
    scheduler = Scheduler(random=np.random.default_rng(0))
    for machine in nodes:
        scheduler.handle(NodeSeen(machine.manifest()), 0)
    for bound in running:
        scheduler.handle(PodSeen(bound.manifest()), 0)
    return scheduler.inspect(candidate.manifest())


def fit_score(candidate: PodBuilder, *running: PodBuilder) -> int:
    """The LeastAllocated score of the one node, which offers 1000m of cpu and no memory."""
    inspection = inspect([node("n").allocatable(cpu="1", memory="0")], candidate, *running)
    return inspection.scores["NodeResourcesFit"]["n"].raw


def requests(**amounts: str) -> dict[str, Any]:
    return {"requests": amounts}


def test_the_fit_score_of_a_waiting_pod_leaves_pod_level_requests_out() -> None:
    assert fit_score(pod().set_spec(resources=requests(cpu="500m"))) == 90
    assert fit_score(pod().requests(cpu="300m").set_spec(resources=requests(cpu="500m"))) == 70


def test_a_running_pod_counts_with_its_pod_level_requests_and_defaults_only_for_what_it_does_not_request() -> None:
    pod_level_cpu = pod("a").on("n").set_spec(resources=requests(cpu="500m"))
    assert fit_score(pod(), pod_level_cpu) == 40
    container_cpu = (
        pod("b").on("n").requests(cpu="200m").container(name="second").set_spec(resources=requests(memory="1Mi"))
    )
    assert fit_score(pod(), container_cpu) == 70
    without_any = pod("c").on("n").container(name="second")
    assert fit_score(pod(), without_any) == 70


@pytest.mark.parametrize(
    ("status", "free"),
    [
        pytest.param({}, 600, id="the specification, when the kubelet reports nothing"),
        pytest.param(
            {"conditions": [{"type": "PodResizePending", "reason": "Infeasible"}]},
            1000,
            id="nothing, when the kubelet cannot do it and reports nothing",
        ),
        pytest.param(
            {
                "conditions": [{"type": "PodResizePending", "reason": "Infeasible"}],
                "containerStatuses": [{"name": "main", "allocatedResources": {"cpu": "100m"}}],
            },
            900,
            id="what is allocated, when the kubelet cannot do more",
        ),
        pytest.param(
            {"containerStatuses": [{"name": "main", "allocatedResources": {"cpu": "100m"}}]},
            600,
            id="the specification, when it is more than what is allocated",
        ),
        pytest.param(
            {
                "allocatedResources": {"cpu": "700m"},
                "resources": {"requests": {"cpu": "100m"}},
                "containerStatuses": [{"name": "main", "allocatedResources": {"cpu": "900m"}}],
            },
            300,
            id="the report about the whole pod rather than those about its containers",
        ),
        pytest.param(
            {"allocatedResources": {"cpu": "700m"}},
            600,
            id="the specification, when the report about the whole pod is incomplete",
        ),
    ],
)
def test_a_pod_resized_in_place_takes(status: dict[str, Any], free: int) -> None:
    running = pod("a").on("n").requests(cpu="400m").set_status(**status)
    machine = [node("n").allocatable(cpu="1")]
    assert inspect(machine, pod().requests(cpu=f"{free}m"), running).feasible == {"n"}
    assert not inspect(machine, pod().requests(cpu=f"{free + 1}m"), running).feasible


def test_an_empty_term_selects_nothing_yet_keeps_the_search_from_narrowing_to_named_nodes() -> None:
    named = {"matchFields": [expression("metadata.name", "In", "n1")]}
    narrowed = inspect([node("n0")], pod().required_node_affinity(named))
    unhelpful = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    assert (
        narrowed.message == f"0/1 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. {unhelpful}"
    )
    with_empty_term = inspect([node("n0")], pod().required_node_affinity(named, {}))
    assert with_empty_term.message == (
        f"0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. {unhelpful}"
    )


def test_a_term_with_a_value_that_no_label_can_have_selects_nothing() -> None:
    term = {"matchExpressions": [expression("disk", "NotIn", "x" * 64)]}
    assert inspect([node("n")], pod().required_node_affinity(term)).feasible == frozenset()


def test_a_pod_that_names_its_node_is_looked_at_there_only() -> None:
    nodes = [node("n0"), node("n1")]
    assert inspect(nodes, pod().on("n1")).feasible == {"n1"}
    message = inspect(nodes, pod().on("gone")).message
    assert message == "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeName]."


def test_without_any_node_that_is_what_is_said_whatever_the_pod_asks_for() -> None:
    contradiction = {"matchFields": [expression("metadata.name", "In", name) for name in ("a", "b")]}
    assert inspect([], pod().required_node_affinity(contradiction)).message == "no nodes available to schedule pods"


def test_what_the_node_affinity_of_a_volume_says_of_node_names_is_passed_over() -> None:
    scheduler = Scheduler(random=np.random.default_rng(0))
    scheduler.handle(NodeSeen(node("n").manifest()), 0)
    elsewhere = [{"matchFields": [expression("metadata.name", "In", "another")]}]
    for manifest in (claim(bound_to="volume"), volume(terms=elsewhere)):
        scheduler.handle(seen(manifest), 0)
    assert scheduler.inspect(using(pod(), "data").manifest()).feasible == {"n"}
