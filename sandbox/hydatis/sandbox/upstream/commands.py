"""`hydatis sandbox e2e`: the command line of Kubernetes' own scheduling tests."""

import signal
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from hydatis.sandbox.upstream.plan import Naming, Plan, Scheduler

_PLAIN_WIDTH = 200


def e2e(
    *,
    scheduler: Annotated[
        Scheduler, typer.Option(help="Whom to test; kube-scheduler is the control: it passes everything on this rig.")
    ] = Scheduler.HYDATIS,
    nodes: Annotated[int, typer.Option(min=4, max=64, help="Nodes of each rig, simulated by KWOK.")] = 4,
    seed: Annotated[int, typer.Option(min=1, help="Decides the order of the tests and HYDATIS's ties.")] = 1,
    naming: Annotated[
        Naming,
        typer.Option(
            help="Run HYDATIS under the name default-scheduler, or let an admission policy inject the name hydatis."
        ),
    ] = Naming.DEFAULT_SCHEDULER,
    rigs: Annotated[int, typer.Option(min=1, max=8, help="Clusters side by side, each with a part of the tests.")] = 2,
    focus: Annotated[str | None, typer.Option(help="Run only tests whose name this regular expression finds.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write every test's result to this file.")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep logs and JUnit reports in this folder; else they are gone at the end.")
    ] = None,
) -> None:
    """Run Kubernetes' own end-to-end tests for schedulers against HYDATIS on a real control plane.

    The sig-scheduling tests are compiled from Kubernetes' sources (once, some minutes) and not changed.
    Exits with 1 unless every test passed; a skipped one has not.

    Example: hydatis sandbox e2e --nodes 8 --seed 7 --naming injected --json e2e.json
    """
    from hydatis.sandbox.errors import SandboxError
    from hydatis.sandbox.outputs import check_output

    if scheduler is Scheduler.KUBE_SCHEDULER and naming is Naming.INJECTED:
        _fail("--naming injected needs --scheduler hydatis: kube-scheduler has the default name already.")
    signal.signal(signal.SIGTERM, _terminated)
    try:
        check_output(json)
        passed = _run(Plan(scheduler, naming, nodes, seed, rigs), focus, json, keep)
    except SandboxError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "hydatis":
            raise
        _fail(f"the tests need the package {error.name}; run: pip install 'hydatis[sandbox]'")
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted; every process has been stopped and nothing is written", err=True)
        raise typer.Exit(130) from interrupt
    if not passed:
        raise typer.Exit(1)


def _run(plan: Plan, focus: str | None, json: Path | None, keep: Path | None) -> bool:
    import orjson
    from rich.console import Console

    from hydatis.sandbox.progress import shown
    from hydatis.sandbox.upstream import reporting, running, suite

    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH, color_system=None)
    with shown() as progress:
        binary = suite.provide_suite(progress)
        tests = suite.chosen(suite.scheduler_tests(binary), focus)
        plan = replace(plan, rigs=min(plan.rigs, len(tests)))
        ended = 0

        def tell(result: suite.Result) -> None:
            nonlocal ended
            ended += result.state != "started"
            progress(f"{ended} of {len(tests)}: {reporting.line(result)}")

        started = time.monotonic()
        results = running.run(plan, binary, tests, keep=keep, progress=progress, told=tell)
    document = reporting.report(plan, results, time.monotonic() - started)
    if json is not None:
        json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    reporting.print_report(document, console)
    return bool(document["passed"] == document["tests"])


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
