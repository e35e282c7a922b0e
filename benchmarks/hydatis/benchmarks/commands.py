"""`hydatis bench`: the command line of the benchmark."""

import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from hydatis.benchmarks.contenders import Hydatis, KubeScheduler
from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.figures import draw, require_matplotlib
from hydatis.benchmarks.machine import machine, versions
from hydatis.benchmarks.modes import MODES, mode_named
from hydatis.benchmarks.reporting import print_table, report, write_json
from hydatis.benchmarks.series import Series, run_series
from hydatis.benchmarks.workload import SHAPES
from hydatis.sandbox.binaries import locate
from hydatis.sandbox.building import provide
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.go_module import Program

_MODE_NAMES = [mode.name for mode in MODES]
_PLAIN_WIDTH = 120
PROGRAMS = (Program.ETCD, Program.APISERVER, Program.SCHEDULER, Program.HELM)
"""What a benchmark runs: built, if need be, before the first clock starts."""

Value = TypeVar("Value")


def bench(
    *,
    nodes: Annotated[
        list[int] | None, typer.Option(min=1, max=20000, help="Nodes of the cluster; repeat it for several sizes.")
    ] = None,
    pods: Annotated[
        int, typer.Option(min=1, max=100000, help="Pods of a run; paced modes take at most 30 s worth of them.")
    ] = 2000,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="Runs of each scheduler in each mode.")] = 3,
    mode: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(_MODE_NAMES)}; repeat it for several; all if left out.")
    ] = None,
    workload: Annotated[
        str, typer.Option(help=f"Kind of pods: {' or '.join(SHAPES)}; mixed has several shapes and node affinity.")
    ] = "uniform",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the workload.")] = 1,
    deadline: Annotated[
        float, typer.Option(min=1, max=3600, help="Seconds a run may take until every pod is bound.")
    ] = 180.0,
    json: Annotated[Path | None, typer.Option(help="Write results, runs and machine facts to this file.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw the results into this file (.png, .svg, .pdf).")] = None,
) -> None:
    """Measure HYDATIS and the real kube-scheduler side by side on this machine.

    Every run has a control plane of its own on loopback; the schedulers take turns.
    Exits with 1 when a run was not valid: a pod left pending, a node overcommitted, a scheduler that died.

    Example: hydatis bench --nodes 1000 --nodes 5000 --pods 2000 --repeat 3 --json bench.json
    """
    signal.signal(signal.SIGTERM, _terminated)
    try:
        settings: dict[str, Any] = {
            "nodes": nodes or [100, 1000, 5000],
            "modes": mode or _MODE_NAMES,
            "pods": pods,
            "repeat": repeat,
            "workload": workload,
            "seed": seed,
            "deadline_seconds": deadline,
        }
        document = _measure(settings, json, figure)
    except (BenchError, SandboxError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted; every process of the benchmark has been stopped", err=True)
        raise typer.Exit(130) from interrupt
    if not all(run["valid"] for run in document["runs"]):
        raise typer.Exit(1)


def _measure(settings: dict[str, Any], json: Path | None, figure: Path | None) -> dict[str, Any]:
    if settings["workload"] not in SHAPES:
        raise BenchError(f"--workload {settings['workload']} is unknown; choose from {', '.join(SHAPES)}.")
    _check_output("--json", json)
    _check_output("--figure", figure)
    if figure is not None:
        require_matplotlib()
    series = Series(
        contenders=(Hydatis(), KubeScheduler()),
        nodes=_once("--nodes", settings["nodes"]),
        modes=[mode_named(name) for name in _once("--mode", settings["modes"])],
        pods=settings["pods"],
        repeats=settings["repeat"],
        workload=settings["workload"],
        seed=settings["seed"],
        deadline_seconds=settings["deadline_seconds"],
    )
    series.check()
    provide(PROGRAMS, typer.echo)
    facts = machine()
    started = time.monotonic()
    runs = run_series(series, typer.echo)
    document = report(settings, facts, versions(_program_versions()), runs)
    document["seconds"] = round(time.monotonic() - started, 1)
    if json is not None:
        write_json(document, json)
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH, color_system=None)
    print_table(document, console)
    if figure is not None:
        draw(document, figure)
    return document


def _program_versions() -> list[tuple[str, str]]:
    return [(str(program), found.version) for program in PROGRAMS if (found := locate(program)) is not None]


def _check_output(option: str, path: Path | None) -> None:
    """Find out before a long run that its result could not be written."""
    if path is None:
        return
    if path.is_dir():
        raise BenchError(f"{option} {path} is a folder; name a file.")
    if not path.absolute().parent.is_dir():
        raise BenchError(f"{option} {path}: the folder {path.absolute().parent} does not exist; create it first.")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise BenchError(f"{option} {path} cannot be written; choose another place.")


def _once(option: str, values: list[Value]) -> list[Value]:
    for value in values:
        if values.count(value) > 1:
            raise BenchError(f"{option} {value} is given more than once; give each value once.")
    return values


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
