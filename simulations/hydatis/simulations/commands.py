"""`hydatis simulate`: placement policies compared in virtual time."""

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer

_PLAIN_WIDTH = 120


def simulate(
    *,
    scenario: Annotated[str, typer.Option(help="What is simulated: fgd-static.")] = "fgd-static",
    policies: Annotated[
        str | None, typer.Option(help="Policies to compare, separated by commas; all if left out.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Runs of each policy, with seeds 1, 2, ...")] = 10,
    pod_list: Annotated[
        str | None,
        typer.Option(help="Pod list of openb, such as multigpu20, or synthetic; default the first list that is whole."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write results, runs and configuration to this file.")] = None,
) -> None:
    """Compare placement policies: what each reaches, with 95 % intervals over the seeds.

    fgd-static packs pods on the GPU nodes of the openb trace (in the folder HYDATIS_DATA; made up without it) until
    130 % of their GPUs have been asked for, as the FGD paper did, and tells how much is allocated.

    Example: hydatis simulate --scenario fgd-static --policies BestFit,FGD --seeds 10 --json out.json
    """
    from hydatis.simulations.baselines.policies import SHARING_GPUS
    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.static_packing import scenario as static
    from hydatis.simulations.traces.errors import TraceError

    try:
        _check(scenario, json)
        names = [name.strip() for name in policies.split(",")] if policies else list(SHARING_GPUS)
        workload = static.load(pod_list)
        typer.echo(f"{len(workload.pods):,} pods of {workload.name}, {len(workload.nodes):,} nodes", err=True)
        report = static.run(workload, names, range(1, seeds + 1), lambda text: typer.echo(text, err=True))
        if json is not None:
            json.write_text(json_format.dumps(report, indent=1) + "\n")
    except (SimulationError, TraceError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    _print(report)


def _check(scenario: str, path: Path | None) -> None:
    """Find out before a long run that it has no scenario, or that its result could not be written."""
    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.static_packing import scenario as static

    if scenario != static.NAME:
        raise SimulationError(f"--scenario {scenario} is unknown; choose from {static.NAME}.")
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise SimulationError(f"--json {path} cannot be written; name a file in a folder that exists.")


def _print(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("policy", "GPUs allocated", "95 % interval", "published", "CPU", "dropped pods", "decisions/s")
    for policy, measures in report["policies"].items():
        gpu = measures["gpu_allocation_percent"]
        published = report["published"].get(policy, {}).get("gpu_allocation_percent")
        table.add_row(
            policy,
            f"{gpu['mean']:.2f} %",
            f"{gpu['low']:.2f} - {gpu['high']:.2f}",
            "-" if published is None else f"{published:.2f} ({gpu['mean'] - published:+.2f})",
            f"{measures['cpu_allocation_percent']['mean']:.1f} %",
            f"{measures['dropped']['mean']:.0f}",
            f"{report['speed'][policy]['decisions_a_second']:,}",
        )
    console = Console()
    # A pipe has no width of its own, and a table cut to 80 columns loses its numbers.
    (console if console.is_terminal else Console(width=_PLAIN_WIDTH, color_system=None)).print(table)
