"""Tries many mutants, a few at a time, each in a process forked for it, which is killed when it takes too long."""

import gc
import importlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from hydatis.sandbox.mutating.book import Page
from hydatis.sandbox.mutating.errors import MutateError
from hydatis.sandbox.mutating.mutants import Mutant, mutated, parsed
from hydatis.sandbox.mutating.reaching import Reached, pages_for, reached
from hydatis.sandbox.mutating.substituting import imports
from hydatis.sandbox.mutating.trying import Limits, Source, Trial, Verdict, change, trial

_TIMES_THE_USUAL = 3
_LEAST_SECONDS = 3
_SECONDS_FOR_TESTS = 120

_fork = multiprocessing.get_context("fork")

Told = Callable[[Sequence[Trial]], None]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What the unchanged core does with the book."""

    reached: Reached
    seconds: float
    """Processor time for the whole book."""


def survey(files: Mapping[str, Path], pages: Sequence[Page]) -> Surveyed:
    """Judge the book without any change, in a process of its own. Raises `MutateError`."""
    process, result = _start(_survey, files, pages)
    try:
        answer = result.recv()
    except EOFError:
        raise MutateError("the process that judges the cases was killed before any change; try fewer --cases") from None
    finally:
        _end(process)
    if isinstance(answer, MutateError):
        raise answer
    surveyed: Surveyed = answer
    return surveyed


def try_all(
    mutants: Sequence[Mutant],
    files: Mapping[str, Path],
    pages: Sequence[Page],
    surveyed: Surveyed,
    trials: list[Trial],
    *,
    tests: Path | None,
    jobs: int,
    told: Told = lambda so_far: None,
) -> None:
    """Try each mutant and add it to `trials`; `told` hears of all so far after each."""
    limits = Limits(max(_LEAST_SECONDS, int(_TIMES_THE_USUAL * surveyed.seconds)), _SECONDS_FOR_TESTS)
    _import_beforehand(with_tests=tests is not None)
    sources = {module: path.read_text(encoding="utf-8") for module, path in files.items()}
    trees = {module: parsed(sources[module]) for module in {mutant.module for mutant in mutants}}
    # What exists now is never collected, so that forked processes go on sharing its memory.
    gc.freeze()
    waiting = iter(mutants)
    running: dict[Connection, tuple[ForkProcess, Mutant, int]] = {}
    with _killed_at_the_end(running):
        while True:
            while len(running) < jobs and (mutant := next(waiting, None)) is not None:
                reaching = pages_for(mutant, surveyed.reached, pages)
                process, result = _start(
                    trial,
                    mutant,
                    Source(files[mutant.module], sources[mutant.module], trees[mutant.module]),
                    reaching,
                    tests,
                    limits,
                )
                running[result] = (process, mutant, len(reaching))
            if not running:
                return
            for result in [made for made in wait(list(running)) if isinstance(made, Connection)]:
                process, mutant, count = running.pop(result)
                trials.append(_trial_of(mutant, sources[mutant.module], count, process, result))
                told(trials)


def _trial_of(mutant: Mutant, source: str, pages: int, process: ForkProcess, result: Connection) -> Trial:
    try:
        answer = result.recv()
        if isinstance(answer, MutateError):
            raise answer
        verdict, said, before, after = answer
    except EOFError:
        process.join()
        timed_out = process.exitcode == -signal.SIGXCPU
        verdict = Verdict.TIMED_OUT if timed_out else Verdict.FAILED
        said = "" if timed_out else f"its process ended with {process.exitcode}"
        before, after = change(source, mutated(mutant, source))
    _end(process)
    return Trial(mutant, verdict, said, before, after, pages)


def _start(work: Callable[..., Any], *arguments: Any) -> tuple[ForkProcess, Connection]:
    ours, theirs = _fork.Pipe(duplex=False)
    process = _fork.Process(target=_report, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _report(result: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    # Ctrl-C is for the parent, which then ends its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # What a mutant or a test prints is nobody's business.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    try:
        answer = work(*arguments)
    except Exception as error:
        answer = MutateError(f"a mutant could not be tried ({type(error).__name__}: {error}); report this as a bug.")
    result.send(answer)
    # A mutant may have left anything behind that would not end in order.
    os._exit(0)


def _end(process: ForkProcess) -> None:
    process.kill()
    process.join()
    process.close()


@contextmanager
def _killed_at_the_end(running: Mapping[Connection, tuple[ForkProcess, Mutant, int]]) -> Iterator[None]:
    try:
        yield
    finally:
        for process, _, _ in running.values():
            _end(process)


def _survey(files: Mapping[str, Path], pages: Sequence[Page]) -> Surveyed | MutateError:
    from hydatis.sandbox.mutating.comparing import first_disagreement  # noqa: PLC0415  imported anew for each mutant

    started = time.process_time()
    first_disagreement(pages)
    seconds = time.process_time() - started
    try:
        return Surveyed(reached(files, pages), seconds)
    except MutateError as error:
        return error


def _import_beforehand(*, with_tests: bool) -> None:
    """Import what every trial needs, so that each has to import only what depends on its mutant."""
    importlib.import_module("hydatis.sandbox.mutating.comparing")
    importlib.import_module("cosmic_ray.mutating")
    if with_tests:
        importlib.import_module("hypothesis.strategies")
        importlib.import_module("pytest")
        importlib.import_module("hydatis.scheduler.testing")
    imports()
