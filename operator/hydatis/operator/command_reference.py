"""Writes docs/commands.md from the commands' own help: `python -m hydatis.operator.command_reference`, for `make docs`.

It shows the commands that pyproject.toml declares, not those of the last installation, so that everybody writes the
same. A test holds the committed file against this text, so that the reference is never out of date.
"""

import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import typer
import typer.main
from typer.testing import CliRunner

from hydatis.operator.command_line import GROUP, application

_WIDTH = "100"
_TITLE = """# Commands

What `--help` prints, for every command. Written by `make docs`; do not edit by hand."""


def main() -> None:
    """Print the reference of the project in the working folder."""
    print(reference(declared(Path("pyproject.toml"))), end="")


def declared(pyproject: Path) -> list[EntryPoint]:
    """Return the commands that a pyproject.toml declares."""
    with pyproject.open("rb") as stream:
        commands = tomllib.load(stream)["project"]["entry-points"][GROUP]
    return [EntryPoint(name, value, GROUP) for name, value in commands.items()]


def reference(commands: Iterable[EntryPoint]) -> str:
    """Return the reference as Markdown."""
    app = application(commands)
    return "\n\n".join([_TITLE, *_sections(app, typer.main.get_command(app), [])]) + "\n"


def _sections(app: typer.Typer, command: Any, path: list[str]) -> Iterator[str]:
    # A terminal that understands nothing gets plain text, and the width does not depend on who writes the file.
    environment = {"COLUMNS": _WIDTH, "TERM": "dumb", "NO_COLOR": "1", "FORCE_COLOR": None}
    shown = CliRunner().invoke(app, [*path, "--help"], env=environment, prog_name="hydatis")
    if shown.exit_code:
        raise RuntimeError(f"hydatis {' '.join(path)} --help failed: {shown.output}")
    text = "\n".join(line.rstrip() for line in shown.output.strip().splitlines())
    yield f"{'#' * (2 + len(path))} {' '.join(['hydatis', *path])}\n\n```\n{text}\n```"
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from _sections(app, child, [*path, name])


if __name__ == "__main__":
    main()
