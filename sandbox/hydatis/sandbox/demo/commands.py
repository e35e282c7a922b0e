"""`hydatis demo`: the command line of the demo.

It imports what it needs when it runs, so that `--help` is quick and a missing extra is one sentence.
"""

import os
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer


def demo(
    *,
    nodes: Annotated[int, typer.Option(min=1, max=5000, help="Nodes, simulated by KWOK.")] = 50,
    pods: Annotated[int, typer.Option(min=1, max=20000, help="Pods in all, those of the DaemonSet included.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the nodes and pods.")] = 1,
    trace: Annotated[
        bool, typer.Option("--trace", help="Take pod shapes from the openb pod list in the folder HYDATIS_DATA.")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Write the outcome to this file.")] = None,
) -> None:
    """Schedule real pods with HYDATIS on a real control plane, watch it, and see why each went where.

    Everything runs on this machine's loopback and is gone at the end. Exits with 1 when the end is not as it should be.

    Example: hydatis demo --nodes 50 --pods 300 --json demo.json
    """
    signal.signal(signal.SIGTERM, _terminated)
    try:
        broken = _play(nodes, pods, seed, json, trace=trace)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "hydatis":
            raise
        _fail(f"the demo needs the package {error.name}; run: pip install 'hydatis[sandbox]'")
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted; every process of the demo has been stopped", err=True)
        raise typer.Exit(130) from interrupt
    if broken:
        _fail("the demo did not end as it should: " + "; ".join(broken))


def _play(nodes: int, pods: int, seed: int, json: Path | None, *, trace: bool) -> list[str]:
    from hydatis.sandbox.api_session import ApiError
    from hydatis.sandbox.demo.errors import DemoError
    from hydatis.sandbox.demo.playing import play
    from hydatis.sandbox.demo.report import write_json
    from hydatis.sandbox.demo.scenario import mixed_scenario, trace_scenario
    from hydatis.sandbox.errors import SandboxError
    from hydatis.simulations.traces.errors import TraceError

    if json is not None:
        _check_output(json)
    try:
        scenario = (trace_scenario if trace else mixed_scenario)(nodes, pods, seed)
        document = play(scenario)
        document |= {"seed": seed, "trace": trace}
        if json is not None:
            write_json(document, json)
    except (DemoError, TraceError, SandboxError, ApiError) as error:
        _fail(str(error))
    broken: list[str] = document["broken_expectations"]
    return broken


def _check_output(path: Path) -> None:
    """Find out before the demo that its outcome could not be written."""
    folder = path.absolute().parent
    if path.is_dir():
        _fail(f"--json {path} is a folder; name a file.")
    if not folder.is_dir():
        _fail(f"--json {path}: the folder {folder} does not exist; create it first.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        _fail(f"--json {path} cannot be written; choose another place.")


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
