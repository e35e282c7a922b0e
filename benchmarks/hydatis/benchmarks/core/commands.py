"""`hydatis bench core`: the command line."""

from pathlib import Path
from typing import Annotated

import typer

from hydatis.benchmarks.errors import BenchError


def core(
    *,
    nodes: Annotated[int, typer.Option(min=20, max=50000, help="Nodes of the cluster.")] = 5000,
    pods: Annotated[int, typer.Option(min=1, max=500000, help="Running pods, of every shape in equal parts.")] = 30000,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            help='Measure only this shape of pods, as in the table ("hard spread"); repeatable; all if left out.'
        ),
    ] = None,
    kinds: Annotated[
        int, typer.Option(min=1, max=200, help="Kinds of pods of each shape: first decisions measured.")
    ] = 20,
    likes: Annotated[
        int, typer.Option(min=1, max=10000, help="Like pods decided about after each first one, twice.")
    ] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the scene and of tie-breaks.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write all numbers to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the table to this file as Markdown.")] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the parts of a like pod's decision (.png, .svg, .pdf).")
    ] = None,
) -> None:
    """Measure what a decision costs in the decision core alone, and in which plugin. Needs no cluster.

    Example: hydatis bench core --nodes 5000 --pods 30000 --json core.json --figure core.png
    """
    from hydatis.benchmarks.core import reporting, scene, shapes, timing
    from hydatis.benchmarks.figures import require_matplotlib
    from hydatis.benchmarks.machine import machine, versions
    from hydatis.benchmarks.outputs import check_output, deliver, document_of, once

    try:
        for option, path in (("--json", json), ("--markdown", markdown), ("--figure", figure)):
            check_output(option, path)
        if figure is not None:
            require_matplotlib()
        chosen = [shapes.shape_named(name) for name in once("--shape", shape or list(shapes.SHAPES))]
        facts = machine()
        typer.echo(f"placing {pods} running pods on {nodes} nodes")
        built = scene.build(nodes, pods, kinds, seed)
        typer.echo(f"    {pods / built.seconds:.0f} decisions a second")
        results = timing.measure(built, chosen, kinds=kinds, likes=likes, progress=typer.echo)
        settings = {"nodes": nodes, "pods": pods, "kinds": kinds, "likes": likes, "seed": seed}
        document = document_of(settings, facts, versions(()), reporting.DEFINITIONS, results)
        deliver(document, reporting, json=json, markdown=markdown)
        if figure is not None:
            reporting.draw(document, figure)
    except BenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
