"""Runs Kubernetes' scheduling tests on one or several rigs, and follows them.

All of these tests are serial: each wants the cluster for itself. So what runs side by side are whole clusters, each
with a part of the tests; the tests mostly wait. Whatever happens, no process outlives `run`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hydatis.sandbox.building import Progress
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.upstream.plan import Plan
from hydatis.sandbox.upstream.rig import Subject, rig
from hydatis.sandbox.upstream.suite import Result, SuiteRun

_POLL_SECONDS = 0.5
_LONG_SECONDS = {"0.0.0.0 hostIP": 310.0}
"""Tests whose waits are their length: this one waits five minutes for a pod that may not be placed."""
_USUAL_SECONDS = 9.0

Told = Callable[[Result], None]


def run(
    plan: Plan, binary: Path, tests: Sequence[str], *, keep: Path | None, progress: Progress, told: Told
) -> list[Result]:
    """Run the tests and return how each ended, in alphabetical order; `keep` is a folder for logs and JUnit reports.

    A test that a scheduler's end prevented counts as failed. Raises `SandboxError` where a rig does not start, or the
    tests do not.
    """
    with _folder(keep) as folder, ExitStack() as cleanup:
        runs: list[tuple[SuiteRun, Subject]] = []
        for number, part in enumerate(divided(tests, plan.rigs), start=1):
            place = folder / f"rig-{number}"
            setting = rig(place / "rig", plan, _labelled(progress, f"rig {number}"))
            started = cleanup.enter_context(setting)
            suite = SuiteRun(
                binary, started.control_plane.admin_kubeconfig, place, part, nodes=plan.nodes, seed=plan.seed
            )
            cleanup.callback(suite.stop)
            runs.append((suite, started.subject))
        return follow(runs, told)


def _labelled(progress: Progress, label: str) -> Progress:
    return lambda message: progress(f"{label}: {message}")


def divided(tests: Sequence[str], rigs: int) -> list[list[str]]:
    """The tests in at most `rigs` parts that take about as long as each other."""
    parts: list[list[str]] = [[] for _ in range(min(rigs, len(tests)))]
    for test in sorted(tests, key=_expected_seconds, reverse=True):
        min(parts, key=lambda part: sum(map(_expected_seconds, part))).append(test)
    return parts


def _expected_seconds(test: str) -> float:
    return next((seconds for words, seconds in _LONG_SECONDS.items() if words in test), _USUAL_SECONDS)


def follow(runs: Sequence[tuple[SuiteRun, Subject]], told: Told) -> list[Result]:
    """Tell and collect results until every test has ended; a run ends early when its scheduler does."""
    results: dict[str, Result] = {}
    open_runs = list(runs)
    while open_runs:
        time.sleep(_POLL_SECONDS)
        for suite, subject in list(open_runs):
            # Asked before the news are read: what a run tells between the two questions is read before it is over.
            over = not suite.running()
            dead = not subject.alive()
            if dead:
                suite.stop()
            for result in suite.news():
                told(result)
                if result.state != "started":
                    results[result.test] = result
            if over or dead:
                open_runs.remove((suite, subject))
                for result in _missing(suite, results, subject if dead else None):
                    told(result)
                    results[result.test] = result
    return [results[test] for test in sorted(results)]


def _missing(suite: SuiteRun, results: dict[str, Result], dead: Subject | None) -> Iterator[Result]:
    """Results for the tests that never told any."""
    left = [test for test in suite.tests if test not in results]
    if left and dead is None and not set(suite.tests) & set(results):
        raise SandboxError(f"the tests did not start; the end of {suite.log}:\n{suite.log_end()}")
    reason = "the tests' process ended early" if dead is None else f"the scheduler ended; see {dead.log}"
    for test in left:
        yield Result(test, "failed", 0.0, reason)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="hydatis-e2e-") as folder:
        yield Path(folder)
