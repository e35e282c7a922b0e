"""How the commands that train end when they cannot go on: with one sentence, and an exit status that says so."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.traces.errors import TraceError


@contextmanager
def ending_in_a_sentence(command: str, extra: str, *also: type[Exception]) -> Iterator[None]:
    """Tell what went wrong on stderr, and exit with 1, or with 130 after an interruption.

    `command` and `extra` are for who lacks a package: which command needs it, and what to install. `also` are faults
    of the user's input beside those that all trainings know.
    """
    faults: tuple[type[Exception], ...] = (SimulationError, TraceError, OSError, *also)
    try:
        yield
    except ModuleNotFoundError as missing:
        typer.echo(
            f"error: {command} needs the Python package {missing.name}: pip install 'hydatis[{extra}]'", err=True
        )
        raise typer.Exit(1) from missing
    except faults as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        typer.echo("error: interrupted", err=True)
        raise typer.Exit(130) from interrupt
