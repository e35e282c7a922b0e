"""`hydatis train anomaly`."""

import json as json_format
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hydatis.simulations.training.sentences import ending_in_a_sentence


def anomaly(
    *,
    detector: Annotated[
        list[str] | None,
        typer.Option(
            help="Detector to fit, beside a plain Isolation Forest: iforest, principal, pca, knn, hbos, ecod, copod, "
            "combined, or all; can be repeated; default combined."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write the figures of every machine to this file.")] = None,
    onnx: Annotated[
        Path | None,
        typer.Option(
            help="Write the detector, fitted on the nodes of simulated clusters, to this file; not all can be."
        ),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help="Scenario of `hydatis simulate` on whose nodes that is fitted; can be repeated; default study-light, "
            "study-full and study-overloaded."
        ),
    ] = None,
    hours: Annotated[float | None, typer.Option(min=0, help="Hours of each, warm-up included; default 8.")] = None,
    register: Annotated[
        bool,
        typer.Option(
            help="Track the training in MLflow and register what --onnx writes as a version of hydatis-anomaly: in the "
            "store that MLFLOW_TRACKING_URI names, else in mlflow.db of the working folder."
        ),
    ] = False,
) -> None:
    """Fit detectors of anomalies on the machines of SMD and ASD, and measure them against the labels.

    Each is fitted on a machine's training part and judged on its test part, sample by sample. Every other machine is
    for tuning; the others, for validation, say how good it is. The traces are in the folder HYDATIS_DATA; without it
    machines are made up, with faults that are easy to find.

    Example: HYDATIS_DATA=~/traces hydatis train anomaly --detector combined --seed 1 --json anomaly.json
    """
    import os
    from datetime import UTC, datetime

    from hydatis.simulations.traces.folder import DataFolder

    with ending_in_a_sentence("hydatis train anomaly", "models"):
        from hydatis.simulations.training.anomaly.detectors import NAMES
        from hydatis.simulations.training.anomaly.evaluating import MachineResult, count_of_results, evaluate_anomaly
        from hydatis.simulations.training.anomaly.handing_over import nodes_text, trained_anomaly
        from hydatis.simulations.training.anomaly.reporting import print_evaluation
        from hydatis.simulations.training.anomaly.serving import check_served, served_onnx
        from hydatis.simulations.training.anomaly.simulated_nodes import HOURS, SCENARIOS

        if register:
            from hydatis.simulations.training.tracking import opening, registering

        there = 0

        def progress(result: MachineResult) -> None:
            nonlocal there
            there += 1
            reached = f"AUC-PR {result.figures.auc_pr:.3f}"
            typer.echo(f"{there}/{total} {result.machine} {result.detector}: {reached}", err=True)

        scenarios, length = scenario or SCENARIOS, hours or HOURS
        names = NAMES if detector == ["all"] else tuple(detector or ("combined",))
        started = datetime.now(UTC)
        _check(json, onnx, names, register=register)
        # Before the long part: whether it can be exported, and registered, at all.
        exported = b""
        serves = onnx is not None or register
        if serves:
            check_served(names[0])
        if register:
            opening.check_store()
        if serves:
            typer.echo("simulating clusters to fit on their nodes", err=True)
            exported = served_onnx(names[0], seed, os.environ, scenarios=scenarios, hours=length)
        folder = DataFolder.if_named()
        total = count_of_results(folder, names)
        evaluation = evaluate_anomaly(folder, names, seed, done=progress)
        if json is not None:
            json.write_text(json_format.dumps(evaluation.document(), indent=1) + "\n")
        if onnx is not None:
            onnx.write_bytes(exported)
        if register:
            trained = trained_anomaly(
                exported,
                evaluation,
                detector=names[0],
                nodes=nodes_text(scenarios, length),
                recorded=folder is not None,
                started=started,
            )
            typer.echo(registering.register(trained), err=True)
    print_evaluation(evaluation)


def _check(json: Path | None, onnx: Path | None, names: Sequence[str], *, register: bool) -> None:
    """Find out before the long part what would fail after it."""
    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.training.outputs import check_writable

    for option, path in (("--json", json), ("--onnx", onnx)):
        check_writable(option, path)
    for option, asked in (("--onnx", onnx is not None), ("--register", register)):
        if asked and len(names) != 1:
            raise SimulationError(f"{option} takes one detector; name it with --detector.")
