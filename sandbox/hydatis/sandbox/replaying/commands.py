"""`hydatis sandbox replay`: the command line of the calibration."""

import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from hydatis.sandbox.replaying.running import Plan

_PLAIN_WIDTH = 120


def replay(
    *,
    scenario: Annotated[
        str,
        typer.Option(
            help="Whose workload: SIZE[-LOAD] of the sizes six, study, day and the loads light, full, overloaded."
        ),
    ] = "six",
    pods: Annotated[
        int, typer.Option(min=1, max=100_000, help="Most pods: the first that come, with the ends in between.")
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the workload, and of the simulation's ties.")] = 1,
    json: Annotated[
        Path | None, typer.Option(help="Write counts, outcomes and every difference with its reason to this file.")
    ] = None,
) -> None:
    """Replay a simulated workload on a real cluster, and hold every decision against the simulation's.

    The same pods come and go in the same order on a real control plane with the real
    kube-scheduler, without the times in between. The simulation decides about each pod on the
    state that kube-scheduler's decisions made: nodes, and every plugin's score of every node, are
    compared. And it plays the whole by itself: outcomes are told side by side.

    Exits with 1 when a decision or a score differs for another reason than that kube-scheduler
    breaks a tie otherwise, looks at a sample of the nodes, or takes a node by the scores of the pod
    before.

    Example: hydatis sandbox replay --scenario study --pods 800 --seed 2 --json replay.json
    """
    from hydatis.sandbox.errors import SandboxError
    from hydatis.sandbox.outputs import check_output
    from hydatis.sandbox.replaying.errors import ReplayError
    from hydatis.sandbox.replaying.running import Plan
    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.traces.errors import TraceError

    signal.signal(signal.SIGTERM, _terminated)
    try:
        check_output(json)
        disagreements = _run(Plan(scenario, pods, seed), json)
    except (ReplayError, SandboxError, SimulationError, TraceError) as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "hydatis":
            raise
        _fail(f"the replay needs the package {error.name}; run: pip install 'hydatis[sandbox,simulations]'")
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted; every process has been stopped and nothing is written", err=True)
        raise typer.Exit(130) from interrupt
    if disagreements:
        _fail(f"{disagreements} decisions differ for other reasons than kube-scheduler's own liberties")


def _run(plan: "Plan", json: Path | None) -> int:
    import orjson
    from rich.console import Console

    from hydatis.sandbox.progress import shown
    from hydatis.sandbox.replaying.reporting import print_report, report
    from hydatis.sandbox.replaying.running import run

    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH, color_system=None)
    with shown() as progress:
        replayed = run(plan, progress)
    document = report(replayed)
    if json is not None:
        json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    print_report(document, console)
    disagreements: int = document["disagreements"]
    return disagreements


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
