"""`hydatis train forecast`."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from hydatis.simulations.training.sentences import ending_in_a_sentence


def forecast(
    *,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")] = 1,
    others: Annotated[
        Path | None,
        typer.Option(help="Folder of the same layout: learn from all machines of HYDATIS_DATA, and measure on its."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures of every machine to this file.")] = None,
    onnx: Annotated[
        Path | None,
        typer.Option(help="Write forecasters, fitted on all machines, to forecast-MINUTES.onnx in this folder."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw forecasts of some machines into this file (.png, .svg, .pdf).")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Trees of each model; default 500.")] = None,
) -> None:
    """Fit forecasts of machines' CPU use over the next 5, 15 and 60 minutes, and measure them.

    Each machine is forecast, in the last third of its time, by what was learnt from the first two thirds of others.
    The traces (Bitbrains) are in the folder HYDATIS_DATA; without it machines are made up.

    Example: HYDATIS_DATA=~/traces hydatis train forecast --seed 1 --json forecast.json --figure forecast.png
    """
    from hydatis.simulations.traces.folder import DATA_VARIABLE, DataFolder

    with ending_in_a_sentence("hydatis train forecast", "models", ValueError):
        from hydatis.simulations.training.forecasting.evaluating import (
            HORIZONS,
            count_of_steps,
            evaluate_forecasts,
            minutes_of,
        )
        from hydatis.simulations.training.forecasting.figures import days_to_show, draw_figure, require_matplotlib
        from hydatis.simulations.training.forecasting.forecaster import ROUNDS
        from hydatis.simulations.training.forecasting.reporting import print_evaluation
        from hydatis.simulations.training.forecasting.series import read_series
        from hydatis.simulations.training.forecasting.serving import served_onnx

        there, trees = 0, rounds or ROUNDS

        def progress(step: str) -> None:
            nonlocal there
            there += 1
            typer.echo(f"{there}/{total} {step}", err=True)

        _check(json, figure, onnx)
        if figure is not None:
            require_matplotlib()
        folder = DataFolder.if_named()
        strange = None if others is None else DataFolder.from_environment({DATA_VARIABLE: str(others)})
        total = count_of_steps(others=strange is not None)
        total += (0 if onnx is None else len(HORIZONS)) + (0 if figure is None else 1)
        evaluation = evaluate_forecasts(folder, seed, others=strange, rounds=trees, done=progress)
        if json is not None:
            json.write_text(json_format.dumps(evaluation.document(), indent=1) + "\n")
        machines = read_series(folder, seed) if onnx is not None or figure is not None else []
        for horizon in HORIZONS if onnx is not None else ():
            path = Path(onnx or "") / f"forecast-{minutes_of(horizon)}.onnx"
            path.write_bytes(served_onnx(machines, horizon, seed, trees))
            progress(path.name)
        if figure is not None:
            draw_figure(evaluation, days_to_show(machines, HORIZONS[-1], seed, trees), figure)
            progress(figure.name)
    print_evaluation(evaluation)


def _check(json: Path | None, figure: Path | None, onnx: Path | None) -> None:
    """Find out before the long part what would fail after it."""
    import os

    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.training.outputs import check_writable

    for option, path in (("--json", json), ("--figure", figure)):
        check_writable(option, path)
    if onnx is not None and not (onnx.is_dir() and os.access(onnx, os.W_OK)):
        raise SimulationError(f"--onnx {onnx} is no folder that can be written to; make it first.")
