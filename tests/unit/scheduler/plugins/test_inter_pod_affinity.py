"""InterPodAffinity."""

from typing import Any

import numpy as np
import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, node, place, pod, pod_class_of

_PLUGIN = InterPodAffinity()
_HOST = "kubernetes.io/hostname"
_ALL = {"a1", "a2", "b1", "none"}


def _term(app: str, key: str = "zone", **more: Any) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}


def _affinity(
    near: list[dict[str, Any]] | None = None,
    away: list[dict[str, Any]] | None = None,
    near_if_possible: list[tuple[int, dict[str, Any]]] | None = None,
    away_if_possible: list[tuple[int, dict[str, Any]]] | None = None,
) -> dict[str, Any]:
    def kind(required: list[dict[str, Any]] | None, preferred: list[tuple[int, dict[str, Any]]] | None) -> Any:
        return {
            "requiredDuringSchedulingIgnoredDuringExecution": required or [],
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": weight, "podAffinityTerm": term} for weight, term in preferred or []
            ],
        }

    return {"podAffinity": kind(near, near_if_possible), "podAntiAffinity": kind(away, away_if_possible)}


def _cluster(*placed: tuple[PodBuilder, str]) -> Cluster:
    cluster = cluster_of(
        node("a1").label("zone", "a"), node("a2").label("zone", "a"), node("b1").label("zone", "b"), node("none")
    )
    for builder, name in placed:
        place(cluster, builder, name)
    return cluster


def _app(name: str, affinity: dict[str, Any] | None = None, namespace: str = "default") -> PodBuilder:
    return pod(name, namespace).labels(app=name).set_spec(affinity=affinity or {})


def _passing(cluster: Cluster, builder: PodBuilder) -> set[str]:
    pod_class = pod_class_of(cluster, builder)
    neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
    if not _PLUGIN.filters(neighbours):
        return _ALL
    verdicts = by_node(cluster, _PLUGIN.filter(pod_class.requirements, neighbours, cluster))
    return {name for name, passes in verdicts.items() if passes}


@pytest.mark.parametrize(
    ("running", "affinity", "passing"),
    [
        ([("db", "a1")], _affinity(near=[_term("db")]), {"a1", "a2"}),
        ([("db", "a1")], _affinity(near=[_term("db", _HOST)]), {"a1"}),
        ([("db", "none")], _affinity(near=[_term("db")]), set()),
        ([], _affinity(near=[_term("db")]), set()),
        ([("db", "a1"), ("cache", "b1")], _affinity(near=[_term("db"), _term("cache")]), set()),
        # The first of its kind may go wherever the label is, as long as nobody else of its kind runs.
        ([], _affinity(near=[_term("web")]), {"a1", "a2", "b1"}),
        ([("web", "b1")], _affinity(near=[_term("web")]), {"b1"}),
        ([("db", "a1")], _affinity(away=[_term("db")]), {"b1", "none"}),
        ([("db", "a1")], _affinity(away=[_term("db", _HOST)]), {"a2", "b1", "none"}),
        ([("db", "none")], _affinity(away=[_term("db")]), _ALL),
        ([("db", "a1")], _affinity(near=[_term("db")], away=[_term("db", _HOST)]), {"a2"}),
        ([("db", "a1")], _affinity(near=[_term("db", namespaces=["elsewhere"])]), set()),
        ([("db", "a1")], _affinity(near=[_term("db", namespaceSelector={})]), {"a1", "a2"}),
    ],
)
def test_required_terms_hold(running: list[tuple[str, str]], affinity: dict[str, Any], passing: set[str]) -> None:
    cluster = _cluster(*((_app(app), name) for app, name in running))
    assert _passing(cluster, _app("web", affinity)) == passing


@pytest.mark.parametrize(
    ("term", "passing"),
    [
        (_term("web"), {"b1", "none"}),
        (_term("web", _HOST), {"a2", "b1", "none"}),
        (_term("db"), _ALL),
        (_term("web", namespaces=["elsewhere"]), _ALL),
        (_term("web", namespaceSelector={"matchLabels": {"tier": "gold"}}), {"b1", "none"}),
        (_term("web", namespaceSelector={"matchLabels": {"tier": "lead"}}), _ALL),
    ],
)
def test_the_anti_affinity_of_running_pods_holds_too(term: dict[str, Any], passing: set[str]) -> None:
    cluster = _cluster((_app("guard", _affinity(away=[term])), "a1"))
    cluster.placed.set_namespace("default", {"tier": "gold"})
    assert _passing(cluster, _app("web")) == passing


