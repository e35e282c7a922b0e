"""Shows what takes long: a spinner with the time elapsed on a terminal, plain lines elsewhere; on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def shown() -> Iterator[Callable[[str], None]]:
    """A function that shows the message of the moment; on a terminal it replaces the last and vanishes at the end."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda message: console.print(message, markup=False, highlight=False, soft_wrap=True)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("", total=None)
        yield lambda message: display.update(task, description=escape(message))
