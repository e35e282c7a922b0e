"""`hydatis simulate`: placement policies compared in virtual time."""

import json as json_format
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hydatis.simulations.reporting.study import Study
    from hydatis.simulations.sweeps.plan import Plan


@dataclass(frozen=True, slots=True)
class _Options:
    """As on the command line; None or empty where an option is left out."""

    scenario: str
    policies: str | None
    seeds: int
    first_seed: int
    reference: str | None
    assume: tuple[str, ...]
    pod_list: str | None
    jobs: int | None
    dask_scheduler: str | None
    keep: Path | None
    json: Path | None
    html: Path | None


def simulate(
    *,
    scenario: Annotated[
        str,
        typer.Option(
            help="What is simulated: fgd-static, or scenarios in time, separated by commas: SIZE[-LOAD][-faults] of "
            "the sizes six, study, day, large and the loads light, full, overloaded."
        ),
    ] = "fgd-static",
    policies: Annotated[
        str | None, typer.Option(help="Policies to compare, separated by commas; all if left out.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Runs of each policy, each with a seed of its own.")] = 10,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of the seeds.")] = 1,
    reference: Annotated[
        str | None,
        typer.Option(help="Policy that the others are compared with; default KubeScheduler, or else the first."),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            help="Change an assumption of the scenarios, NAME=VALUE, or sweep over NAME=VALUE,VALUE; can be repeated."
        ),
    ] = None,
    pod_list: Annotated[
        str | None,
        typer.Option(
            help="For fgd-static: pod list of openb, such as multigpu20, or synthetic; default the first that is whole."
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Processes on this machine; default one a core, and one for a single run."),
    ] = None,
    dask_scheduler: Annotated[
        str | None, typer.Option(help="Run on the workers of this Dask scheduler instead, such as tcp://host:8786.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep each run in this folder, and take those that are there already.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write results, runs and configuration to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with figures to this file.")] = None,
) -> None:
    """Compare placement policies: what each reaches, with 95 % intervals over the seeds.

    fgd-static packs pods on the GPU nodes of the openb trace (in the folder HYDATIS_DATA; made up without it) until
    130 % of their GPUs have been asked for, as the FGD paper did, and tells how much is allocated.

    The other scenarios play a cluster in time: pods come, use what they use and end. With the same seed all policies
    get the same pods and faults. Ctrl-C ends with the runs that are done; with --keep the next call goes on from there.

    Example: hydatis simulate --scenario fgd-static --policies BestFit,FGD --seeds 10 --json out.json

    Example: hydatis simulate --scenario six-full --seeds 10 --keep runs --html report.html
    """
    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.static_packing import scenario as static
    from hydatis.simulations.traces.errors import TraceError

    options = _Options(
        scenario,
        policies,
        seeds,
        first_seed,
        reference,
        tuple(assume or ()),
        pod_list,
        jobs,
        dask_scheduler,
        keep,
        json,
        html,
    )
    with _terminating_as_interrupt():
        try:
            _check_outputs(options)
            if scenario == static.NAME:
                _pack(options)
            else:
                _sweep(options)
        except (SimulationError, TraceError, OSError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as interrupt:
            typer.echo("error: interrupted", err=True)
            raise typer.Exit(130) from interrupt


def _check_outputs(options: _Options) -> None:
    """Find out before a long run that its results could not be written."""
    from hydatis.simulations.errors import SimulationError

    for option, path in (("--json", options.json), ("--html", options.html)):
        if path is None:
            continue
        folder = path.absolute().parent
        if path.is_dir() or not folder.is_dir():
            raise SimulationError(f"{option} {path} cannot be written; name a file in a folder that exists.")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise SimulationError(f"{option} {path} cannot be written; choose another place.")


def _pack(options: _Options) -> None:
    """Run the calibration."""
    from hydatis.simulations.baselines.policies import SHARING_GPUS
    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.static_packing import scenario as static
    from hydatis.simulations.static_packing.reporting import print_packing

    for option, given in (
        ("--html", options.html),
        ("--keep", options.keep),
        ("--jobs", options.jobs),
        ("--dask-scheduler", options.dask_scheduler),
        ("--assume", options.assume),
        ("--reference", options.reference),
    ):
        if given:
            raise SimulationError(f"{option} is for scenarios in time, not for {static.NAME}; leave it out.")
    names = [name.strip() for name in options.policies.split(",")] if options.policies else list(SHARING_GPUS)
    workload = static.load(options.pod_list)
    typer.echo(f"{len(workload.pods):,} pods of {workload.name}, {len(workload.nodes):,} nodes", err=True)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    report = static.run(workload, names, seeds, lambda text: typer.echo(text, err=True))
    if options.json is not None:
        options.json.write_text(json_format.dumps(report, indent=1) + "\n")
    print_packing(report)


def _sweep(options: _Options) -> None:
    """Run scenarios in virtual time, and report what is there even after an interruption."""
    from hydatis.simulations.reporting.console import print_study, shown_progress
    from hydatis.simulations.reporting.studies import studies_of
    from hydatis.simulations.sweeps.kept_runs import KeptRuns
    from hydatis.simulations.sweeps.one_run import run_job
    from hydatis.simulations.sweeps.planning import jobs_of
    from hydatis.simulations.sweeps.running import sweep
    from hydatis.simulations.sweeps.where import runs_made

    plan = _plan(options)
    jobs = jobs_of(plan)
    run_many = runs_made(options.jobs, options.dask_scheduler, len(jobs))
    if options.html is not None:
        from hydatis.simulations.reporting.figures import require_matplotlib

        require_matplotlib()
    kept = KeptRuns(options.keep) if options.keep is not None else None
    with shown_progress(len(jobs)) as done:
        swept = sweep(jobs, run_job, run_many, kept, done)
    studies = studies_of(swept, options.reference)
    _write(options, studies)
    for study in studies:
        print_study(study)
    if swept.missing:
        raise KeyboardInterrupt


def _plan(options: _Options) -> "Plan":
    from hydatis.simulations.baselines.policies import POLICIES
    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.static_packing import scenario as static
    from hydatis.simulations.sweeps.plan import Plan, parse_assumptions, parse_policies

    if options.pod_list is not None:
        raise SimulationError(f"--pod-list is for {static.NAME} alone; leave it out.")
    scenarios = tuple(name.strip() for name in options.scenario.split(","))
    if static.NAME in scenarios:
        raise SimulationError(f"--scenario {static.NAME} cannot stand beside others; run it by itself.")
    policies = parse_policies(options.policies, tuple(POLICIES))
    if options.reference is not None and options.reference not in policies:
        raise SimulationError(f"--reference {options.reference} is not among the policies; add it to --policies.")
    seeds = tuple(range(options.first_seed, options.first_seed + options.seeds))
    return Plan(scenarios, policies, seeds, parse_assumptions(options.assume))


def _write(options: _Options, studies: "Sequence[Study]") -> None:
    """Write the files that were asked for; without any study there is nothing to write."""
    if not studies:
        return
    from hydatis.simulations.reporting.document import document_of
    from hydatis.simulations.reporting.page import page_of

    command = shlex.join(["hydatis", *sys.argv[1:]])
    if options.json is not None:
        options.json.write_text(json_format.dumps(document_of(studies, command), indent=1) + "\n")
    if options.html is not None:
        options.html.write_text(page_of(studies, command), encoding="utf-8")
        typer.echo(f"wrote {options.html}", err=True)


@contextmanager
def _terminating_as_interrupt() -> Iterator[None]:
    """Let a polite request to end (SIGTERM) do what Ctrl-C does, where signals can be handled."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
