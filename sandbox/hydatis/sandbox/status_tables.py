"""The tables of `hydatis sandbox status`."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from hydatis.sandbox.binaries import candidates, locate, pinned_tools
from hydatis.sandbox.go_module import Program
from hydatis.sandbox.named import ComponentStatus

_PLAIN_WIDTH = 200
"""Columns where there is no terminal, so that no path is cut."""


def components_table(components: Sequence[ComponentStatus]) -> Table:
    """One row a component."""
    table = _table("component", "pid", "port", "RSS MiB", "version", "ready")
    for each in components:
        rss = "-" if each.rss_mib is None else f"{each.rss_mib:.0f}"
        table.add_row(each.component, str(each.pid), str(each.port), rss, each.version, each.state)
    return table


def binaries_table() -> Table:
    """One row for every binary on this machine: which is used and why the others are not."""
    table = _table("program", "version", "from", "used", "path")
    for program in Program:
        used = locate(program)
        for found in candidates(program):
            pinned = pinned_tools().version(program)
            reason = "-" if found.suitable else f"passed over: not {pinned.major}.{pinned.minor}"
            table.add_row(program, found.version, found.source, "yes" if found == used else reason, str(found.path))
        if used is None:
            table.add_row(program, pinned_tools().version_text(program), "go.mod", "to be built", "-")
    return table


def print_table(table: Table) -> None:
    """Print it on stdout."""
    console = Console()
    (console if console.is_terminal else Console(width=_PLAIN_WIDTH)).print(table)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table
