"""A mutant is tried in a process of its own, which may loop or crash."""

import os
import sys

import pytest

import hydatis.sandbox.mutating.comparing
from hydatis.sandbox.mutating import running, trying
from hydatis.sandbox.mutating.mutants import Mutant
from hydatis.sandbox.mutating.substituting import dependents
from hydatis.sandbox.mutating.trying import Verdict

MUTANT = Mutant("m", "core/NumberReplacer", 0, 1, 1, runs_on_import=True)


def loops() -> None:
    trying._allow(0)
    while True:
        pass


def crashes() -> None:
    os._exit(3)


@pytest.mark.parametrize(
    ("work", "verdict", "told"),
    [(loops, Verdict.TIMED_OUT, ""), (crashes, Verdict.FAILED, "its process ended with 3")],
)
def test_a_mutant_that_never_answers_is_ended_and_counts_as_caught(
    monkeypatch: pytest.MonkeyPatch, work: object, verdict: Verdict, told: str
) -> None:
    monkeypatch.setattr(running, "mutated", lambda mutant, source: source.replace("1", "2"))
    process, result = running._start(work)  # type: ignore[arg-type]
    trial = running._trial_of(MUTANT, "x = 1", 0, process, result)
    assert (trial.verdict, trial.told, trial.before, trial.after) == (verdict, told, "x = 1", "x = 2")


def test_only_what_depends_on_a_module_is_imported_anew() -> None:
    assert hydatis.sandbox.mutating.comparing.__name__ in sys.modules
    found = dependents("hydatis.scheduler.plugins.node_ports")
    assert {"hydatis.scheduler.profile", "hydatis.sandbox.verifying.judging"} <= found
    assert "hydatis.scheduler.cluster" not in found
    assert "hydatis.scheduler.plugins.node_name" not in found
    assert dependents("hydatis.scheduler.cluster") > found - {"hydatis.scheduler.plugins.node_ports"}