def test_a_guard_that_leaves_lets_the_others_in() -> None:
    guard = _app("guard", _affinity(away=[_term("web")]))
    cluster = _cluster((guard, "a1"))
    newcomer = pod_class_of(cluster, _app("web"))
    assert newcomer.neighbours(cluster.placed, cluster.workloads)
    cluster.remove(guard.uid, "a1")
    assert not newcomer.neighbours(cluster.placed, cluster.workloads)


def test_the_reason_is_the_first_rule_broken() -> None:
    guard = _app("guard", _affinity(away=[_term("web")]))
    cluster = _cluster((guard, "b1"), (_app("db"), "a1"), (_app("db"), "b1"), (_app("noisy"), "a2"))
    wanted = pod_class_of(cluster, _app("web", _affinity(near=[_term("db")], away=[_term("noisy", _HOST)])))
    neighbours = wanted.neighbours(cluster.placed, cluster.workloads)
    rows = cluster.rows()
    failed = rows[~_PLUGIN.filter(wanted.requirements, neighbours, cluster)[rows]]
    assert _PLUGIN.reasons(wanted.requirements, neighbours, cluster, failed) == {
        "node(s) didn't match pod affinity rules": 1,
        "node(s) didn't match pod anti-affinity rules": 1,
        "node(s) didn't satisfy existing pods anti-affinity rules": 1,
    }


def _scores(cluster: Cluster, builder: PodBuilder) -> tuple[dict[str, int], dict[str, int]]:
    pod_class = pod_class_of(cluster, builder)
    neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
    raw, normalized = _PLUGIN.score(pod_class.requirements, neighbours, cluster, cluster.present)
    return by_node(cluster, raw), by_node(cluster, normalized)


def test_preferences_add_their_weight_for_each_pod_in_the_domain() -> None:
    cluster = _cluster((_app("db"), "a1"), (_app("db"), "a1"), (_app("noisy"), "b1"))
    affinity = _affinity(near_if_possible=[(10, _term("db"))], away_if_possible=[(5, _term("noisy"))])
    raw, normalized = _scores(cluster, _app("web", affinity))
    assert raw == {"a1": 20, "a2": 20, "b1": -5, "none": 0}
    assert normalized == {"a1": 100, "a2": 100, "b1": 0, "none": 20}


def test_running_pods_draw_and_push_those_that_their_terms_speak_of() -> None:
    cluster = _cluster(
        (_app("needs-web", _affinity(near=[_term("web")])), "a1"),
        (_app("likes-web", _affinity(near_if_possible=[(7, _term("web"))])), "a2"),
        (_app("shuns-web", _affinity(away_if_possible=[(3, _term("web", _HOST))])), "b1"),
    )
    raw, _ = _scores(cluster, _app("web"))
    assert raw == {"a1": 8, "a2": 8, "b1": -3, "none": 0}


def test_a_namespace_whose_labels_change_changes_who_counts() -> None:
    cluster = _cluster((_app("db", namespace="data"), "a1"))
    wanted = _app("web", _affinity(near=[_term("db", namespaceSelector={"matchLabels": {"tier": "gold"}})]))
    pod_class = pod_class_of(cluster, wanted)

    def passing() -> set[str]:
        neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
        verdicts = by_node(cluster, _PLUGIN.filter(pod_class.requirements, neighbours, cluster))
        return {name for name, passes in verdicts.items() if passes}

    assert passing() == set()
    cluster.placed.set_namespace("data", {"tier": "gold"})
    assert passing() == {"a1", "a2"}
    cluster.placed.set_namespace("data", {"tier": "lead"})
    assert passing() == set()


def test_preemption_may_help_against_neighbours_to_be_away_from_and_not_for_want_of_some_to_be_near() -> None:
    cluster = _cluster((_app("db"), "a1"))
    wanted = _app("web", _affinity(near=[_term("db")], away=[_term("db", _HOST)]))
    pod_class = pod_class_of(cluster, wanted)
    neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
    rows = np.array([cluster.row_of("a1"), cluster.row_of("b1")], dtype=np.intp)
    assert _PLUGIN.unresolvable(pod_class.requirements, neighbours, cluster, rows).tolist() == [False, True]
