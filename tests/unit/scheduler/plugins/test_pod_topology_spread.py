"""PodTopologySpread."""

from typing import Any

import numpy as np
import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins.pod_topology_spread import PodTopologySpread
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, by_node, cluster_of, node, place, pod, pod_class_of

_PLUGIN = PodTopologySpread()
_ZONE, _HOST = "zone", "kubernetes.io/hostname"


def _constraint(key: str = _ZONE, skew: int = 1, when: str = "DoNotSchedule", **more: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": "web"}}
    return {"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": when, "labelSelector": selector, **more}


def _web(*constraints: dict[str, Any]) -> PodBuilder:
    return pod().labels(app="web").set_spec(topologySpreadConstraints=list(constraints))


def _zone(name: str, zone: str) -> NodeBuilder:
    return node(name).label("zone", zone)


def _cluster(*placed: str, nodes: tuple[NodeBuilder, ...] | None = None) -> Cluster:
    """Two nodes in zone a, one in b and one without, unless told otherwise; `placed` names the nodes of web pods."""
    cluster = cluster_of(*(nodes or (_zone("a1", "a"), _zone("a2", "a"), _zone("b1", "b"), node("none"))))
    for number, name in enumerate(placed):
        place(cluster, pod(f"web-{number}").labels(app="web"), name)
    return cluster


def _passing(cluster: Cluster, builder: PodBuilder) -> set[str]:
    pod_class = pod_class_of(cluster, builder)
    neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
    assert _PLUGIN.filters(neighbours)
    verdicts = by_node(cluster, _PLUGIN.filter(pod_class.requirements, neighbours, cluster))
    return {name for name, passes in verdicts.items() if passes}


@pytest.mark.parametrize(
    ("placed", "constraint", "passing"),
    [
        ((), _constraint(), {"a1", "a2", "b1"}),
        (("a1",), _constraint(), {"b1"}),
        (("a1", "a2"), _constraint(skew=2), {"b1"}),
        (("a1", "b1"), _constraint(), {"a1", "a2", "b1"}),
        (("a1", "none"), _constraint(_HOST), {"a2", "b1"}),
        (("a1",), _constraint(labelSelector=None), {"a1", "a2", "b1"}),
        (("a1",), _constraint(labelSelector={"matchLabels": {"app": "db"}}), {"a1", "a2", "b1"}),
        # With three domains wanted and two there, the emptiest counts as empty.
        (("a1", "b1"), _constraint(minDomains=3), set()),
        (("a1", "b1"), _constraint(minDomains=2), {"a1", "a2", "b1"}),
        (("a1",), _constraint(matchLabelKeys=["app"]), {"b1"}),
        (("a1",), _constraint(matchLabelKeys=["version"]), {"b1"}),
    ],
)
def test_a_domain_may_hold_only_so_many_more_than_the_emptiest(
    placed: tuple[str, ...], constraint: dict[str, Any], passing: set[str]
) -> None:
    assert _passing(_cluster(*placed), _web(constraint)) == passing


def test_domains_may_hold_many_pods() -> None:
    assert _passing(_cluster(*["a1"] * 70, *["b1"] * 70), _web(_constraint())) == {"a1", "a2", "b1"}


def test_pods_of_other_namespaces_and_pods_on_their_way_out_do_not_count() -> None:
    cluster = _cluster()
    place(cluster, pod("other", "elsewhere").labels(app="web"), "a1")
    leaving = pod("leaving").labels(app="web")
    leaving._manifest["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    place(cluster, leaving, "a1")
    assert _passing(cluster, _web(_constraint())) == {"a1", "a2", "b1"}


@pytest.mark.parametrize(
    ("policies", "passing"),
    [
        # Zone b is not allowed to the pod by its selector, so by default its emptiness is no measure.
        ({}, {"a1", "a2", "b1"}),
        ({"nodeAffinityPolicy": "Ignore"}, {"b1"}),
    ],
)
def test_nodes_that_the_pods_affinity_excludes_count_only_when_told_so(
    policies: dict[str, str], passing: set[str]
) -> None:
    cluster = _cluster("a1")
    assert _passing(cluster, _web(_constraint() | policies).node_selector(zone="a")) == passing


@pytest.mark.parametrize(("policies", "passing"), [({}, {"b1"}), ({"nodeTaintsPolicy": "Honor"}, {"a1", "b1"})])
def test_tainted_nodes_count_unless_told_otherwise(policies: dict[str, str], passing: set[str]) -> None:
    cluster = _cluster("a1", nodes=(_zone("a1", "a"), _zone("b1", "b").taint("t")))
    assert _passing(cluster, _web(_constraint() | policies)) == passing


def test_the_reason_tells_a_missing_label_from_too_many_pods() -> None:
    cluster = _cluster("a1")
    pod_class = pod_class_of(cluster, _web(_constraint()))
    neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
    rows = cluster.rows()
    failed = rows[~_PLUGIN.filter(pod_class.requirements, neighbours, cluster)[rows]]
    assert _PLUGIN.reasons(pod_class.requirements, neighbours, cluster, failed) == {
        "node(s) didn't match pod topology spread constraints": 2,
        "node(s) didn't match pod topology spread constraints (missing required label)": 1,
    }


def test_the_score_prefers_the_domain_with_the_fewest() -> None:
    cluster = _cluster("a1", "a1", "a2", "b1")
    pod_class = pod_class_of(cluster, _web(_constraint(when="ScheduleAnyway")))
    neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
    assert not _PLUGIN.filters(neighbours)
    assert _PLUGIN.scores(neighbours)
    raw, normalized = _PLUGIN.score(pod_class.requirements, neighbours, cluster, cluster.present)
    # Two zones weigh ln 4: 3 x 1.386 and 1 x 1.386, rounded; a node without the label scores nothing.
    assert by_node(cluster, raw) == {"a1": 4, "a2": 4, "b1": 1, "none": 0}
    assert by_node(cluster, normalized) == {"a1": 25, "a2": 25, "b1": 100, "none": 0}


def test_a_hostname_constraint_scores_each_node_by_its_own_pods() -> None:
    cluster = _cluster("a1", "a1", "b1")
    pod_class = pod_class_of(cluster, _web(_constraint(_HOST, skew=2, when="ScheduleAnyway")))
    raw, _ = _PLUGIN.score(
        pod_class.requirements, pod_class.neighbours(cluster.placed, cluster.workloads), cluster, cluster.present
    )
    # Four nodes weigh ln 6 = 1.79; the skew adds 1 to each.
    assert by_node(cluster, raw) == {"a1": 5, "a2": 1, "b1": 3, "none": 1}


def test_preemption_may_help_in_a_crowded_domain_and_not_where_the_label_is_missing() -> None:
    cluster = _cluster("a1")
    pod_class = pod_class_of(cluster, _web(_constraint()))
    neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
    rows = np.array([cluster.row_of("a2"), cluster.row_of("none")], dtype=np.intp)
    assert _PLUGIN.unresolvable(pod_class.requirements, neighbours, cluster, rows).tolist() == [False, True]
