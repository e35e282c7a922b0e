"""`hydatis bench simulations`: the command line."""

from pathlib import Path
from typing import Annotated

import typer

from hydatis.benchmarks.errors import BenchError

_SCENARIOS = ("fgd-static", "six", "study", "day")
_POLICIES = ("KubeScheduler", "FGD")


def simulations(
    *,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help=f"fgd-static, or a scenario in virtual time, such as study-overloaded-faults or large; repeatable. "
            f"If left out: {', '.join(_SCENARIOS)}."
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(help=f"Policy, as in `hydatis simulate`; repeatable. If left out: {', '.join(_POLICIES)}."),
    ] = None,
    hours: Annotated[
        float | None, typer.Option(min=0.1, help="Cut runs in virtual time short after so many virtual hours.")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="Runs of each; the fastest counts.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of workloads and runs.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write all numbers to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the table to this file as Markdown.")] = None,
) -> None:
    """Measure what simulations cost on one core: seconds a run, decisions a second, by policy and cluster size.

    Workloads come from the traces where HYDATIS_DATA names them, else from the generator.

    Example: hydatis bench simulations --scenario day --policy KubeScheduler --json simulations.json
    """
    from hydatis.benchmarks.machine import machine, versions
    from hydatis.benchmarks.outputs import check_output, deliver, document_of, once
    from hydatis.benchmarks.simulations import reporting, timing

    try:
        for option, path in (("--json", json), ("--markdown", markdown)):
            check_output(option, path)
        wanted = timing.Wanted(
            scenarios=once("--scenario", scenario or list(_SCENARIOS)),
            policies=once("--policy", policy or list(_POLICIES)),
            hours=hours,
            repeats=repeat,
            seed=seed,
        )
        wanted.check()
        facts = machine()
        results = timing.measure(wanted, typer.echo)
        settings = {
            "scenarios": list(wanted.scenarios),
            "policies": list(wanted.policies),
            "hours": hours,
            "repeat": repeat,
            "seed": seed,
        }
        document = document_of(settings, facts, versions(()), reporting.DEFINITIONS, results)
        deliver(document, reporting, json=json, markdown=markdown)
    except BenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
