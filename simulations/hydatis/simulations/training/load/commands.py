"""`hydatis train load`."""

from pathlib import Path
from typing import Annotated

import typer

from hydatis.simulations.training.sentences import ending_in_a_sentence


def load(
    *,
    runs: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=1000, help="Days to play in a round; repeat it for more rounds. Default two rounds of 40."
        ),
    ] = None,
    scenario: Annotated[str, typer.Option(help="What is played, as of hydatis simulate.")] = "study",
    assume: Annotated[
        list[str] | None, typer.Option(help="Change an assumption of the scenario, NAME=VALUE; can be repeated.")
    ] = None,
    questions: Annotated[
        int, typer.Option(min=1, max=100_000, help="About how many decisions a day to ask about.")
    ] = 900,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")] = 1,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes on this machine; default one a core.")
    ] = None,
    dask_scheduler: Annotated[
        str | None, typer.Option(help="Play on the workers of this Dask scheduler instead, such as tcp://host:8786.")
    ] = None,
    onnx: Annotated[Path, typer.Option(help="Write the model to this file.")] = Path("load.onnx"),
    register: Annotated[
        bool,
        typer.Option(
            help="Track the training in MLflow and register the model as a version of hydatis-load: in the store that "
            "MLFLOW_TRACKING_URI names, else in mlflow.db of the working folder."
        ),
    ] = False,
) -> None:
    """Fit the load model: what a pod adds to a node's overload while it runs there.

    Plays days of the training part of the traces in the folder HYDATIS_DATA (made up without it), asks at a part of
    the decisions what one more such pod would have added to each node, and fits LightGBM to the answers. In the second
    round the model itself places the pods. How good it is, `hydatis evaluate` says.

    Example: HYDATIS_DATA=~/traces hydatis train load --seed 1 --onnx load.onnx
    """
    from datetime import UTC, datetime

    from hydatis.simulations.training.outputs import check_writable

    with ending_in_a_sentence("hydatis train load", "models"):
        import lightgbm  # noqa: F401
        import onnxmltools  # noqa: F401

        from hydatis.simulations.sweeps.data_version import data_version
        from hydatis.simulations.sweeps.plan import parse_changes
        from hydatis.simulations.sweeps.where import runs_made
        from hydatis.simulations.training.load.handing_over import trained_load
        from hydatis.simulations.training.load.rounds import Plan, train_load

        if register:
            from hydatis.simulations.training.tracking import opening, registering
        check_writable("--onnx", onnx)
        if register:
            opening.check_store()
        started = datetime.now(UTC)
        assumptions = parse_changes(assume or ())
        plan = Plan(scenario=scenario, runs=tuple(runs or (40, 40)), questions=questions, assumptions=assumptions)
        where = runs_made(jobs, dask_scheduler, max(plan.runs))
        trained = train_load(plan, seed, where, told=lambda line: typer.echo(line, err=True))
        onnx.write_bytes(trained.onnx)
        typer.echo(f"wrote {onnx}: {len(trained.onnx)} bytes, fitted to {trained.rows} rows", err=True)
        if register:
            handed = trained_load(trained, plan, seed, recorded=bool(data_version()), started=started)
            typer.echo(str(registering.register(handed)))
