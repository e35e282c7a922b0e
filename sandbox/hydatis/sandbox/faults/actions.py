"""What the proxy can do to a call. Each is a value; `proxy` carries out those of single requests, `streaming` those of
watches.

| action | the API server | the client |
| --- | --- | --- |
| `Answer` | never hears of it | gets this status |
| `Hang` | never hears of it | gets nothing, until it gives up |
| `Delay` | hears of it later, even when the client has given up meanwhile | gets the true answer, if it still waits |
| `LoseAnswer` | carries it out | sees its connection break |
| `Replace` | carries it out | gets this status instead of the answer |
| `CutWatch` | watches on for nobody | sees the connection break, in the middle of a line |
| `SilenceWatch` | watches on for nobody | sees an open connection without a byte |
| `ExpireWatch` | watches on for nobody | gets an ERROR event with 410 Expired, then the end |
| `WithholdBookmarks` | watched | gets every event but bookmarks |

The actions on watches let the first `after_lines` events through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer with `status`; `retry_after_seconds` becomes the header Retry-After."""

    status: int
    reason: str = "InjectedFault"
    retry_after_seconds: int | None = None
    body: Mapping[str, Any] | None = None
    """In place of a metav1.Status."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Forward after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """Forward, then break the connection instead of answering."""


@dataclass(frozen=True, slots=True)
class Replace:
    """Forward, then answer with `status` whatever came back."""

    status: int


@dataclass(frozen=True, slots=True)
class CutWatch:
    """Break the connection in the middle of the next line."""

    after_lines: int = 0


@dataclass(frozen=True, slots=True)
class SilenceWatch:
    """Keep the connection open and pass nothing on."""

    after_lines: int = 0


@dataclass(frozen=True, slots=True)
class ExpireWatch:
    """Send the event with which the API server says that a resource version is too old, then end the watch."""

    after_lines: int = 0


@dataclass(frozen=True, slots=True)
class WithholdBookmarks:
    """Pass on all events but bookmarks."""


WatchAction = CutWatch | SilenceWatch | ExpireWatch | WithholdBookmarks
Action = Answer | Hang | Delay | LoseAnswer | Replace | WatchAction
