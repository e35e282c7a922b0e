from dataclasses import replace

import pytest

from hydatis.sandbox.replaying.comparing import Agreement, Comparison, Opinion, Reason, compare
from hydatis.sandbox.replaying.scheduler_log import Attempt

FIT = {"a": 90, "b": 90, "c": 80}
SPREAD = {"a": 10, "b": 10, "c": 200}
TOTALS = {"a": 100, "b": 100, "c": 280}
OPINION = Opinion(
    node="c",
    message=None,
    nodes=4,
    parts={"NodeResourcesFit": FIT, "PodTopologySpread": SPREAD},
    totals=TOTALS,
    best=frozenset({"c"}),
)
TIED = replace(
    OPINION,
    node="a",
    parts={"NodeResourcesFit": FIT, "PodTopologySpread": {}},
    totals={"a": 90, "b": 90, "c": 80},
    best=frozenset({"a", "b"}),
)
REFUSAL = Opinion(None, "0/4 nodes are available: 4 Insufficient cpu.", 4)


def attempt(node: str, opinion: Opinion = OPINION, **changes: object) -> Attempt:
    """An attempt of a kube-scheduler that sees what the opinion sees, but for the changes."""
    parts = {plugin: dict(scores) for plugin, scores in opinion.parts.items()}
    same = Attempt("ns/p", node, evaluated=4, feasible=3, parts=parts, totals=dict(opinion.totals))
    return replace(same, **changes)  # type: ignore[arg-type]


def outcome(comparison: Comparison) -> tuple[Agreement, Reason | None]:
    return comparison.agreement, comparison.reason


def test_the_same_node_by_the_same_scores_needs_no_reason() -> None:
    assert compare(attempt("c"), OPINION) == Comparison(Agreement.SAME_NODE, None, (), 6, 0)


def test_another_of_the_best_nodes_is_a_tie() -> None:
    found = compare(attempt("b", TIED), TIED)
    assert outcome(found) == (Agreement.SAME_SCORE, Reason.TIE)
    assert found.details == ("90 for b, highest 90 on 2 of 3",)
    assert found.scores_compared == 6


def test_a_node_that_is_not_among_the_best_although_all_scores_are_the_same_has_no_known_reason() -> None:
    assert outcome(compare(attempt("a"), OPINION)) == (Agreement.DIFFERENT, Reason.UNKNOWN)
    assert not Reason.UNKNOWN.is_a_liberty


def test_a_plugin_whose_score_differs_is_named_with_the_node_and_both_scores() -> None:
    found = compare(
        attempt("a", parts={"NodeResourcesFit": {**FIT, "a": 95}, "PodTopologySpread": dict(SPREAD)}), OPINION
    )
    assert outcome(found) == (Agreement.DIFFERENT, Reason.SCORE)
    assert found.details == ("NodeResourcesFit on a: 95 by kube-scheduler, 90 in the simulation",)
    assert (found.scores_compared, found.scores_different) == (6, 1)


def test_a_score_that_differs_is_told_although_the_node_is_the_same() -> None:
    found = compare(attempt("c", parts={"NodeResourcesFit": dict(FIT)}), OPINION)
    assert outcome(found) == (Agreement.SAME_NODE, Reason.SCORE)
    assert found.scores_different == 3


def test_a_plugin_that_gives_every_node_nothing_may_be_unknown_to_the_other_side() -> None:
    heard_of = {**{plugin: dict(scores) for plugin, scores in OPINION.parts.items()}, "VolumeBinding": {"a": 0, "b": 0}}
    assert outcome(compare(attempt("c", parts=heard_of), OPINION)) == (Agreement.SAME_NODE, None)


def test_other_feasible_nodes_are_told() -> None:
    fewer = {"a": 100, "c": 280}
    found = compare(attempt("c", feasible=2, totals=fewer), OPINION)
    assert outcome(found) == (Agreement.SAME_NODE, Reason.FEASIBLE_NODES)
    assert compare(attempt("d"), OPINION).details == ("d is not feasible in the simulation",)
    others = compare(attempt("c", totals={"a": 100, "d": 100, "c": 280}), OPINION)
    assert others.details == ("feasible on one side only: b, d",)


def test_of_a_sample_only_scores_are_compared_that_do_not_depend_on_the_other_nodes() -> None:
    sample = attempt("a", evaluated=2, feasible=2, totals={"a": 290, "b": 290})
    normalized_anew = {"NodeResourcesFit": {"a": 90, "b": 90}, "PodTopologySpread": {"a": 200, "b": 200}}
    found = compare(replace(sample, parts=normalized_anew), OPINION)
    assert outcome(found) == (Agreement.DIFFERENT, Reason.SAMPLING)
    assert found.scores_compared == 2
    assert "2 of 4 nodes looked at" in found.details[0]
    wrong = {**normalized_anew, "NodeResourcesFit": {"a": 91, "b": 90}}
    assert outcome(compare(replace(sample, parts=wrong), OPINION)) == (Agreement.DIFFERENT, Reason.SCORE)


@pytest.mark.parametrize(
    ("node", "opinion", "expected"),
    [
        ("a", OPINION, (Agreement.DIFFERENT, Reason.REUSED_SCORES)),
        ("c", OPINION, (Agreement.SAME_NODE, None)),
        ("b", TIED, (Agreement.SAME_SCORE, Reason.TIE)),
    ],
)
def test_a_node_taken_by_the_scores_of_the_pod_before(
    node: str, opinion: Opinion, expected: tuple[Agreement, Reason | None]
) -> None:
    hinted = Attempt("ns/p", node, evaluated=1, feasible=1, reused=True)
    assert outcome(compare(hinted, opinion)) == expected


def test_refusals_are_compared_by_their_text() -> None:
    same = Attempt("ns/p", message=REFUSAL.message)
    assert outcome(compare(same, REFUSAL)) == (Agreement.SAME_REFUSAL, None)
    other = compare(Attempt("ns/p", message="0/4 nodes are available: 4 Insufficient memory."), REFUSAL)
    assert outcome(other) == (Agreement.SAME_REFUSAL, Reason.REFUSAL_TEXT)
    assert other.details[0] == "kube-scheduler: 0/4 nodes are available: 4 Insufficient memory."


def test_a_refusal_of_one_side_only_is_told_with_both_sides() -> None:
    refused = compare(Attempt("ns/p", message="0/4 nodes"), OPINION)
    placed = compare(attempt("a"), REFUSAL)
    assert outcome(refused) == outcome(placed) == (Agreement.DIFFERENT, Reason.ONE_REFUSES)
    assert refused.details == ("kube-scheduler: 0/4 nodes", "simulation: placed on c")
    assert placed.details == ("kube-scheduler: placed on a", f"simulation: {REFUSAL.message}")


def test_only_what_kube_scheduler_may_do_either_way_is_a_liberty() -> None:
    assert {reason for reason in Reason if reason.is_a_liberty} == {
        Reason.TIE,
        Reason.SAMPLING,
        Reason.REUSED_SCORES,
    }
