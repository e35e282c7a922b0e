"""Tries one mutant, in a process of its own that may loop, eat memory or crash: `trial` runs there.

First the pages of the book that reach the change, until kube-scheduler's answer differs; then, if it never does, the
unit tests of the core.
"""

import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from hydatis.sandbox.mutating.book import Page
from hydatis.sandbox.mutating.mutants import Mutant, mutated
from hydatis.sandbox.mutating.substituting import substitute

_MEMORY_BYTES = 4 * 2**30
_TESTS_OF_ALL = (
    "plugins",
    "test_agreement_with_kube_scheduler.py",
    "test_cluster_events.py",
    "test_filter_args.py",
    "test_hinting.py",
    "test_withdrawing.py",
)
"""Beside the tests that are named after the module: those of the rules. The rest of the core's tests plays long
histories, which takes too long to do for each mutant.
"""

_TESTS_OF_EVENTS = "test_waking.py"
"""For changes of what a plugin says that events may help against: tests of that alone, and long ones."""


class Verdict(StrEnum):
    """What became of a mutant."""

    DISAGREED = "disagreed"
    """Caught: it told a case otherwise than kube-scheduler."""
    FAILED = "failed"
    """Caught: it raised an exception, or ended its process."""
    TIMED_OUT = "timed out"
    """Caught: it used many times the processor time of the unchanged core."""
    FAILED_TESTS = "failed tests"
    """Caught: no case showed it, a unit test did."""
    SURVIVED = "survived"
    """Nothing noticed."""

    @property
    def caught_by_comparison(self) -> bool:
        """Whether it needed no unit test."""
        return self in {Verdict.DISAGREED, Verdict.FAILED, Verdict.TIMED_OUT}


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant and what became of it."""

    mutant: Mutant
    verdict: Verdict
    told: str
    """The part and plugin that differed, or the exception."""
    before: str
    after: str
    """The lines that the mutant changes, as they were and as they are."""
    pages: int
    """How many pages of the book reach the change."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much processor time a mutant gets, in seconds."""

    comparing: int
    testing: int


@dataclass(frozen=True, slots=True)
class Source:
    """A module's source as it is."""

    path: Path
    text: str
    tree: Any
    """cosmic-ray's; trying a mutant spoils it, for this process."""


def trial(
    mutant: Mutant, source: Source, pages: Sequence[Page], tests: Path | None, limits: Limits
) -> tuple[Verdict, str, str, str]:
    """Return the verdict, what is told of it, and the change; this process is of no use afterwards."""
    # Beside what the process that was forked had: libraries that it loaded may have reserved more than a trial may.
    most = psutil.Process().memory_info().vms + _MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    changed = mutated(mutant, source.text, source.tree)
    before, after = change(source.text, changed)
    substitute(mutant.module, source.path, changed)
    verdict, told = _compared(pages, limits.comparing)
    if verdict is Verdict.SURVIVED and tests is not None:
        _allow(limits.testing)
        if not _passes(mutant.module, tests, of_events="ClusterEvent." in before):
            verdict = Verdict.FAILED_TESTS
    return verdict, told, before, after


def change(source: str, changed: str) -> tuple[str, str]:
    """Return the lines in which two sources differ, without what both have."""
    ours, theirs = source.splitlines(), changed.splitlines()
    while ours and theirs and ours[0] == theirs[0]:
        ours, theirs = ours[1:], theirs[1:]
    while ours and theirs and ours[-1] == theirs[-1]:
        ours, theirs = ours[:-1], theirs[:-1]
    before, after = (" ".join(line.strip() for line in lines) for lines in (ours, theirs))
    return before, after


def _compared(pages: Sequence[Page], seconds: int) -> tuple[Verdict, str]:
    _allow(seconds)
    try:
        from hydatis.sandbox.mutating.comparing import first_disagreement  # noqa: PLC0415  it brings the mutant in

        disagreement = first_disagreement(pages)
    except Exception as error:
        return Verdict.FAILED, f"{type(error).__name__}: {error}"[:200]
    return (Verdict.SURVIVED, "") if disagreement is None else (Verdict.DISAGREED, disagreement)


def _allow(seconds: int) -> None:
    """Let this process run for so much processor time more; the kernel then ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _passes(module: str, tests: Path, *, of_events: bool) -> bool:
    import pytest  # noqa: PLC0415  a development tool

    stem = module.rpartition(".")[2]
    own = [str(path) for path in sorted(tests.rglob(f"test_{stem}.py"))]
    common = (*_TESTS_OF_ALL, _TESTS_OF_EVENTS) if of_events else _TESTS_OF_ALL
    chosen = [*own, *(str(path) for name in common if (path := tests / name).exists())]
    options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"]
    os.chdir(tests.parents[2])
    _forget(tests)
    return pytest.main([*options, *chosen]) == pytest.ExitCode.OK


def _forget(tests: Path) -> None:
    """Let tests that were loaded before this process began be loaded anew: they hold the core without the change."""
    for name, loaded in list(sys.modules.items()):
        if Path(getattr(loaded, "__file__", None) or os.devnull).is_relative_to(tests):
            del sys.modules[name]
