"""The scheduler as its driver sees it: events in, instructions out."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from hydatis.scheduler import events
from hydatis.scheduler.cluster import Cluster as Tables
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.instructions import Bind, ReportUnschedulable
from hydatis.scheduler.policy import parse_policy
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, expression, node, pod
from hydatis.scheduler.testing_driver import DrivenScheduler as Cluster


def test_a_pod_is_bound_to_the_node_with_the_most_left() -> None:
    cluster = Cluster(
        node("small").allocatable(cpu="2", memory="8Gi"), node("large").allocatable(cpu="8", memory="32Gi")
    )
    cluster.see(pod("web").requests(cpu="1", memory="4Gi"))
    instruction = cluster.only()
    assert isinstance(instruction, Bind)
    assert (instruction.pod.name, instruction.node) == ("web", "large")
    decision = instruction.decision
    assert (decision.nodes, decision.feasible, decision.policy, decision.attempts) == (2, 2, "built-in", 1)
    assert decision.chosen is not None
    assert decision.runner_up is not None
    assert decision.chosen.parts == (
        ("TaintToleration", 300),
        ("NodeResourcesFit", 87),
        ("NodeResourcesBalancedAllocation", 75),
        ("ImageLocality", 0),
    )
    assert decision.runner_up.node == "small"
    assert decision.summary() == (
        "score 462 (TaintToleration 300, NodeResourcesFit 87, NodeResourcesBalancedAllocation 75); "
        "runner-up small -37; 2 of 2 nodes feasible; policy built-in, mode Fallback"
    )


def test_pods_of_other_schedulers_count_but_are_not_placed() -> None:
    cluster = Cluster(node("n").allocatable(cpu="1"))
    cluster.see(pod("theirs").requests(cpu="1").set_spec(schedulerName="default-scheduler"))
    assert cluster.run() == []
    cluster.see(pod("running").requests(cpu="600m").on("n").set_spec(schedulerName="default-scheduler"))
    cluster.see(pod("ours").requests(cpu="600m"))
    assert cluster.report().message == (
        "0/1 nodes are available: 1 Insufficient cpu. "
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )


def test_a_placement_counts_before_its_binding_is_confirmed() -> None:
    cluster = Cluster(node("n").allocatable(cpu="1"))
    cluster.see(pod("first").requests(cpu="600m"), pod("second").requests(cpu="600m"))
    first, second = cluster.run()
    assert isinstance(first, Bind)
    assert isinstance(second, ReportUnschedulable)


def test_a_failed_binding_gives_the_room_back_and_the_pod_another_try_after_its_backoff() -> None:
    cluster = Cluster(node("n").allocatable(cpu="1"))
    builder = pod("web").requests(cpu="1")
    cluster.see(builder)
    assert isinstance(cluster.only(), Bind)
    cluster.tell(events.BindFailed(builder.uid, "409 Conflict"))
    assert cluster.run() == []
    assert cluster.scheduler.pending()["backoff"] == 1
    assert cluster.scheduler.next_wake() == 2.0
    cluster.now = 2.0
    retried = cluster.only()
    assert isinstance(retried, Bind)
    assert retried.decision.attempts == 2


def test_a_failed_binding_of_a_pod_that_the_watch_shows_bound_changes_nothing() -> None:
    cluster = Cluster(node("n"))
    builder = pod("web").requests(cpu="1")
    cluster.see(builder)
    cluster.run()
    cluster.see(builder.on("n"))
    cluster.tell(events.BindFailed(builder.uid, "timed out"))
    cluster.now = 60.0
    assert cluster.run() == []
    assert [(name, kept["cpu"]) for name, kept, _ in cluster.scheduler.recounted()] == [("n", 1000)]


def test_the_watch_is_believed_when_it_shows_the_pod_on_another_node() -> None:
    cluster = Cluster(node("a"), node("b").unschedulable())
    builder = pod("web").requests(cpu="1")
    cluster.see(builder)
    assert cluster.placements() == {"web": "a"}
    cluster.see(builder.on("b"))
    assert {name: kept.get("cpu", 0) for name, kept, _ in cluster.scheduler.recounted()} == {"a": 0, "b": 1000}


def test_an_unbound_update_of_an_assumed_pod_does_not_place_it_twice() -> None:
    cluster = Cluster(node("n"))
    builder = pod("web").requests(cpu="1")
    cluster.see(builder)
    cluster.run()
    cluster.tell(events.BindSucceeded(builder.uid))
    cluster.see(builder)
    cluster.now = 60.0
    assert cluster.run() == []


def test_a_deleted_pod_leaves_its_room() -> None:
    cluster = Cluster(node("n").allocatable(cpu="1"))
    builder = pod("old").requests(cpu="1").on("n")
    waiting = pod("new").requests(cpu="1")
    cluster.see(builder, waiting)
    assert cluster.report().pod.name == "new"
    cluster.now = 5.0
    assert cluster.run() == []
    cluster.tell(events.PodGone(builder.uid))
    assert cluster.placements() == {"new": "n"}


def test_a_finished_pod_leaves_its_room() -> None:
    cluster = Cluster(node("n").allocatable(cpu="1"))
    job = pod("job").requests(cpu="1").on("n")
    cluster.see(job, job.set_status(phase="Succeeded"), pod("next").requests(cpu="1"))
    assert cluster.placements() == {"next": "n"}


_WAKES: dict[str, tuple[NodeBuilder, PodBuilder, Callable[[], NodeBuilder]]] = {
    "a taint goes": (node("n").taint("t"), pod(), lambda: node("n")),
    "a label comes": (node("n"), pod().node_selector(zone="a"), lambda: node("n").label("zone", "a")),
    "allocatable grows": (node("n"), pod().requests(cpu="8"), lambda: node("n").allocatable(cpu="8")),
    "the node is uncordoned": (node("n").unschedulable(), pod(), lambda: node("n")),
    "another node comes": (node("n"), pod().requests(cpu="8"), lambda: node("m").allocatable(cpu="8")),
    "a resource appears": (
        node("n"),
        pod().request_of({"nvidia.com/gpu": 1}),
        lambda: node("n").allocatable_of({"nvidia.com/gpu": 1}),
    ),
    "the named node comes": (
        node("n"),
        pod().required_node_affinity({"matchFields": [expression("metadata.name", "In", "m")]}),
        lambda: node("m"),
    ),
}


@pytest.mark.parametrize(("before", "builder", "after"), _WAKES.values(), ids=_WAKES.keys())
def test_an_unschedulable_pod_is_tried_again_when(
    before: NodeBuilder, builder: PodBuilder, after: Callable[[], NodeBuilder]
) -> None:
    cluster = Cluster(before)
    cluster.see(builder)
    assert isinstance(cluster.only(), ReportUnschedulable)
    cluster.now = 60.0
    assert cluster.run() == []
    cluster.see(after())
    assert isinstance(cluster.only(), Bind)
    assert cluster.scheduler.statistics.scheduled_after_flush == 0


def test_a_change_that_does_not_help_wakes_no_pod() -> None:
    cluster = Cluster(node("n"))
    cluster.see(pod().requests(cpu="8"))
    cluster.run()
    cluster.now = 60.0
    cluster.see(node("n").allocatable(cpu="6"), node("other"))
    assert cluster.run() == []
    assert cluster.scheduler.pending()["unschedulable"] == 1


def test_a_pod_that_became_schedulable_is_tried_at_once_unless_others_are_ready() -> None:
    cluster = Cluster(node("n").taint("t"))
    cluster.see(pod("early"))
    cluster.run()
    cluster.now = 0.25
    cluster.see(node("n"), pod("late"))
    assert [instruction.pod.name for instruction in cluster.run()] == ["late", "early"]


def test_a_pod_that_is_refused_over_and_over_is_tried_once_for_each_change_that_may_help() -> None:
    cluster = Cluster(node("monday"), profile=Profile(permits=(_NoMondays(),)))
    cluster.see(*(pod(f"p{number}") for number in range(3)))
    assert len(cluster.run()) == 3
    for _ in range(3):
        assert cluster.run() == []
    cluster.see(node("monday").label("week", "48"))
    assert len(cluster.run()) == 3
    assert cluster.run() == []


def test_one_place_that_becomes_free_does_not_bring_back_all_pods_that_wait_for_one() -> None:
    cluster = Cluster(node("n").allocatable(cpu="2"))
    leaving = pod("leaving").requests(cpu="1").on("n")
    cluster.see(pod("staying").requests(cpu="1").on("n"), leaving)
    cluster.see(*(pod(f"p{number}").requests(cpu="1").priority(number) for number in range(100)))
    assert len(cluster.run()) == 100
    cluster.now = 60.0
    cluster.tell(events.PodGone(leaving.uid))
    assert [(type(i), i.pod.name) for i in cluster.run()] == [(Bind, "p99")]


def test_many_places_that_become_free_are_all_taken() -> None:
    cluster = Cluster(node("n"))
    cluster.see(*(pod(f"p{number}").requests(cpu="10") for number in range(100)))
    cluster.run()
    cluster.see(node("large").allocatable(cpu="1000"))
    assert len(cluster.placements()) == 100
    assert cluster.scheduler.pending()["unschedulable"] == 0


def test_a_gated_pod_waits_until_its_last_gate_is_gone() -> None:
    cluster = Cluster(node("n"))
    builder = pod("batch").gated("quota", "data")
    cluster.see(builder)
    assert cluster.run() == []
    assert cluster.scheduler.pending()["gated"] == 1
    cluster.see(builder.gated("data"))
    assert cluster.run() == []
    cluster.now = 7.0
    cluster.see(builder.gated())
    instruction = cluster.only()
    assert isinstance(instruction, Bind)
    assert instruction.decision.first_queued_at == 7.0


def test_a_pod_that_is_being_deleted_is_left_alone() -> None:
    cluster = Cluster(node("n"))
    manifest = pod("leaving").manifest()
    cluster.tell(events.PodSeen(manifest))
    cluster.tell(events.PodSeen({**manifest, "metadata": {**manifest["metadata"], "deletionTimestamp": "now"}}))
    assert cluster.run() == []
    assert set(cluster.scheduler.pending().values()) == {0}


def test_higher_priority_goes_first_and_equals_in_order_of_arrival() -> None:
    cluster = Cluster(node("n"))
    for number, (name, priority) in enumerate([("first", 0), ("second", 0), ("urgent", 100)]):
        cluster.now = float(number)
        cluster.see(pod(name).priority(priority))
    assert [instruction.pod.name for instruction in cluster.run()] == ["urgent", "first", "second"]


def test_equal_nodes_are_all_chosen_in_the_long_run() -> None:
    cluster = Cluster(*(node(f"n{number}").allocatable(cpu="10k", memory="10Ti", pods="1k") for number in range(4)))
    cluster.see(*(pod(f"p{number}") for number in range(60)))
    assert set(cluster.placements().values()) == {"n0", "n1", "n2", "n3"}


def test_the_same_seed_and_events_give_the_same_placements() -> None:
    def placements() -> dict[str, str]:
        cluster = Cluster(*(node(f"n{number}") for number in range(8)))
        cluster.see(*(pod(f"p{number}").requests(cpu="100m") for number in range(50)))
        return cluster.placements()

    assert placements() == placements()


_MESSAGES: dict[str, tuple[list[NodeBuilder], PodBuilder, str]] = {
    "no node at all": ([], pod(), "no nodes available to schedule pods"),
    "each node counts under the first plugin that rejects it": (
        [node("a"), node("b").taint("t"), node("c").unschedulable().taint("t"), node("d").taint("t")],
        pod().requests(cpu="8"),
        "0/4 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable, "
        "2 node(s) had untolerated taint(s). "
        "preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.",
    ),
    "a node may be short of several things": (
        [node("a").allocatable(pods="0")],
        pod().requests(cpu="8", memory="1Ti"),
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    ),
    "terms that contradict themselves": (
        [node("a")],
        pod().required_node_affinity(
            {"matchFields": [expression("metadata.name", "In", "a"), expression("metadata.name", "In", "b")]}
        ),
        "0/1 nodes are available: pod affinity terms conflict. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    ),
    "nodes that a DaemonSet's pod did not name": (
        [node("a"), node("b"), node("c").taint("t")],
        pod().required_node_affinity({"matchFields": [expression("metadata.name", "In", "c")]}),
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), "
        "2 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
    ),
}


@pytest.mark.parametrize(("nodes", "builder", "message"), _MESSAGES.values(), ids=_MESSAGES.keys())
def test_the_message_says_in_kube_schedulers_words_why_no_node_is_available(
    nodes: list[NodeBuilder], builder: PodBuilder, message: str
) -> None:
    cluster = Cluster(*nodes)
    cluster.see(builder)
    assert cluster.report().message == message


_UNSUPPORTED: dict[str, tuple[dict[str, Any], str]] = {
    "a volume kind nobody knows": (
        {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "quantum": {}}]},
        "spec.volumes[1].quantum (plugin VolumeRestrictions)",
    ),
    "resource claims": ({"resourceClaims": [{"name": "gpu"}]}, "spec.resourceClaims (plugin DynamicResources)"),
}


@pytest.mark.parametrize(("fields", "missing"), _UNSUPPORTED.values(), ids=_UNSUPPORTED.keys())
def test_a_pod_that_asks_for_what_is_not_built_waits_and_is_told(fields: dict[str, Any], missing: str) -> None:
    cluster = Cluster(node("n"))
    cluster.see(pod().set_spec(**fields))
    report = cluster.report()
    assert report.message == (
        f"0/1 nodes are available: HYDATIS does not honour {missing} yet; leave this pod to the default scheduler."
    )
    cluster.now = 60.0
    cluster.see(node("another"))
    assert cluster.run() == []


def test_ordinary_volumes_do_not_hold_a_pod_back() -> None:
    cluster = Cluster(node("n"))
    kinds = ("configMap", "secret", "projected", "emptyDir", "hostPath", "downwardAPI")
    cluster.see(pod().set_spec(volumes=[{"name": kind, kind: {}} for kind in kinds]))
    assert isinstance(cluster.only(), Bind)


def _policy(name: str, **spec: Any) -> events.PolicyInForce:
    manifest = {
        "apiVersion": "hydatis.io/v1alpha1",
        "kind": "MLSchedulerPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }
    return events.PolicyInForce(parse_policy(manifest))


def test_a_policy_takes_effect_for_the_next_pod_and_ends_with_its_deletion() -> None:
    full, empty = node("full"), node("empty")
    cluster = Cluster(full, empty)
    cluster.see(pod("load").requests(cpu="2", memory="8Gi").on("full"))
    cluster.see(pod("spread").requests(cpu="1", memory="4Gi"))
    assert cluster.placements() == {"spread": "empty"}
    cluster.tell(_policy("packing", fallback={"heuristic": "MostAllocated"}))
    cluster.see(pod("packed").requests(cpu="1", memory="4Gi"))
    assert cluster.placements() == {"packed": "full"}
    cluster.tell(events.PolicyGone("packing"))
    cluster.see(pod("spread-again").requests(cpu="1", memory="4Gi"))
    assert cluster.placements() == {"spread-again": "empty"}


def test_a_policy_selects_by_namespace_labels() -> None:
    cluster = Cluster(node("full"), node("empty"))
    cluster.see(pod("load").requests(cpu="1", memory="4Gi").on("full"))
    cluster.tell(events.NamespaceSeen({"metadata": {"name": "batch", "labels": {"tier": "batch"}}}))
    selector = {"namespaceSelector": {"matchLabels": {"tier": "batch"}}}
    cluster.tell(_policy("packing", selector=selector, fallback={"heuristic": "MostAllocated"}))
    cluster.see(pod("batch", "batch").requests(cpu="100m"), pod("web", "default").requests(cpu="100m"))
    assert cluster.placements() == {"batch": "full", "web": "empty"}


def test_each_scheduler_name_has_the_policies_that_are_for_it() -> None:
    cluster = Cluster(
        node("empty"), node("used").label("used", "yes"), names=frozenset({"hydatis", "packer", "default-scheduler"})
    )
    cluster.see(pod("running").requests(cpu="1", memory="4Gi").on("used"))
    cluster.tell(_policy("pack", selector={"schedulerNames": ["packer"]}, fallback={"heuristic": "MostAllocated"}))
    for name in ("hydatis", "packer", "default-scheduler", "somebody-else"):
        cluster.see(pod(name).requests(cpu="100m").set_spec(schedulerName=name))
    decisions = {i.pod.name: (i.node, i.decision.policy) for i in cluster.run() if isinstance(i, Bind)}
    assert decisions == {
        "hydatis": ("empty", "built-in"),
        "packer": ("used", "pack"),
        "default-scheduler": ("empty", "built-in"),
    }


class _NoMondays:
    name: ClassVar[str] = "NoMondays"
    helped_by: ClassVar[ClusterEvent] = ClusterEvent.NODE_LABELS | ClusterEvent.POD_PLACED | ClusterEvent.POD_REMOVED

    def permit(self, pod: PodReference, node: str, cluster: Tables) -> str | None:
        return "it is Monday" if node == "monday" else None


def test_a_refused_permit_gives_the_reservation_back() -> None:
    cluster = Cluster(node("monday"), profile=Profile(permits=(_NoMondays(),)))
    cluster.see(pod("web").requests(cpu="1"))
    report = cluster.report()
    assert report.message == "0/1 nodes are available: it is Monday."
    assert report.decision.rejected_by == {"NoMondays"}
    assert [kept for _, kept, _ in cluster.scheduler.recounted()] == [{}]


def test_a_refused_permit_gives_back_the_node_that_was_kept_elsewhere_to_those_who_wait_for_it() -> None:
    machines = node("monday").label("any", "1"), node("sunday").allocatable(cpu="1").label("only", "1")
    cluster = Cluster(*machines, profile=Profile(permits=(_NoMondays(),)))
    kept = pod("kept").requests(cpu="2").priority(5).nominated("sunday").gated("wait")
    cluster.see(kept, pod("waits").requests(cpu="1").node_selector(only="1"))
    assert cluster.placements() == {}
    cluster.now = 60.0
    cluster.see(kept.set_spec(schedulingGates=[]))
    assert cluster.placements() == {"waits": "sunday"}


def test_a_node_that_comes_back_still_counts_its_pods() -> None:
    cluster = Cluster(node("n").allocatable(cpu="1"))
    cluster.see(pod("old").requests(cpu="1").on("n"))
    cluster.tell(events.NodeGone("n"))
    cluster.see(pod("new").requests(cpu="1"))
    assert cluster.report().message == "no nodes available to schedule pods"
    cluster.now = 60.0
    cluster.see(node("n").allocatable(cpu="1"))
    assert cluster.run() == []


def test_a_pod_resized_in_place_counts_with_its_new_size() -> None:
    cluster = Cluster(node("n"))
    builder = pod("grows").requests(cpu="1").on("n")
    cluster.see(builder, builder.requests(cpu="3"))
    assert [kept["cpu"] for _, kept, _ in cluster.scheduler.recounted()] == [3000]


def test_odd_but_legal_objects_are_placed_like_any_other() -> None:
    crowded = node("n")
    for number in range(1000):
        crowded.label(f"example.com/label-{number}", "x" * 63)
    cluster = Cluster(crowded.allocatable(cpu="2e3", memory="1.5Ti", ephemeral_storage="0"))
    manifest = pod("odd").requests(cpu="1500m", memory="1.5Gi").manifest()
    manifest["spec"]["futureField"] = {"deep": [{"er": None}]}
    manifest["metadata"]["labels"] = {f"label-{number}": "y" for number in range(1000)}
    cluster.tell(events.PodSeen(manifest))
    cluster.see(pod("empty").request_of({}), pod("zero").requests(cpu="0", memory="0"))
    assert set(cluster.placements()) == {"odd", "empty", "zero"}


def test_a_pod_whose_quantity_cannot_be_read_is_never_bound() -> None:
    cluster = Cluster(node("n"))
    cluster.see(pod("broken").requests(cpu="a lot"))
    assert cluster.run() == []
    assert cluster.scheduler.statistics.malformed_pods == 1


def test_an_inspection_says_what_every_plugin_makes_of_every_node() -> None:
    cluster = Cluster(
        node("small").allocatable(cpu="1"), node("tainted").taint("t").allocatable(cpu="1"), node("a"), node("b")
    )
    builder = pod("web").requests(cpu="2", memory="8Gi")
    inspection = cluster.scheduler.inspect(builder.manifest())
    assert inspection.feasible == {"a", "b"}
    assert inspection.filters["TaintToleration"] == {"tainted": ("node(s) had untolerated taint(s)",)}
    # Each plugin is asked alone: the tainted node is short of cpu, too.
    assert inspection.filters["NodeResourcesFit"] == {"small": ("Insufficient cpu",), "tainted": ("Insufficient cpu",)}
    parts = inspection.scores["TaintToleration"]["a"]
    assert (parts.raw, parts.normalized, parts.weighted) == (0, 100, 300)
    assert inspection.totals == {"a": 425, "b": 425}
    assert inspection.best == {"a", "b"}
    assert cluster.scheduler.pending()["active"] == 0


def test_an_inspection_of_a_pod_that_fits_nowhere_has_the_message_it_would_get() -> None:
    cluster = Cluster(node("a"))
    assert cluster.scheduler.inspect(pod().requests(cpu="8").manifest()).message == (
        "0/1 nodes are available: 1 Insufficient cpu. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


def test_every_one_of_many_unschedulable_classes_is_woken_by_the_node_it_waits_for() -> None:
    cluster = Cluster(node("full").allocatable(cpu="0"))
    named = [{"matchFields": [expression("metadata.name", "In", f"n{number}")]} for number in range(100)]
    cluster.see(*(pod(f"p{number}").required_node_affinity(term) for number, term in enumerate(named)))
    assert len(cluster.run()) == 100
    cluster.now = 60.0
    cluster.see(*(node(f"n{number}") for number in range(100)))
    assert cluster.placements() == {f"p{number}": f"n{number}" for number in range(100)}


def _near(app: str, kind: str = "podAffinity", key: str = "kubernetes.io/hostname") -> dict[str, Any]:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_like_pods_that_shun_each_other_are_placed_apart_in_one_burst() -> None:
    cluster = Cluster(node("a"), node("b"), node("c"))
    builders = [pod(f"w{n}").labels(app="web").set_spec(affinity=_near("web", "podAntiAffinity")) for n in range(4)]
    cluster.see(*builders)
    instructions = cluster.run()
    placed = {i.pod.name: i.node for i in instructions if isinstance(i, Bind)}
    assert sorted(placed.values()) == ["a", "b", "c"]
    (left,) = [i for i in instructions if isinstance(i, ReportUnschedulable)]
    assert left.message == (
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. "
        "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
    )
    cluster.now = 60.0
    gone = next(name for name, on in placed.items() if on == "b")
    cluster.tell(events.PodGone(next(b.uid for b in builders if b.uid.startswith(f"default-{gone}-"))))
    assert cluster.placements() == {left.pod.name: "b"}


def test_like_pods_with_a_spread_constraint_are_spread_in_one_burst() -> None:
    cluster = Cluster(*(node(f"{zone}{n}").label("zone", zone) for zone in "abc" for n in range(3)))
    constraint = {
        "topologyKey": "zone",
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    cluster.see(*(pod(f"w{n}").labels(app="web").set_spec(topologySpreadConstraints=[constraint]) for n in range(12)))
    placed = cluster.placements()
    assert sorted(name[0] for name in placed.values()) == ["a"] * 4 + ["b"] * 4 + ["c"] * 4


def test_a_pod_is_tried_again_when_the_pod_it_wants_to_be_near_has_come() -> None:
    cluster = Cluster(node("a"), node("b"))
    cluster.see(pod("web").set_spec(affinity=_near("db")))
    assert cluster.report().message == (
        "0/2 nodes are available: 2 node(s) didn't match pod affinity rules. "
        "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )
    cluster.now = 60.0
    cluster.see(pod("db").labels(app="db").on("b"))
    assert cluster.placements() == {"web": "b"}
    assert cluster.scheduler.statistics.scheduled_after_flush == 0


def test_a_running_pods_anti_affinity_keeps_plain_pods_away_until_it_leaves() -> None:
    cluster = Cluster(node("n"))
    guard = pod("guard").set_spec(affinity=_near("web", "podAntiAffinity")).on("n")
    cluster.see(guard, pod("web").labels(app="web"))
    assert cluster.report().message == (
        "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. "
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )
    cluster.now = 60.0
    assert cluster.run() == []
    cluster.tell(events.PodGone(guard.uid))
    assert cluster.placements() == {"web": "n"}


def test_a_running_pod_that_loses_the_label_others_shun_lets_them_in() -> None:
    cluster = Cluster(node("n"))
    noisy = pod("noisy").labels(app="noisy").on("n")
    cluster.see(noisy, pod("quiet").set_spec(affinity=_near("noisy", "podAntiAffinity")))
    assert isinstance(cluster.only(), ReportUnschedulable)
    cluster.now = 60.0
    cluster.see(noisy.labels(app="calm"))
    assert cluster.placements() == {"quiet": "n"}
