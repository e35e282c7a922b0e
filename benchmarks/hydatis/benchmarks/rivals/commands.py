"""`hydatis bench rivals`: the command line."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hydatis.benchmarks.errors import BenchError
from hydatis.sandbox.errors import SandboxError


def rivals(
    *,
    nodes: Annotated[int, typer.Option(min=1, max=5000, help="Nodes that both schedulers bind to.")] = 100,
    slots: Annotated[int, typer.Option(min=1, max=100, help="Pods that each node holds.")] = 6,
    extra: Annotated[int, typer.Option(min=0, max=10000, help="Pods beyond what the nodes hold.")] = 60,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="Contests of each pair of schedulers.")] = 5,
    deadline: Annotated[
        float, typer.Option(min=1, max=3600, help="Seconds until a contest has to be settled.")
    ] = 180.0,
    json: Annotated[Path | None, typer.Option(help="Write every contest to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the table to this file as Markdown.")] = None,
) -> None:
    """Let two schedulers fill the same nodes, and count what goes wrong.

    HYDATIS beside kube-scheduler takes turns with two kube-schedulers beside each other, on one control plane.
    Exits with 1 when a contest did not settle, a pod was lost or bound twice.

    Example: hydatis bench rivals --nodes 100 --repeat 5 --json rivals.json
    """
    from hydatis.benchmarks.machine import machine, program_versions, versions
    from hydatis.benchmarks.outputs import check_output, plain_console, write_json
    from hydatis.benchmarks.rivals.reporting import print_table, report, write_markdown
    from hydatis.benchmarks.rivals.running import Settings, run_contests
    from hydatis.sandbox.building import provide
    from hydatis.sandbox.faults.scene import Shape
    from hydatis.sandbox.go_module import Program

    programs = (Program.ETCD, Program.APISERVER, Program.CONTROLLER_MANAGER, Program.SCHEDULER, Program.HELM)
    try:
        for option, path in (("--json", json), ("--markdown", markdown)):
            check_output(option, path)
        provide(programs, typer.echo)
        facts = machine()
        settings = Settings(Shape(nodes, slots), extra, repeat, deadline)
        with tempfile.TemporaryDirectory(prefix="hydatis-rivals-") as folder:
            contests = run_contests(settings, Path(folder), typer.echo)
        said = {"nodes": nodes, "slots": slots, "extra": extra, "repeat": repeat}
        document = report(said, facts, versions(program_versions(programs)), contests)
        if json is not None:
            write_json(document, json)
        if markdown is not None:
            write_markdown(document, markdown)
        print_table(document, plain_console())
    except (BenchError, SandboxError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted; every process of the benchmark has been stopped", err=True)
        raise typer.Exit(130) from interrupt
    if any(one["problem"] or one["lost"] or one["bound_twice"] for one in contests):
        raise typer.Exit(1)
