"""`hydatis bench models`: the command line."""

from pathlib import Path
from typing import Annotated

import typer

from hydatis.benchmarks.errors import BenchError


def models(
    *,
    load: Annotated[
        Path | None, typer.Option(help="Load model: an ONNX file, or the YAML of an MLModel that holds one.")
    ] = None,
    placement: Annotated[Path | None, typer.Option(help="Placement model, likewise.")] = None,
    anomaly: Annotated[Path | None, typer.Option(help="Anomaly model, likewise.")] = None,
    nodes: Annotated[int, typer.Option(min=1, max=50000, help="Nodes of the cluster.")] = 5000,
    repeat: Annotated[int, typer.Option(min=1, max=10000, help="How often each thing is measured.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the cluster.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write all numbers, every sample among them, to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the table to this file as Markdown.")] = None,
) -> None:
    """Measure what models cost in a decision: features, each model, a first decision and the next like pod.

    Without a model the closed form alone is in the ensemble. Needs no cluster.

    Example: hydatis bench models --load load.onnx --nodes 5000 --json models.json
    """
    from hydatis.benchmarks.machine import machine, versions
    from hydatis.benchmarks.models import reporting, timing
    from hydatis.benchmarks.models.reading import read_model
    from hydatis.benchmarks.outputs import check_output, deliver, document_of
    from hydatis.scheduler.models.kind import ModelKind

    try:
        for option, path in (("--json", json), ("--markdown", markdown)):
            check_output(option, path)
        given = {
            ModelKind.LOAD: ("--load", load),
            ModelKind.PLACEMENT: ("--placement", placement),
            ModelKind.ANOMALY: ("--anomaly", anomaly),
        }
        loaded = {kind: read_model(path, kind, option) for kind, (option, path) in given.items() if path is not None}
        facts = machine()
        results = timing.measure_latency(loaded, nodes=nodes, repeats=repeat, seed=seed, tell=typer.echo)
        settings = {
            "models": {kind.value: model.digest for kind, model in loaded.items()},
            "nodes": nodes,
            "repeat": repeat,
            "seed": seed,
        }
        document = document_of(settings, facts, versions(()), reporting.DEFINITIONS, results)
        deliver(document, reporting, json=json, markdown=markdown)
    except BenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
