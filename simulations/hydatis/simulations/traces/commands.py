"""`hydatis traces`: where to get the recorded traces, and whether those at hand are sound."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hydatis.simulations.traces.sources import Source

traces = typer.Typer(
    help="Get and check the recorded traces that simulations can use; HYDATIS ships none of them.",
    no_args_is_help=True,
)


@traces.command("list")
def list_sources(
    *, json: Annotated[bool, typer.Option("--json", help="Print everything about each as JSON.")] = False
) -> None:
    """Name every trace, what it holds, and whether the folder HYDATIS_DATA has it.

    Example: hydatis traces list
    """
    from hydatis.simulations.traces.errors import TraceError
    from hydatis.simulations.traces.folder import DATA_VARIABLE, DataFolder
    from hydatis.simulations.traces.sources import SOURCES, report

    if json:
        typer.echo(json_format.dumps([report(source) for source in SOURCES], indent=2))
        return
    try:
        folder = DataFolder.from_environment()
    except TraceError:
        folder = None
    for source in SOURCES:
        there = folder is not None and any(folder.has(pattern) for pattern in source.patterns)
        typer.echo(f"{source.name:22}{'here' if there else '-':6}{source.form}: {source.holds}")
    where = f"{DATA_VARIABLE} names {folder.path}" if folder else f"{DATA_VARIABLE} is not set to a folder"
    typer.echo(f"\n{where}. `hydatis traces show NAME` says where to get one.")


@traces.command()
def show(name: Annotated[str, typer.Argument(help="Name of a trace, such as openb.")]) -> None:
    """Say where to get a trace's original files, under which terms, and which files go where.

    Example: hydatis traces show openb
    """
    from hydatis.simulations.traces.sources import report

    source = _named([name])[0]
    for label, value in report(source).items():
        text = ", ".join(value) if isinstance(value, list) else value or "none: the original files are read as they are"
        typer.echo(f"{label:12} {text}")


@traces.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Names of traces; all that are there if left out.")] = None,
    *,
    json: Annotated[Path | None, typer.Option(help="Write what was found to this file.")] = None,
) -> None:
    """Compare the files in the folder HYDATIS_DATA with its SHA256SUMS, and read each.

    Exits with 1 when a file is missing, altered or cannot be read, or when a trace that was named is not there.

    Example: HYDATIS_DATA=~/traces hydatis traces verify openb smd
    """
    from hydatis.simulations.traces.errors import TraceError
    from hydatis.simulations.traces.folder import CHECKSUMS, DataFolder, FileState
    from hydatis.simulations.traces.verifying import verify as look

    try:
        folder = DataFolder.from_environment()
        states = look(folder, _named(names))
    except TraceError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if not folder.checksums:
        typer.echo(f"{folder.path} has no {CHECKSUMS}: whether files were altered cannot be told.", err=True)
    for state in states:
        if state.absent:
            typer.echo(f"{state.source:22}not there")
            continue
        typer.echo(f"{state.source:22}{'sound' if state.sound else 'BROKEN'}: {state.content or state.problem}")
        for file, found in state.files.items():
            if found is not FileState.VERIFIED and folder.checksums:
                typer.echo(f"  {file}: {found}")
    if json is not None:
        document = [
            {"name": s.source, "sound": s.sound, "files": s.files, "content": s.content, "problem": s.problem}
            for s in states
        ]
        json.write_text(json_format.dumps(document, indent=2) + "\n")
    if any(not state.sound and (names or not state.absent) for state in states):
        raise typer.Exit(1)


def _named(names: list[str] | None) -> "list[Source]":
    from hydatis.simulations.traces.sources import SOURCES, source_named

    unknown = [name for name in names or () if source_named(name) is None]
    if unknown:
        known = ", ".join(source.name for source in SOURCES)
        typer.echo(f"error: {unknown[0]!r} is not a trace; use one of {known}.", err=True)
        raise typer.Exit(2)
    return [source for source in SOURCES if not names or source.name in names]
