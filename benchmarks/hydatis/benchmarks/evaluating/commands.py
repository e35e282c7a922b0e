"""`hydatis evaluate`: the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    *,
    section: Annotated[
        list[str] | None,
        typer.Option(help="Part to measure: placement, load, anomaly, agent or latency; can be repeated; default all."),
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option(help="Folder with the manifests of a policy and its models; default those that ship."),
    ] = None,
    scenario: Annotated[str, typer.Option(help="What is played, as of hydatis simulate.")] = "study",
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Runs of each policy, each with a seed of its own.")] = 20,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of the seeds.")] = 1,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes on this machine; default one a core.")
    ] = None,
    dask_scheduler: Annotated[
        str | None, typer.Option(help="Play on the workers of this Dask scheduler instead, such as tcp://host:8786.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep each run in this folder, and take those that are there already.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write every figure to this file.")] = None,
) -> None:
    """Measure the models: how well the ensemble places pods, how good each model is, and what they cost.

    On the traces in the folder HYDATIS_DATA, the part that nothing was trained on; without it workloads and machines
    are made up. A run of study takes 10 to 20 s, and there are some 300 of 20 seeds; --keep lets an interrupted
    evaluation go on.

    Example: HYDATIS_DATA=~/traces hydatis evaluate --section placement --seeds 20 --json evaluation.json
    """
    from hydatis.benchmarks.errors import BenchError
    from hydatis.benchmarks.outputs import check_output, plain_console, write_json
    from hydatis.sandbox.bundled import default_models
    from hydatis.sandbox.errors import SandboxError
    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.traces.errors import TraceError

    try:
        from hydatis.benchmarks.evaluating.reporting import print_placement
        from hydatis.benchmarks.evaluating.sections import SECTIONS, Asked, check_sections
        from hydatis.benchmarks.evaluating.shipped import read_shipped
        from hydatis.simulations.sweeps.kept_runs import KeptRuns
        from hydatis.simulations.sweeps.where import runs_made

        check_output("--json", json)
        names = tuple(dict.fromkeys(section or SECTIONS))
        check_sections(names)
        ensemble = read_shipped(models or default_models())
        chosen = range(first_seed, first_seed + seeds)
        run_many = runs_made(jobs, dask_scheduler, seeds)
        kept = KeptRuns(keep) if keep is not None else None
        asked = Asked(ensemble, scenario, chosen, run_many, kept, lambda line: typer.echo(line, err=True))
        document: dict[str, Mapping[str, object]] = {}
        for name in names:
            typer.echo(f"measuring {name}", err=True)
            document[name] = SECTIONS[name](asked)
            if json is not None:
                # After each part, so that an interruption leaves those that are done.
                write_json(document, json)
    except ModuleNotFoundError as missing:
        typer.echo(
            f"error: hydatis evaluate needs the Python package {missing.name}: pip install 'hydatis[training]'",
            err=True,
        )
        raise typer.Exit(1) from missing
    except (BenchError, SandboxError, SimulationError, TraceError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted", err=True)
        raise typer.Exit(130) from interrupt
    if "placement" in document:
        print_placement(document["placement"], plain_console())
