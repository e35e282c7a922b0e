import io
from dataclasses import replace

from rich.console import Console

from hydatis.sandbox.replaying.comparing import Agreement, Comparison, Reason
from hydatis.sandbox.replaying.fill import Outcome
from hydatis.sandbox.replaying.following import Decision
from hydatis.sandbox.replaying.history import History
from hydatis.sandbox.replaying.playing import Played
from hydatis.sandbox.replaying.reporting import print_report, report
from hydatis.sandbox.replaying.running import Plan, Replayed
from hydatis.simulations.virtual_time.testing import Pod, scenario_of, workload_of

OUTCOME = Outcome(3, 1, 0, 2, 50.0, 5.0, 6.0, 7.0, 8.0)
SAME = Decision("ns/same", "a", "a", 1, Comparison(Agreement.SAME_NODE, None, (), 6, 0))
TIE = Decision("ns/tie", "a", "b", 4, Comparison(Agreement.SAME_SCORE, Reason.TIE, ("90 for a",), 6, 0))
REFUSED = Decision("ns/refused", None, None, 0, Comparison(Agreement.SAME_REFUSAL, None))
WRONG = Decision("ns/wrong", "a", "b", 1, Comparison(Agreement.DIFFERENT, Reason.SCORE, ("NodeResourcesFit",), 6, 2))


def replayed(*decisions: Decision) -> Replayed:
    history = History(scenario_of(4), workload_of(Pod(lifetime=1.0), Pod(created=2.0)), 2)
    played = Played(list(decisions), fill=None, seconds=1.25)  # type: ignore[arg-type]
    simulated = tuple(replace(OUTCOME, bound=bound) for bound in (2, 4, 3))
    its_way = replace(OUTCOME, bound=1)
    return Replayed(Plan("small", 2, 1), history, "generator", simulated, its_way, played, OUTCOME)


def test_decisions_are_counted_and_all_but_the_same_are_listed_with_their_reason() -> None:
    document = report(replayed(SAME, TIE, REFUSED, WRONG))
    assert document["decisions"] == {"all": 4, "same_node": 1, "same_score": 1, "same_refusal": 1, "different": 1}
    assert document["scores"] == {"compared": 18, "different": 2}
    assert document["reasons"] == {Reason.TIE.value: 1, Reason.SCORE.value: 1}
    assert document["same_node_expected"] == 1.2, "the one for certain, the tie of four at one in four, rounded"
    assert document["disagreements"] == 1
    assert [(entry["pod"], entry["reason"]) for entry in document["differences"]] == [
        ("ns/tie", Reason.TIE.value),
        ("ns/wrong", Reason.SCORE.value),
    ]
    assert document["steps"] == {"created": 2, "deleted": 1}


def test_ties_alone_are_no_disagreement() -> None:
    assert report(replayed(SAME, TIE, REFUSED))["disagreements"] == 0


def test_outcomes_stand_side_by_side_with_the_range_of_the_simulations() -> None:
    bound = report(replayed(SAME))["outcomes"]["bound"]
    assert bound == {
        "kube_scheduler": 3,
        "simulation_as_kube_scheduler": 1.0,
        "simulation": {"mean": 3.0, "low": 2.0, "high": 4.0},
    }


def test_the_table_names_what_is_wrong_and_not_the_ties() -> None:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    print_report(report(replayed(SAME, TIE, WRONG)), console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "ns/wrong: a plugin scores a node differently; kube-scheduler: a, simulation: b. NodeResourcesFit" in text
    assert "ns/tie" not in text
    assert "12 scores" not in text
    assert "18 scores" in text
