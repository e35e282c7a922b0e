"""`hydatis mutate`: the command line of the mutation run."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hydatis.sandbox.mutating.trying import Trial

_TOLD_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Options:
    modules: tuple[str, ...]
    cases: int
    seed: int
    jobs: int
    every_replacement: bool
    every: int
    tests: Path | None
    explained: Path | None
    json: Path | None


def mutate(
    *,
    module: Annotated[
        list[str] | None,
        typer.Option(help="Change only this module, such as plugins.node_ports; repeat it for several."),
    ] = None,
    cases: Annotated[int, typer.Option(min=80, max=1_000_000, help="Cases that a mutant is put before.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the clusters: the same seed makes the same ones.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Mutants tried at a time.")] = 2,
    every_replacement: Annotated[
        bool, typer.Option("--every-replacement", help="Replace operators by all others, not just by the nearest two.")
    ] = False,
    every: Annotated[int, typer.Option(min=1, help="Try only every so manieth mutant.")] = 1,
    tests: Annotated[
        Path | None,
        typer.Option(help="The core's unit tests, for the mutants that no case catches: tests/unit/scheduler."),
    ] = None,
    explained: Annotated[
        Path | None, typer.Option(help="Document whose tables list the survivors that are known, and why.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write every mutant and what became of it to this file.")] = None,
) -> None:
    """Change the core's rules one small step at a time, and tell which changes nothing notices.

    Each mutant (cosmic-ray makes them) judges random cases whose answers kube-scheduler's own plugins have given; one
    that disagrees, fails or takes three times as long is caught. The unit tests judge what is left. Exits with 1 when a
    mutant survives that is not explained.

    Example: hydatis mutate --module plugins.node_ports --tests tests/unit/scheduler --explained docs/mutants.md
    """
    from hydatis.sandbox.errors import SandboxError
    from hydatis.sandbox.mutating.errors import MutateError
    from hydatis.sandbox.verifying.errors import VerifyError

    signal.signal(signal.SIGTERM, _terminated)
    try:
        options = _Options(tuple(module or ()), cases, seed, jobs, every_replacement, every, tests, explained, json)
        noticed = _mutate(options)
    except (MutateError, VerifyError, SandboxError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted; the trials have been stopped", err=True)
        raise typer.Exit(130) from interrupt
    if not noticed:
        raise typer.Exit(1)


def _mutate(options: _Options) -> bool:
    import orjson
    from rich.console import Console

    from hydatis.sandbox.mutating.book import write_book
    from hydatis.sandbox.mutating.explained import read_explained
    from hydatis.sandbox.mutating.mutants import RULES, modules, mutants_of
    from hydatis.sandbox.mutating.reporting import print_report, report, unexplained
    from hydatis.sandbox.mutating.running import survey, try_all
    from hydatis.sandbox.progress import shown
    from hydatis.sandbox.verifying.oracle import provide_oracle

    _check(options)
    files = modules(options.modules or RULES)
    explained = frozenset() if options.explained is None else read_explained(options.explained)
    with shown() as told:
        started = last = time.monotonic()
        binary = provide_oracle(told)
        told("making the mutants")
        mutants = [
            made
            for name, file in files.items()
            for made in mutants_of(name, file.read_text("utf-8"), every_replacement=options.every_replacement)
        ][:: options.every]
        pages = write_book(binary, options.cases, options.seed, lambda count: told(f"asked about {count:,} cases"))
        told("judging the cases without any change")
        surveyed = survey(files, pages)

        def tell(so_far: "Sequence[Trial]") -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _TOLD_EVERY_SECONDS:
                last = now
                alive = len(unexplained(so_far, explained))
                told(f"{len(so_far):,} of {len(mutants):,} mutants tried, {alive:,} survived unexplained")

        tests = None if options.tests is None else options.tests.absolute()
        trials: list[Trial] = []
        interrupted = False
        try:
            try_all(mutants, files, pages, surveyed, trials, tests=tests, jobs=options.jobs, told=tell)
        except KeyboardInterrupt:
            # What has been tried by now is told all the same.
            interrupted = True
    seconds = time.monotonic() - started
    if options.json is not None:
        document = report(trials, explained, cases=options.cases, seed=options.seed, seconds=seconds)
        options.json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    print_report(trials, explained, seconds, Console())
    if interrupted:
        raise KeyboardInterrupt
    return not unexplained(trials, explained)


def _check(options: _Options) -> None:
    """Find out before a long run what would end it."""
    import importlib.util

    from hydatis.sandbox.mutating.errors import MutateError
    from hydatis.sandbox.outputs import check_output

    if importlib.util.find_spec("cosmic_ray") is None:
        raise MutateError("cosmic-ray is not installed; install it with `pip install cosmic-ray`.")
    if options.tests is not None and not options.tests.is_dir():
        raise MutateError(f"--tests {options.tests} is no folder; name the folder of the core's unit tests.")
    check_output(options.json)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
