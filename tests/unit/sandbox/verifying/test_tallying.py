"""What is agreed on is counted by plugin and verdict, and a plugin that was never put to the test is named."""

from dataclasses import replace

from hydatis.sandbox.verifying.answers import Answer, Candidate, Room
from hydatis.sandbox.verifying.comparing import compare
from hydatis.sandbox.verifying.tallying import ENOUGH_CASES, Tally
from hydatis.scheduler.plugins.default_preemption import DefaultPreemption
from hydatis.scheduler.plugins.node_name import NodeName
from hydatis.scheduler.plugins.node_ports import NodePorts
from hydatis.scheduler.plugins.taint_toleration import TaintToleration
from hydatis.scheduler.profile import Profile

PROFILE = Profile(
    prefilters=(NodeName(),),
    filters=(NodeName(), NodePorts()),
    neighbour_filters=(),
    last_filters=(),
    scores=(TaintToleration(),),
    neighbour_scores=(),
    preemption=None,
)
THEIRS = Answer(
    prefilter=None,
    rejections={"NodePorts": {"a": ("taken",)}},
    feasible=frozenset({"b", "c"}),
    scores={"TaintToleration": {"b": (0, 100, 300), "c": (0, 100, 300)}},
    totals={"b": 300, "c": 300},
    best=frozenset({"b", "c"}),
    message=None,
    searched=frozenset({"a", "b", "c"}),
    narrowed={"NodeName": 2},
)


def tallied(ours: Answer, theirs: Answer = THEIRS) -> Tally:
    tally = Tally()
    tally.count(PROFILE, theirs, compare(ours, theirs))
    return tally


def test_agreement_counts_nodes_by_plugin_and_verdict() -> None:
    tally = tallied(THEIRS)
    assert tally.verdicts == {
        ("NodeName", "pass"): 3,
        ("NodeName", "reject"): 2,
        ("NodePorts", "pass"): 2,
        ("NodePorts", "reject"): 1,
        ("TaintToleration", "score"): 2,
    }
    assert (tally.cases, tally.disagreeing, tally.outcomes) == (1, 0, {"placed": 1})


def test_what_is_disputed_does_not_count_as_agreed() -> None:
    tally = tallied(replace(THEIRS, rejections={"NodePorts": {"b": ("taken",)}}))
    assert tally.disagreeing == 1
    assert tally.verdicts["NodePorts", "pass"] == 1
    assert tally.verdicts["NodePorts", "reject"] == 0
    assert tally.differences["filter", "NodePorts"] == 2


def test_a_plugin_never_put_to_the_test_is_named_once_there_are_cases_enough() -> None:
    tally = tallied(replace(THEIRS, narrowed={}, rejections={}), replace(THEIRS, narrowed={}, rejections={}))
    assert tally.untested(PROFILE) == ()
    tally.cases = ENOUGH_CASES
    assert tally.untested(PROFILE) == ("NodeName never gave a reject", "NodePorts never gave a reject")


def test_tallies_add_up() -> None:
    total = tallied(THEIRS)
    total.add(tallied(replace(THEIRS, message="x")))
    assert (total.cases, total.disagreeing) == (2, 1)
    assert total.verdicts["NodePorts", "reject"] == 2


def test_preemption_passes_the_nodes_where_it_can_make_room_and_rejects_once_a_case_where_there_is_none() -> None:
    tally = Tally()
    profile = replace(PROFILE, preemption=DefaultPreemption())
    some = Room({"a": Candidate(("victim",), 0), "b": Candidate(("other",), 1)}, frozenset({"a"}))
    for room in (some, Room({}, frozenset())):
        answer = replace(THEIRS, room=room)
        tally.count(profile, answer, compare(answer, answer))
    assert tally.verdicts["DefaultPreemption", "pass"] == 2
    assert tally.verdicts["DefaultPreemption", "reject"] == 1
    tally.count(profile, replace(THEIRS, room=some), compare(THEIRS, replace(THEIRS, room=some)))
    assert tally.verdicts["DefaultPreemption", "pass"] == 2
