"""What the demo shows while it runs: a live screen on a terminal, a plain line now and then elsewhere.

Called by the performance, which feeds it a `Progress` several times a second. It only shows; it measures nothing.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from hydatis.sandbox.demo.node_fill import NodeFill, bar

_PLAIN_EVERY_SECONDS = 1.0
_RATE_WINDOW_SECONDS = 1.0
QUEUES = ("active", "backoff", "unschedulable", "gated")


@dataclass(frozen=True, slots=True)
class Progress:
    """One moment of the demo."""

    seconds: float
    """Since the first pod was created."""
    pods: int
    bound: int
    queues: Mapping[str, int]
    """Pods in each of the scheduler's queues, as its own metrics say."""


class LiveView:
    """A context manager; `show` may be called at any rate."""

    def __init__(self, console: Console, fill: NodeFill) -> None:
        self._console = console
        self._fill = fill
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._recent: deque[Progress] = deque()
        self._told_at = float("-inf")

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, progress: Progress, *, force: bool = False) -> None:
        """Show a moment; plain lines come once a second at most, unless forced."""
        self._recent.append(progress)
        while self._recent[0].seconds < progress.seconds - _RATE_WINDOW_SECONDS:
            self._recent.popleft()
        if self._live is not None:
            self._live.update(self._screen(progress), refresh=True)
        elif force or progress.seconds - self._told_at >= _PLAIN_EVERY_SECONDS:
            self._told_at = progress.seconds
            self._console.print(self._line(progress), highlight=False)

    def tell(self, text: str) -> None:
        """Print one line above what is shown."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _line(self, progress: Progress) -> str:
        queues = "  ".join(f"{queue} {progress.queues.get(queue, 0)}" for queue in QUEUES)
        return (
            f"{progress.seconds:5.1f} s  pods {progress.pods}  bound {progress.bound} "
            f"({self._bound_per_second():.0f}/s)  queues: {queues}"
        )

    def _bound_per_second(self) -> float:
        """Binds over the last second, or over what of it has passed."""
        first, last = self._recent[0], self._recent[-1]
        if last.seconds <= first.seconds:
            return 0.0
        return (last.bound - first.bound) / (last.seconds - first.seconds)

    def _screen(self, progress: Progress) -> Group:
        bars = [
            Text.assemble(
                (f"{name:<16}", "dim"), (bar(self._fill.share(name, "cpu"), 8), "cyan"), f"{self._fill.pods(name):4d}"
            )
            for name in self._fill.nodes
        ]
        # Lines that do not fit the terminal would be cut at the end, where the newest facts would be.
        rows = max(1, self._console.height - 5)
        columns = max(1, self._console.width // 30)
        return Group(
            Text(self._line(progress), style="bold"),
            Text("CPU requested and pods, by node", style="dim"),
            Columns(bars[: rows * columns], width=29),
        )

    def _node(self, name: str) -> Text:
        cpu = bar(self._fill.share(name, "cpu"), 8)
        return Text.assemble((f"{name:<16}", "dim"), (cpu, "cyan"), f"{self._fill.pods(name):4d}")
