"""What a policy adds to the node affinity of every pod, and how it spreads pods that state no constraint."""

from typing import Any

import numpy as np
import pytest

from hydatis.scheduler import events
from hydatis.scheduler.filter_args import NO_FILTER_ARGS
from hydatis.scheduler.instructions import Bind, Instruction
from hydatis.scheduler.node_selectors import (
    AddedAffinity,
    LabelRequirement,
    NameRequirement,
    NodeSelectorTerm,
    PreferredTerm,
)
from hydatis.scheduler.policy import API_VERSION, KIND, PolicyInvalid, parse_policy
from hydatis.scheduler.scheduler import Scheduler, Settings
from hydatis.scheduler.spread_constraints import SYSTEM_DEFAULTS, DefaultConstraint, SpreadDefaults
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, expression, node, pod
from hydatis.scheduler.workloads import Workload

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _policy(name: str = "p", *, selector: dict[str, Any] | None = None, **plugins: Any) -> dict[str, Any]:
    spec = {"pluginArgs": plugins, "selector": selector or {}}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec}


def _required(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"addedAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}


def _term(*expressions: dict[str, Any]) -> dict[str, Any]:
    return {"matchExpressions": list(expressions)}


_SSD = _required(_term(expression("disk", "In", "ssd")))
_ONE_A_ZONE = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}


def test_added_affinity_is_read_as_that_of_a_pod() -> None:
    named = {"matchFields": [expression("metadata.name", "NotIn", "n")]}
    affinity = {
        **_required(named)["addedAffinity"],
        PREFERRED: [{"weight": 7, "preference": _term(expression("a", "Exists"))}],
    }
    args = parse_policy(_policy(NodeAffinity={"addedAffinity": affinity})).plugin_args.filters
    term = NodeSelectorTerm((LabelRequirement("a", "Exists", ()),), (), valid=True)
    assert args.added_affinity == AddedAffinity(
        (NodeSelectorTerm((), (NameRequirement("NotIn", ("n",)),), valid=True),), (PreferredTerm(7, term),)
    )


