"""`hydatis verify`: the command line of the verification."""

import signal
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from hydatis.scheduler.plugin_args import ScoringStrategyType

if TYPE_CHECKING:
    from hydatis.sandbox.verifying.running import Plan

_TOLD_EVERY_SECONDS = 2.0


def verify(
    *,
    cases: Annotated[
        int,
        typer.Option(min=1, max=100_000_000, help="Pods to judge, each on a cluster made up for it and a few others."),
    ] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the clusters: the same seed makes the same ones.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Worker processes, each with an oracle.")] = 2,
    plugin: Annotated[
        list[str] | None, typer.Option(help="Compare only this plugin; repeat it for several; all if left out.")
    ] = None,
    strategy: Annotated[
        ScoringStrategyType | None,
        typer.Option(
            help="Let NodeResourcesFit score by this strategy on both sides, over six weighted resources; "
            "if left out, by kube-scheduler's default, LeastAllocated over cpu and memory."
        ),
    ] = None,
    filter_args: Annotated[
        bool,
        typer.Option(
            "--filter-args",
            help="Give NodeAffinity an added affinity and PodTopologySpread default constraints, on both sides.",
        ),
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Write counts and shrunk disagreements to this file.")] = None,
) -> None:
    """Hold HYDATIS against kube-scheduler's own plugins on random clusters.

    Verdicts with reasons, scores, feasible and best nodes and FailedScheduling texts are compared, exactly.
    Exits with 1 when they differ anywhere, or when in 1,000 cases or more some plugin never passed or never rejected.

    Example: hydatis verify --cases 100000 --seed 7 --json verify.json
    """
    from hydatis.sandbox.errors import SandboxError
    from hydatis.sandbox.verifying.errors import VerifyError
    from hydatis.sandbox.verifying.running import Plan

    signal.signal(signal.SIGTERM, _terminated)
    try:
        plugins = tuple(dict.fromkeys(plugin or ()))
        agreed = _verify(Plan(cases, seed, plugins, jobs, strategy, filter_args), json)
    except (VerifyError, SandboxError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted; the workers have been stopped, and what they found by then is told", err=True)
        raise typer.Exit(130) from interrupt
    if not agreed:
        raise typer.Exit(1)


def _verify(plan: "Plan", json: Path | None) -> bool:
    import orjson
    from rich.console import Console

    from hydatis.sandbox.outputs import check_output
    from hydatis.sandbox.progress import shown
    from hydatis.sandbox.verifying.oracle import provide_oracle
    from hydatis.sandbox.verifying.reporting import print_disagreements, print_report, report
    from hydatis.sandbox.verifying.running import run
    from hydatis.sandbox.verifying.session import Outcome

    profile = plan.profile()
    check_output(json)
    with shown() as told:
        oracle = provide_oracle(told)
        started = last = time.monotonic()

        def tell(so_far: Outcome) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _TOLD_EVERY_SECONDS:
                last = now
                tally = so_far.tally
                rate = tally.cases / (now - started)
                told(f"{tally.cases:,} of {plan.cases:,} cases, {tally.disagreeing:,} disagree, {rate:,.0f} a second")

        outcome, interrupted = Outcome(), False
        try:
            run(plan, oracle, outcome, tell)
        except KeyboardInterrupt:
            interrupted = True
    document = report(plan, profile, outcome, time.monotonic() - started)
    if json is not None:
        json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    console = Console()
    print_report(document, console)
    print_disagreements(outcome.disagreements, console)
    if interrupted:
        raise KeyboardInterrupt
    return not outcome.tally.disagreeing and not document["untested"]


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
