"""NodeAffinity."""

from typing import Any

import pytest

from hydatis.scheduler.plugins import Everywhere, Nowhere, OnlyOn
from hydatis.scheduler.plugins.node_affinity import NodeAffinity
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, expression, node, pod, requirements_of


def _term(*expressions: dict[str, Any]) -> dict[str, Any]:
    return {"matchExpressions": list(expressions)}


def _named(*names: str, operator: str = "In") -> dict[str, Any]:
    return {"matchFields": [expression("metadata.name", operator, *names)]}


def _required(*expressions: dict[str, Any]) -> PodBuilder:
    return pod().required_node_affinity(_term(*expressions))


@pytest.mark.parametrize(
    ("builder", "passing"),
    [
        (pod().node_selector(zone="a"), {"a1", "a2"}),
        (pod().node_selector(zone="a", gen="4"), {"a1"}),
        (pod().node_selector(zone="c"), set()),
        (_required(expression("zone", "In", "a", "b")), {"a1", "a2", "b"}),
        (_required(expression("zone", "In", "c")), set()),
        (_required(expression("zone", "NotIn", "a")), {"b", "bare"}),
        (_required(expression("gen", "Exists")), {"a1", "b"}),
        (_required(expression("gen", "DoesNotExist")), {"a2", "bare"}),
        (_required(expression("gen", "Gt", "4")), {"b"}),
        (_required(expression("gen", "Lt", "10")), {"a1"}),
        (_required(expression("zone", "Gt", "1")), set()),
        (_required(expression("gen", "Exists"), expression("zone", "In", "b")), {"b"}),
        (pod().required_node_affinity(_named("a2")), {"a2"}),
        (pod().required_node_affinity(_named("a2", operator="NotIn")), {"a1", "b", "bare"}),
        (pod().required_node_affinity(_named("a2"), _term(expression("zone", "In", "b"))), {"a2", "b"}),
        (pod().required_node_affinity({}), set()),
        (pod().required_node_affinity({}, _term(expression("zone", "In", "b"))), {"b"}),
        (_required(expression("zone", "In")), set()),
        (_required(expression("gen", "Gt", "four")), set()),
        (_required(expression("gen", "Near", "4")), set()),
        (pod().node_selector(zone="a").required_node_affinity(_term(expression("gen", "Exists"))), {"a1"}),
    ],
)
def test_a_pod_fits_where_its_selector_and_any_of_its_terms_match(builder: PodBuilder, passing: set[str]) -> None:
    cluster = cluster_of(
        node("a1").label("zone", "a").label("gen", "4"),
        node("a2").label("zone", "a"),
        node("b").label("zone", "b").label("gen", "11"),
        node("bare"),
    )
    verdicts = by_node(cluster, NodeAffinity().filter(requirements_of(cluster, builder), cluster, cluster.rows()))
    assert {name for name, passes in verdicts.items() if passes} == passing


def test_verdicts_follow_labels_that_change_later() -> None:
    cluster = cluster_of(node("n"))
    wanted = requirements_of(cluster, pod().node_selector(zone="a"))
    assert by_node(cluster, NodeAffinity().filter(wanted, cluster, cluster.rows())) == {"n": False}
    cluster.set_node(node("n").label("zone", "a").manifest())
    assert by_node(cluster, NodeAffinity().filter(wanted, cluster, cluster.rows())) == {"n": True}


def test_the_score_sums_the_weights_of_matching_preferences() -> None:
    cluster = cluster_of(
        node("both").label("zone", "a").label("ssd", "yes"), node("one").label("ssd", "yes"), node("none")
    )
    wanted = requirements_of(
        cluster,
        pod().preferred_node_affinity(
            (10, _term(expression("zone", "In", "a"))),
            (3, _term(expression("ssd", "Exists"))),
            (50, {}),
            (70, _term(expression("ssd", "In"))),
        ),
    )
    assert by_node(cluster, NodeAffinity().score(wanted, cluster, cluster.rows())) == {"both": 13, "one": 3, "none": 0}


@pytest.mark.parametrize(
    ("builder", "expected"),
    [
        (pod(), Everywhere()),
        (pod().node_selector(zone="a"), Everywhere()),
        (pod().required_node_affinity(_named("a")), OnlyOn(frozenset({"a"}))),
        (pod().required_node_affinity(_named("a"), _named("b")), OnlyOn(frozenset({"a", "b"}))),
        (pod().required_node_affinity(_named("a"), _term(expression("zone", "Exists"))), Everywhere()),
        (
            pod().required_node_affinity({"matchFields": [*_named("a")["matchFields"], *_named("b")["matchFields"]]}),
            Nowhere("pod affinity terms conflict"),
        ),
    ],
)
def test_prefilter_narrows_the_search_to_named_nodes(builder: PodBuilder, expected: object) -> None:
    cluster = cluster_of()
    assert NodeAffinity().prefilter(requirements_of(cluster, builder), cluster) == expected
