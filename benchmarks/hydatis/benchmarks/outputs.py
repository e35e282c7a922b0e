"""Where the benchmarks' commands write: checks of output files before a long run, the report, the console, JSON.

Called by the commands.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import orjson
from rich.console import Console

from hydatis.benchmarks.errors import BenchError

Value = TypeVar("Value")
_PLAIN_WIDTH = 120


def document_of(
    settings: Mapping[str, Any],
    machine: Mapping[str, Any],
    versions: Mapping[str, str],
    definitions: Mapping[str, str],
    results: Sequence[Mapping[str, Any]],
    **records: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Build a report: results, what they mean, what they were measured on, and the `records` they are made of."""
    return {
        "results": list(results),
        "settings": dict(settings),
        "machine": dict(machine),
        "versions": dict(versions),
        "definitions": dict(definitions),
        **{name: list(entries) for name, entries in records.items()},
    }


def check_output(option: str, path: Path | None) -> None:
    """Find out before a long run that its result could not be written.

    Raises:
        BenchError: it could not.

    """
    if path is None:
        return
    if path.is_dir():
        raise BenchError(f"{option} {path} is a folder; name a file.")
    if not path.absolute().parent.is_dir():
        raise BenchError(f"{option} {path}: the folder {path.absolute().parent} does not exist; create it first.")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise BenchError(f"{option} {path} cannot be written; choose another place.")


def once(option: str, values: list[Value]) -> list[Value]:
    """Give the values of a repeatable option back.

    Raises:
        BenchError: one is there twice.

    """
    for value in values:
        if values.count(value) > 1:
            raise BenchError(f"{option} {value} is given more than once; give each value once.")
    return values


def plain_console() -> Console:
    """Return a console that writes plain text of a fixed width where nobody looks at a terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_PLAIN_WIDTH, color_system=None)


class Reporting(Protocol):
    """What knows how to show one kind of report; a module will do."""

    def write_markdown(self, document: Mapping[str, Any], path: Path) -> None:
        """Write the table as Markdown."""

    def print_table(self, document: Mapping[str, Any], console: Console) -> None:
        """Print the table."""


def deliver(document: Mapping[str, Any], reporting: Reporting, *, json: Path | None, markdown: Path | None) -> None:
    """Write the report to the files that were asked for, and print its table."""
    if json is not None:
        write_json(document, json)
    if markdown is not None:
        reporting.write_markdown(document, markdown)
    reporting.print_table(document, plain_console())


def write_json(document: Mapping[str, Any], path: Path) -> None:
    """Write a report; a number that was not measured is null."""
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
