"""The `hydatis` command: finds its subcommands by entry point and imports only the one that is asked for.

Each entry point of the group `hydatis.commands` is a `typer.Typer` (a command with subcommands) or a function (one
command). `--help` imports them all.
"""

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated, Any

import typer

GROUP = "hydatis.commands"


def main() -> None:
    """Run `hydatis` with the arguments of the process."""
    arguments = sys.argv[1:]
    commands = {entry.name: entry for entry in entry_points(group=GROUP)}
    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    if asked is not None and asked not in commands:
        known = ", ".join(sorted(commands))
        print(f"error: {asked!r} is not a command of hydatis. Use one of: {known}.", file=sys.stderr)
        sys.exit(2)
    application([commands[asked]] if asked is not None else commands.values())(prog_name="hydatis")


def application(entries: Iterable[EntryPoint]) -> typer.Typer:
    """The command line with these commands."""
    app = typer.Typer(
        name="hydatis",
        help="HYDATIS, a Kubernetes scheduler that explains every decision.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for entry in sorted(entries, key=lambda entry: entry.name):
        _add(app, entry)
    return app


def _add(app: typer.Typer, entry: EntryPoint) -> None:
    try:
        command: Any = entry.load()
    except ModuleNotFoundError as missing:
        name = missing.name or "a module"

        def explain() -> None:
            print(
                f"error: hydatis {entry.name} needs the Python package {name}, which is not installed. "
                f"Install hydatis with the extra that the command needs, such as hydatis[sandbox].",
                file=sys.stderr,
            )
            raise typer.Exit(1)

        explain.__doc__ = f"Not available: the Python package {name} is not installed."
        settings = {"ignore_unknown_options": True, "allow_extra_args": True}
        app.command(entry.name, context_settings=settings)(explain)
        return
    if not isinstance(command, typer.Typer):
        app.command(entry.name)(command)
    else:
        app.add_typer(command, name=entry.name)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"hydatis {version('hydatis')}")
        raise typer.Exit


def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Apply to every command."""
