"""`hydatis bench`: the command line of the benchmarks.

Without a subcommand it measures HYDATIS beside kube-scheduler, each with a cluster to itself; `core` measures the
decision core alone; `models` what models cost in a decision; `simulations` what simulations cost; `rivals` lets two
schedulers loose on the same nodes.
"""

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from hydatis.benchmarks.catalogue import NAMES, check_name
from hydatis.benchmarks.contenders import Hydatis, KubeScheduler
from hydatis.benchmarks.core.commands import core
from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.figures import draw, require_matplotlib
from hydatis.benchmarks.machine import machine, program_versions, versions
from hydatis.benchmarks.models.commands import models
from hydatis.benchmarks.modes import MODES, mode_named
from hydatis.benchmarks.outputs import check_output, once, plain_console, write_json
from hydatis.benchmarks.reporting import print_table, report, write_markdown
from hydatis.benchmarks.rivals.commands import rivals
from hydatis.benchmarks.scheduler_perf import DEFINITIONS
from hydatis.benchmarks.series import Series, run_series
from hydatis.benchmarks.simulations.commands import simulations
from hydatis.benchmarks.workload import SHAPES
from hydatis.sandbox.building import provide
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.go_module import Program

_MODE_NAMES = [mode.name for mode in MODES]
PROGRAMS = (Program.ETCD, Program.APISERVER, Program.SCHEDULER, Program.HELM)
"""What a benchmark runs: built, if need be, before the first clock starts."""

bench = typer.Typer(invoke_without_command=True)
bench.command("core")(core)
bench.command("models")(models)
bench.command("rivals")(rivals)
bench.command("simulations")(simulations)


@bench.callback()
def side_by_side(
    context: typer.Context,
    *,
    nodes: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=20000,
            help="Nodes of the cluster; repeatable. If left out: 100, 1000 and 5000, or 500 for scheduler_perf's.",
        ),
    ] = None,
    pods: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100000,
            help="Measured pods of a run; paced modes take at most 30 s worth of them. "
            "If left out: 2000, or as many as scheduler_perf has at that size.",
        ),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="Runs of each scheduler in each mode.")] = 3,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            help=f"One of {', '.join(_MODE_NAMES)}; repeatable. If left out: all, or burst for scheduler_perf's."
        ),
    ] = None,
    workload: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{' or '.join(SHAPES)} (several shapes and node affinity), or one of scheduler_perf's: "
            f"{', '.join(DEFINITIONS)}; repeatable. If left out: uniform."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the workload.")] = 1,
    deadline: Annotated[
        float, typer.Option(min=1, max=3600, help="Seconds a run may take until every pod is bound.")
    ] = 180.0,
    json: Annotated[Path | None, typer.Option(help="Write results, runs and machine facts to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the main numbers to this file as Markdown.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw the results into this file (.png, .svg, .pdf).")] = None,
) -> None:
    """Measure HYDATIS and the real kube-scheduler side by side on this machine.

    Every run has a control plane of its own on loopback; the schedulers take turns.
    Exits with 1 when a run was not valid: a pod left pending, a node overcommitted, a scheduler that died.

    Example: hydatis bench --nodes 1000 --nodes 5000 --pods 2000 --repeat 3 --json bench.json

    Example: hydatis bench --workload SchedulingPodAffinity --workload TopologySpreading --nodes 500 --nodes 1000
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    signal.signal(signal.SIGTERM, _terminated)
    try:
        for option, path in (("--json", json), ("--markdown", markdown), ("--figure", figure)):
            check_output(option, path)
        if figure is not None:
            require_matplotlib()
        series = Series(
            contenders=(Hydatis(), KubeScheduler()),
            workloads=[check_name(name) for name in once("--workload", workload or [NAMES[0]])],
            nodes=nodes and once("--nodes", nodes),
            modes=mode and [mode_named(name).name for name in once("--mode", mode)],
            pods=pods,
            repeats=repeat,
            seed=seed,
            deadline_seconds=deadline,
        )
        series.check()
        document = _measure(series)
        _write(document, json, markdown, figure)
    except (BenchError, SandboxError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted; every process of the benchmark has been stopped", err=True)
        raise typer.Exit(130) from interrupt
    if not all(run["valid"] for run in document["runs"]):
        raise typer.Exit(1)


def _measure(series: Series) -> dict[str, Any]:
    provide(PROGRAMS, typer.echo)
    facts = machine()
    settings = {
        "workloads": series.workloads,
        "nodes": series.nodes,
        "modes": series.modes,
        "pods": series.pods,
        "repeat": series.repeats,
        "seed": series.seed,
        "deadline_seconds": series.deadline_seconds,
    }
    started = time.monotonic()
    runs = run_series(series, typer.echo)
    document = report(settings, facts, versions(program_versions(PROGRAMS)), runs)
    document["seconds"] = round(time.monotonic() - started, 1)
    return document


def _write(document: dict[str, Any], json: Path | None, markdown: Path | None, figure: Path | None) -> None:
    if json is not None:
        write_json(document, json)
    if markdown is not None:
        write_markdown(document, markdown)
    print_table(document, plain_console())
    if figure is not None:
        draw(document, figure)


def _refuse_options(context: typer.Context) -> None:
    """Tell of options before the subcommand, which would have no effect."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        typer.echo(
            f"error: --{given[0]} stands before {context.invoked_subcommand}, where it has no effect; "
            f"put the options of {context.invoked_subcommand} after it.",
            err=True,
        )
        raise typer.Exit(1)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