def test_default_constraints_are_read_as_those_of_a_pod() -> None:
    spread = {
        "defaultingType": "List",
        "defaultConstraints": [
            {**_ONE_A_ZONE, "minDomains": 2, "nodeTaintsPolicy": "Honor", "nodeAffinityPolicy": "Ignore"},
            {"maxSkew": 3, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway"},
        ],
    }
    assert parse_policy(_policy(PodTopologySpread=spread)).plugin_args.filters.spread_defaults == SpreadDefaults(
        (
            DefaultConstraint("zone", 1, required=True, min_domains=2, honor_affinity=False, honor_taints=True),
            DefaultConstraint("rack", 3, required=False),
        ),
        by_system=False,
    )
    system = parse_policy(_policy(PodTopologySpread={"defaultingType": "System"})).plugin_args.filters
    assert system.spread_defaults == SYSTEM_DEFAULTS


def test_plugins_without_arguments_change_nothing() -> None:
    given: tuple[dict[str, Any], ...] = ({}, {"NodeAffinity": {}}, {"NodeAffinity": None, "PodTopologySpread": {}})
    for plugins in given:
        assert parse_policy(_policy(**plugins)).plugin_args.filters is NO_FILTER_ARGS


_AFFINITY = "spec.pluginArgs.NodeAffinity.addedAffinity"
_TERM = f"{_AFFINITY}.{REQUIRED}.nodeSelectorTerms[0]"
_SPREAD = "spec.pluginArgs.PodTopologySpread"


@pytest.mark.parametrize(
    ("plugins", "expected"),
    [
        (
            {"NodeAffinity": {"addedAffinity": {}}},
            f"{_AFFINITY} has no terms: give it {REQUIRED} or {PREFERRED}, or remove it",
        ),
        (
            {"NodeAffinity": _required()},
            f"{_AFFINITY}.{REQUIRED}.nodeSelectorTerms is empty: list at least one term, or remove {REQUIRED}",
        ),
        (
            {"NodeAffinity": _required({})},
            f"{_TERM} has no requirement, so that no node matches it: give it matchExpressions or matchFields",
        ),
        (
            {"NodeAffinity": _required(_term(expression("gen", "Gt", "new")))},
            f"{_TERM}.matchExpressions[0].values must be one whole number with operator Gt: "
            "give one number of at most 18 digits, in quotes",
        ),
        (
            {"NodeAffinity": _required({"matchFields": [expression("spec.podCIDR", "In", "n")]})},
            f"{_TERM}.matchFields[0].key is the text 'spec.podCIDR', which is not possible here: use metadata.name",
        ),
        (
            {"NodeAffinity": {"addedAffinity": {PREFERRED: [{"preference": _term(expression("a", "Exists"))}]}}},
            f"{_AFFINITY}.{PREFERRED}[0].weight is missing: give a whole number from 1 to 100",
        ),
        (
            {"PodTopologySpread": {"defaultConstraints": [_ONE_A_ZONE]}},
            f"{_SPREAD}.defaultConstraints must be empty with the defaultingType System: "
            f"set {_SPREAD}.defaultingType to List, or remove the constraints",
        ),
        (
            {"PodTopologySpread": {"defaultingType": "List", "defaultConstraints": [_ONE_A_ZONE, _ONE_A_ZONE]}},
            f"{_SPREAD}.defaultConstraints[1] repeats topologyKey and whenUnsatisfiable of "
            f"{_SPREAD}.defaultConstraints[0]: list each pair once",
        ),
        (
            {
                "PodTopologySpread": {
                    "defaultingType": "List",
                    "defaultConstraints": [{**_ONE_A_ZONE, "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2}],
                }
            },
            f"{_SPREAD}.defaultConstraints[0].minDomains is only for DoNotSchedule: "
            "remove it, or set whenUnsatisfiable to DoNotSchedule",
        ),
    ],
)
def test_an_error_names_the_field_and_the_remedy(plugins: dict[str, Any], expected: str) -> None:
    with pytest.raises(PolicyInvalid) as raised:
        parse_policy(_policy(**plugins))
    assert [str(error) for error in raised.value.errors] == [expected]


class Cluster:
    """A scheduler for two names, and what it saw."""

    def __init__(self, *nodes: NodeBuilder) -> None:
        names = frozenset({"hydatis", "strict"})
        self.scheduler = Scheduler(Settings(names), random=np.random.default_rng(1))
        for machine in nodes:
            self.tell(events.NodeSeen(machine.manifest()))

    def tell(self, event: events.Event) -> None:
        """Tell the scheduler of an event."""
        self.scheduler.handle(event, 0.0)

    def see(self, *builders: PodBuilder) -> None:
        """Show pods."""
        for builder in builders:
            self.tell(events.PodSeen(builder.manifest()))

    def run(self) -> dict[str, str]:
        """Run cycles until no pod is ready; return each pod's node, or why there is none."""
        told: dict[str, str] = {}
        for _ in range(50):
            instruction: Instruction | None = self.scheduler.schedule_next(0.0)
            if instruction is None:
                return told
            told[instruction.pod.name] = instruction.node if isinstance(instruction, Bind) else instruction.message
        pytest.fail("the scheduler never comes to rest")


def _strict(name: str) -> PodBuilder:
    return pod(name).set_spec(schedulerName="strict")


def test_added_affinity_holds_for_the_pods_of_its_policy_and_says_so_in_kube_schedulers_words() -> None:
    cluster = Cluster(node("a").label("zone", "1"), node("b").label("zone", "2"), node("c").label("disk", "ssd"))
    policy = _policy(selector={"schedulerNames": ["strict"]}, NodeAffinity=_SSD)
    cluster.tell(events.PolicyInForce(parse_policy(policy)))
    cluster.see(_strict("s"), _strict("z").node_selector(zone="1"), pod("h").node_selector(zone="1"))
    assert cluster.run() == {
        "s": "c",
        "z": "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
        "2 node(s) didn't match scheduler-enforced node affinity. "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
        "h": "a",
    }


def test_added_preferences_count_beside_those_of_the_pod() -> None:
    cluster = Cluster(node("a").label("disk", "ssd"), node("b").label("zone", "1"), node("c"))
    prefer = {"addedAffinity": {PREFERRED: [{"weight": 2, "preference": _term(expression("disk", "Exists"))}]}}
    cluster.tell(events.PolicyInForce(parse_policy(_policy(NodeAffinity=prefer))))
    cluster.see(pod("plain"), pod("zoned").preferred_node_affinity((100, _term(expression("zone", "Exists")))))
    assert cluster.run() == {"plain": "a", "zoned": "b"}


def _with_service() -> tuple[Cluster, list[PodBuilder]]:
    cluster = Cluster(node("a").label("zone", "1"), node("b").label("zone", "2"))
    cluster.tell(events.WorkloadSeen(Workload("Service", "default", "web"), {"spec": {"selector": {"app": "web"}}}))
    running = [pod(f"r{number}").labels(app="web").on("a") for number in range(2)]
    cluster.see(*running, pod("big").requests(cpu="4").on("b"))
    return cluster, running


def test_default_constraints_hold_for_pods_that_state_none() -> None:
    cluster, running = _with_service()
    spread = {"defaultingType": "List", "defaultConstraints": [_ONE_A_ZONE]}
    cluster.tell(events.PolicyInForce(parse_policy(_policy(PodTopologySpread=spread))))
    own = [{**_ONE_A_ZONE, "maxSkew": 9, "labelSelector": {"matchLabels": {"app": "web"}}}]
    cluster.see(
        pod("p").labels(app="web").requests(cpu="100m"),
        pod("own").labels(app="web").requests(cpu="100m").set_spec(topologySpreadConstraints=own),
        pod("alone").requests(cpu="100m"),
    )
    told = cluster.run()
    assert told["p"] == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints. "
        "preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
    )
    assert (told["own"], told["alone"]) == ("a", "a")
    for builder in running:
        cluster.tell(events.PodGone(builder.uid))
    cluster.tell(events.WorkloadGone(Workload("Service", "default", "web")))
    assert cluster.run() == {"p": "a"}


def test_what_is_told_of_a_pod_is_not_what_was_so_while_a_service_was_there() -> None:
    cluster, _ = _with_service()
    spread = {"defaultingType": "List", "defaultConstraints": [_ONE_A_ZONE]}
    cluster.tell(events.PolicyInForce(parse_policy(_policy(PodTopologySpread=spread))))
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}
    apart = {"podAntiAffinity": {REQUIRED: [term]}}
    like = [pod(name).labels(app="web").requests(cpu="100m").set_spec(affinity=apart) for name in ("p", "q")]
    cluster.see(like[0])
    assert "1 node(s) didn't match pod topology spread constraints" in cluster.run()["p"]
    cluster.tell(events.WorkloadGone(Workload("Service", "default", "web")))
    cluster.see(like[1])
    assert "1 node(s) didn't match pod anti-affinity rules" in cluster.run()["q"]


def test_a_service_that_goes_takes_its_default_constraints_with_it() -> None:
    cluster, _ = _with_service()
    spread = {"defaultingType": "List", "defaultConstraints": [_ONE_A_ZONE]}
    cluster.tell(events.PolicyInForce(parse_policy(_policy(PodTopologySpread=spread))))
    cluster.see(pod("p").labels(app="web").requests(cpu="100m"))
    cluster.run()
    cluster.tell(events.WorkloadGone(Workload("Service", "default", "web")))
    assert cluster.run() == {"p": "a"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(events.PolicyGone("p"), id="the policy is deleted"),
        pytest.param(events.PolicyInForce(parse_policy(_policy())), id="the policy asks for less"),
        pytest.param(
            events.PolicyInForce(parse_policy(_policy("other"))),
            id="another policy comes before it",
        ),
        pytest.param(
            events.NamespaceSeen({"metadata": {"name": "default", "labels": {"team": "b"}}}),
            id="the namespace is no longer selected",
        ),
    ],
)
def test_a_pod_that_added_affinity_keeps_waiting_comes_back_when(change: events.Event) -> None:
    cluster = Cluster(node("n"))
    cluster.tell(events.NamespaceSeen({"metadata": {"name": "default", "labels": {"team": "a"}}}))
    selector = {"namespaceSelector": {"matchLabels": {"team": "a"}}}
    cluster.tell(events.PolicyInForce(parse_policy(_policy(selector=selector, NodeAffinity=_SSD))))
    cluster.see(pod("w"))
    assert cluster.run() == {
        "w": "0/1 nodes are available: 1 node(s) didn't match scheduler-enforced node affinity. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    }
    cluster.tell(change)
    assert cluster.run() == {"w": "n"}


def test_a_pod_that_names_another_policy_comes_back() -> None:
    cluster = Cluster(node("n"))
    cluster.tell(events.PolicyInForce(parse_policy(_policy(NodeAffinity=_SSD))))
    cluster.tell(events.PolicyInForce(parse_policy(_policy("z"))))
    waiting = pod("w")
    cluster.see(waiting)
    cluster.run()
    cluster.see(waiting.annotation("hydatis.io/policy", "z"))
    assert cluster.run() == {"w": "n"}


def test_pods_of_one_class_under_two_policies_wait_for_different_things() -> None:
    cluster = Cluster(node("n").unschedulable())
    policy = _policy(selector={"schedulerNames": ["strict"]}, NodeAffinity=_SSD)
    cluster.tell(events.PolicyInForce(parse_policy(policy)))
    cluster.see(pod("h"), _strict("s"))
    cluster.run()
    cluster.tell(events.NodeSeen(node("n").manifest()))
    assert cluster.run() == {"h": "n"}
    cluster.tell(events.NodeSeen(node("n").label("disk", "ssd").manifest()))
    assert cluster.run() == {"s": "n"}
