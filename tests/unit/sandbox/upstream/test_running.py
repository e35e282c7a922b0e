"""Following the tests: what counts when something ends before its time. Shell scripts stand in for the tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.upstream import running
from hydatis.sandbox.upstream.rig import Subject
from hydatis.sandbox.upstream.running import divided, follow
from hydatis.sandbox.upstream.suite import Result, SuiteRun

SLOW = "conflict between pods but one using 0.0.0.0 hostIP"
HEALTHY = Subject(lambda: True, Path("hydatis.log"))
TELL = """
for argument; do case $argument in -progress-file=*) file=${argument#*=};; esac; done
tell() { echo '{"test": "'$1'", "state": "'$2'", "seconds": 1}' >> "$file"; }
"""
START = Callable[..., SuiteRun]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[START]:
    """Starts a script in which `tell TEST STATE` tells of a test."""
    monkeypatch.setattr(running, "_POLL_SECONDS", 0.01)
    with ExitStack() as cleanup:

        def started(name: str, script: str, *tests: str) -> SuiteRun:
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\n{TELL}\n{script}\n")
            program.chmod(0o755)
            run = SuiteRun(program, tmp_path / "kubeconfig", tmp_path / f"{name}-run", tests, nodes=4, seed=1)
            cleanup.callback(run.stop)
            return run

        yield started


def ignore(result: Result) -> None:
    """For results that are looked at later."""


def test_every_test_is_in_one_part_and_the_long_one_has_a_part_of_its_own() -> None:
    tests = ["a", "b", "c", SLOW, "d"]
    parts = divided(tests, 2)
    assert sorted([*parts[0], *parts[1]]) == sorted(tests)
    assert [SLOW] in parts


def test_there_are_never_more_parts_than_tests() -> None:
    assert divided(["a", "b"], 5) == [["a"], ["b"]]


def test_results_of_all_rigs_come_in_alphabetical_order(start: START) -> None:
    one = start("one", "tell b started; tell b passed; tell d failed", "b", "d")
    two = start("two", "tell a passed", "a")
    told: list[Result] = []
    results = follow([(one, HEALTHY), (two, HEALTHY)], told.append)
    assert [(result.test, result.state) for result in results] == [("a", "passed"), ("b", "passed"), ("d", "failed")]
    assert len(told) == 4


def test_when_the_scheduler_ends_what_is_left_has_failed_and_says_why(start: START) -> None:
    run = start("run", "tell a passed; exec sleep 60", "a", "b")
    seen: list[Result] = []
    first, second = follow([(run, Subject(lambda: not seen, Path("hydatis.log")))], seen.append)
    assert first.passed
    assert (second.state, second.message) == ("failed", "the scheduler ended; see hydatis.log")
    assert not run.running()


def test_when_the_tests_end_early_what_is_left_has_failed(start: START) -> None:
    _, second = follow([(start("run", "tell a passed", "a", "b"), HEALTHY)], ignore)
    assert (second.state, second.message) == ("failed", "the tests' process ended early")


def test_tests_that_never_start_are_an_error_with_the_end_of_their_log(start: START) -> None:
    run = start("run", "echo connection refused; exit 1", "a")
    with pytest.raises(SandboxError, match=r"the tests did not start(.|\n)*connection refused"):
        follow([(run, HEALTHY)], ignore)
