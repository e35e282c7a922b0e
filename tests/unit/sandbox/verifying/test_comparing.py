"""No alteration of an answer goes unseen."""

from dataclasses import replace
from typing import Any

import pytest

from hydatis.sandbox.verifying.answers import Answer, Candidate, Decision, Room, from_oracle
from hydatis.sandbox.verifying.comparing import compare

ANSWER = Answer(
    prefilter=None,
    rejections={"NodePorts": {"a": ("taken",)}, "NodeResourcesFit": {"a": ("Insufficient cpu", "Too many pods")}},
    feasible=frozenset({"b", "c"}),
    scores={"TaintToleration": {"b": (0, 100, 300), "c": (1, 0, 0)}},
    totals={"b": 300, "c": 0},
    best=frozenset({"b"}),
    message=None,
    resolvable={"NodeResourcesFit": frozenset({"a"})},
)


def test_equal_answers_do_not_differ() -> None:
    assert compare(ANSWER, replace(ANSWER)) == ()


@pytest.mark.parametrize(
    ("change", "part", "plugin", "node"),
    [
        ({"prefilter": "no"}, "prefilter", "", ""),
        ({"rejections": {"NodeResourcesFit": ANSWER.rejections["NodeResourcesFit"]}}, "filter", "NodePorts", "a"),
        ({"rejections": {**ANSWER.rejections, "NodePorts": {"a": ("other",)}}}, "filter", "NodePorts", "a"),
        ({"rejections": {**ANSWER.rejections, "NodeName": {"b": ("x",)}}}, "filter", "NodeName", "b"),
        (
            {"rejections": {**ANSWER.rejections, "NodeResourcesFit": {"a": ("Too many pods",)}}},
            "filter",
            "NodeResourcesFit",
            "a",
        ),
        ({"resolvable_in_prefilter": True}, "code", "", ""),
        ({"resolvable": {}}, "code", "NodeResourcesFit", "a"),
        ({"resolvable": {**ANSWER.resolvable, "NodePorts": frozenset({"a"})}}, "code", "NodePorts", "a"),
        ({"feasible": frozenset({"b"})}, "feasible", "", ""),
        ({"scores": {"TaintToleration": {"b": (0, 100, 300), "c": (2, 0, 0)}}}, "score", "TaintToleration", "c"),
        ({"scores": {"TaintToleration": {"b": (0, 99, 300), "c": (1, 0, 0)}}}, "score", "TaintToleration", "b"),
        ({"scores": {"TaintToleration": {"b": (0, 100, 200), "c": (1, 0, 0)}}}, "score", "TaintToleration", "b"),
        ({"scores": {}}, "score", "TaintToleration", "b"),
        ({"totals": {"b": 300, "c": 1}}, "total", "", "c"),
        ({"totals": {"b": 300}}, "total", "", "c"),
        ({"best": frozenset({"b", "c"})}, "best", "", ""),
        ({"message": "0/3 nodes are available:"}, "message", "", ""),
    ],
)
def test_one_altered_thing_is_found_and_named(change: dict[str, Any], part: str, plugin: str, node: str) -> None:
    altered = replace(ANSWER, **change)
    for differences in (compare(altered, ANSWER), compare(ANSWER, altered)):
        first = differences[0]
        assert (first.part, first.plugin, first.node) == (part, plugin, node)


def test_a_plugin_that_skips_a_pod_scores_it_like_one_that_gives_every_node_nothing() -> None:
    nothing = replace(ANSWER, scores={**ANSWER.scores, "NodeAffinity": {"b": (0, 0, 0), "c": (0, 0, 0)}})
    assert compare(nothing, ANSWER) == ()


def test_where_kube_scheduler_fails_to_filter_nothing_is_compared() -> None:
    failed = replace(ANSWER, rejections={}, feasible=frozenset(), best=frozenset(), failure="a claim is not its own")
    assert compare(ANSWER, failed) == ()
    assert compare(ANSWER, replace(failed, failure=None)) != ()


def test_scores_are_not_compared_where_kube_scheduler_could_not_score_and_all_else_is() -> None:
    failed = replace(ANSWER, scores={}, totals={}, best=frozenset(), failure="a term cannot be parsed")
    assert compare(ANSWER, failed) == ()
    assert [d.part for d in compare(replace(ANSWER, feasible=frozenset()), failed)] == ["feasible"]


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (Decision("b", None), []),
        (Decision("c", None), ["decision"]),
        (Decision(None, "0/3 nodes are available:"), ["decision"]),
        (Decision(None, None), ["decision"]),
    ],
)
def test_a_scheduling_cycle_must_end_on_one_of_the_best_nodes(decision: Decision, expected: list[str]) -> None:
    assert [d.part for d in compare(replace(ANSWER, decision=decision), ANSWER)] == expected


