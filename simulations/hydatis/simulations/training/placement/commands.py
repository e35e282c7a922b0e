"""`hydatis train placement`."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from hydatis.simulations.training.sentences import ending_in_a_sentence

_STARTS = ("closed-form", "nothing")


def placement(
    *,
    seed: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Seed of an agent and its workloads; can be repeated, an agent each; default 1."),
    ] = None,
    steps: Annotated[int, typer.Option(min=128, help="Decisions of each agent's training.")] = 40_000,
    start: Annotated[
        str,
        typer.Option(help="What an agent begins with: closed-form, the judgement of ExpectedOverload, or nothing."),
    ] = "closed-form",
    scenario: Annotated[str, typer.Option(help="Scenario to learn in and to be judged in.")] = "study",
    runs: Annotated[
        int, typer.Option(min=0, help="Runs of the validation part by which agents are judged; 0 leaves that out.")
    ] = 10,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            help="Cluster to be judged on: 'as in training', 'four times the nodes' or 'other shapes'; can be "
            "repeated; default the first."
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures of every run to this file.")] = None,
    onnx: Annotated[Path | None, typer.Option(help="Write the agent to this file, as it is served.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw the learning curves into this file.")] = None,
    register: Annotated[
        bool,
        typer.Option(
            help="Track the training in MLflow and register the agent as a version of hydatis-placement: in the store "
            "that MLFLOW_TRACKING_URI names, else in mlflow.db of the working folder."
        ),
    ] = False,
) -> None:
    """Train agents that place pods, in the environment Hydatis/Placement-v0, and measure them in the simulator.

    They learn on the training part of the traces, and are judged as the served model on the validation part, beside
    heuristics and the closed form. The traces are in the folder HYDATIS_DATA; without it workloads are made up. A
    decision takes some 10 ms, a run of study some 10 s.

    Example: HYDATIS_DATA=~/traces hydatis train placement --seed 1 --onnx placement.onnx --json placement.json
    """
    from datetime import UTC, datetime

    from hydatis.simulations.sweeps.data_version import data_version

    with ending_in_a_sentence("hydatis train placement", "training"):
        from hydatis.simulations.training.placement.evaluating import document_of, results_of
        from hydatis.simulations.training.placement.handing_over import trained_placement
        from hydatis.simulations.training.placement.learning import Lesson
        from hydatis.simulations.training.placement.reporting import draw_curves, print_results
        from hydatis.simulations.training.placement.session import Session

        if register:
            from hydatis.simulations.training.tracking import opening, registering

        def told(text: str) -> None:
            typer.echo(text, err=True)

        seeds = tuple(dict.fromkeys(seed or [1]))
        _check(json, onnx, figure, len(seeds), start, register=register)
        if register:
            opening.check_store()
        started = datetime.now(UTC)
        lesson = Lesson(scenario=scenario, steps=steps, from_closed_form=start == _STARTS[0])
        session = Session(lesson, seeds, tuple(setting or ("as in training",)), told)
        session.train(curves=figure is not None)
        if onnx is not None:
            onnx.write_bytes(session.model_of(seeds[0]))
        if figure is not None:
            draw_curves(*session.curves(), figure)
        played = session.judge(runs)
        results = results_of(played)
        if json is not None:
            json.write_text(json_format.dumps(document_of(results, played), indent=1) + "\n")
        if register:
            trained = trained_placement(
                session.model_of(seeds[0]),
                lesson,
                seeds[0],
                results,
                recorded=bool(data_version()),
                started=started,
                figures={figure.name: figure.read_bytes()} if figure is not None else {},
            )
            typer.echo(registering.register(trained), err=True)
    if results:
        print_results(results)


def _check(
    json: Path | None, onnx: Path | None, figure: Path | None, agents: int, start: str, *, register: bool
) -> None:
    """Find out before the long part what would fail after it."""
    import importlib.util

    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.training.outputs import check_writable

    if start not in _STARTS:
        raise SimulationError(f"--start {start} is unknown; choose from {', '.join(_STARTS)}.")
    for option, path in (("--json", json), ("--onnx", onnx), ("--figure", figure)):
        check_writable(option, path)
    if agents != 1:
        for option, given in (("--onnx", onnx is not None), ("--register", register)):
            if given:
                raise SimulationError(f"{option} takes one agent; give one --seed.")
    if figure is not None and importlib.util.find_spec("matplotlib") is None:
        raise SimulationError("--figure needs matplotlib; install it with: pip install 'hydatis[figures]'.")
