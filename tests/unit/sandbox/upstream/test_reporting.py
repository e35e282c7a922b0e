"""The report of a run: numbers that a machine reads, and sentences that a person does."""

from io import StringIO

from rich.console import Console

from hydatis.sandbox.upstream.plan import Naming, Plan, Scheduler
from hydatis.sandbox.upstream.reporting import line, print_report, report
from hydatis.sandbox.upstream.suite import Result

PLAN = Plan(Scheduler.HYDATIS, Naming.INJECTED, nodes=8, seed=7, rigs=2)
RESULTS = [
    Result("[sig-scheduling] A spreads [Serial]", "passed", 3.14),
    Result("[sig-scheduling] B preempts", "failed", 60.0, "Expected <int>: 1 to equal 0", "preemption.go:211"),
    Result("[sig-scheduling] C needs zones", "skipped", 0.1, "fewer than 2 zones"),
]


def test_a_skipped_test_has_not_passed() -> None:
    document = report(PLAN, RESULTS, 71.26)
    assert (document["passed"], document["tests"], document["seconds"]) == (1, 3, 71.3)
    assert (document["scheduler"], document["naming"], document["nodes"], document["seed"]) == (
        "hydatis",
        "injected",
        8,
        7,
    )


def test_what_failed_is_shown_with_its_assertion_and_place() -> None:
    output = StringIO()
    print_report(report(PLAN, RESULTS, 71.26), Console(file=output, width=120))
    shown = output.getvalue()
    assert "Expected <int>: 1 to equal 0" in shown
    assert "preemption.go:211" in shown
    assert shown.splitlines()[-1] == "hydatis as injected, 8 nodes, seed 7: 1 of 3 passed in 71 s"


def test_progress_names_the_test_without_what_all_have_in_common() -> None:
    assert line(Result(RESULTS[0].test, "started", 0.0)) == "started: A spreads [Serial]"
    assert line(RESULTS[1]) == "failed after 60 s: B preempts"