def test_where_kube_scheduler_could_not_score_any_feasible_node_will_do() -> None:
    failed = replace(ANSWER, scores={}, totals={}, best=frozenset(), failure="a term cannot be parsed")
    assert compare(replace(ANSWER, decision=Decision("c", None)), failed) == ()
    assert [d.part for d in compare(replace(ANSWER, decision=Decision("a", None)), failed)] == ["decision"]


def test_an_unschedulable_pod_must_be_told_so_in_kube_schedulers_words() -> None:
    nowhere = replace(
        ANSWER, feasible=frozenset(), scores={}, totals={}, best=frozenset(), message="0/1 nodes are available: 1 x."
    )
    assert compare(replace(nowhere, decision=Decision(None, nowhere.message)), nowhere) == ()
    for wrong in (Decision(None, "0/1 nodes are available: 1 y."), Decision("a", None)):
        assert [d.part for d in compare(replace(nowhere, decision=wrong), nowhere)] == ["decision"]


def test_an_answer_of_the_oracle_is_read_in_full() -> None:
    answer = from_oracle(
        {
            "prefilter": {"code": "Unschedulable", "reasons": ["one", "two"]},
            "space": ["a", "b"],
            "narrowed": {"NodeName": 1},
            "filters": {
                "NodeResourcesFit": {"a": {"code": "Unschedulable", "reasons": ["Too many pods", "Insufficient cpu"]}},
                "NodeName": {"a": {"code": "UnschedulableAndUnresolvable", "reasons": ["elsewhere"]}},
            },
            "feasible": ["b"],
            "scores": {"TaintToleration": {"b": [0, 100, 300]}},
            "totals": {"b": 300},
            "best": ["b"],
        }
    )
    assert answer == Answer(
        prefilter="one, two",
        rejections={
            "NodeResourcesFit": {"a": ("Insufficient cpu", "Too many pods")},
            "NodeName": {"a": ("elsewhere",)},
        },
        resolvable={"NodeResourcesFit": frozenset({"a"})},
        resolvable_in_prefilter=True,
        feasible=frozenset({"b"}),
        scores={"TaintToleration": {"b": (0, 100, 300)}},
        totals={"b": 300},
        best=frozenset({"b"}),
        message=None,
        searched=frozenset({"a", "b"}),
        narrowed={"NodeName": 1},
    )


TWO_NODES = Room({"a": Candidate(("v",), 0), "b": Candidate(("w",), 0)}, frozenset({"a", "b"}))
ROOM = replace(
    ANSWER,
    feasible=frozenset(),
    scores={},
    totals={},
    best=frozenset(),
    room=TWO_NODES,
    message="0/2 nodes are available: 2 x. preemption: found a potential placement for pod on node a, "
    "preempting 1 victims",
)
"""A pod for which there are two nodes to make room on."""


@pytest.mark.parametrize(
    ("room", "part", "node"),
    [
        (Room({**TWO_NODES.candidates, "a": Candidate(("x",), 0)}, TWO_NODES.best), "victims", "a"),
        (Room({**TWO_NODES.candidates, "b": Candidate(("w",), 1)}, TWO_NODES.best), "victims", "b"),
        (Room({"a": Candidate(("v",), 0)}, TWO_NODES.best), "victims", "b"),
        (Room(TWO_NODES.candidates, frozenset({"a"})), "room", ""),
        (None, "victims", "a"),
    ],
)
def test_other_victims_and_another_choice_of_node_are_found(room: Room | None, part: str, node: str) -> None:
    for differences in (compare(replace(ROOM, room=room), ROOM), compare(ROOM, replace(ROOM, room=room))):
        found = [d for d in differences if d.part != "message"]
        assert (found[0].part, found[0].plugin, found[0].node) == (part, "DefaultPreemption", node)


@pytest.mark.parametrize(
    ("altered", "differs"),
    [(("node a", "node b"), False), (("node a", "node c"), True), (("1 victims", "2 victims"), True)],
)
def test_the_text_may_name_any_of_the_nodes_between_which_chance_decides(
    altered: tuple[str, str], differs: bool
) -> None:
    ours = replace(ROOM, message=(ROOM.message or "").replace(*altered))
    assert [d.part for d in compare(ours, ROOM)] == (["message"] if differs else [])
