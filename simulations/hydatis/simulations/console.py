"""Where the commands of simulations write tables."""

from rich.console import Console

_PLAIN_WIDTH = 120


def plain_console() -> Console:
    """Return a console that writes plain text of a fixed width where nobody looks at a terminal: a pipe has no width of
    its own, and a table cut to 80 columns loses its numbers.
    """
    console = Console()
    return console if console.is_terminal else Console(width=_PLAIN_WIDTH, color_system=None)
