"""Reads kube-scheduler's own account of what it did from its log, in the order in which it did it.

The log tells what the API does not: every attempt, failed ones included, how many nodes were looked at, and what each
plugin gave each node (kubernetes pkg/scheduler/schedule_one.go and eventhandlers.go). Lines are klog's text format:
`I1124 15:48:23.768563 20826 schedule_one.go:984] "Plugin scored node for pod" pod="default/p0" score=300`.
"""

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ARGUMENTS = ("--vmodule=schedule_one=10,eventhandlers=4,batch=3",)
"""Makes kube-scheduler tell all of it, and only that."""

_MESSAGE = re.compile(r'^[IWE]\d{4} [\d:.]+\s+\d+ [\w.]+:\d+\] "((?:[^"\\]|\\.)*)"')
_PAIR = re.compile(r' (\w+)=("(?:[^"\\]|\\.)*"|\S+)')


@dataclass(slots=True)
class Attempt:
    """One scheduling cycle of one pod."""

    pod: str
    """NAMESPACE/NAME."""
    node: str | None = None
    """Where the pod was bound; None: nowhere."""
    message: str | None = None
    """Why nowhere, in the words of the FailedScheduling Event."""
    evaluated: int = 0
    """Nodes that were looked at; filled only where the pod was bound."""
    feasible: int = 0
    """Nodes that passed every filter, of those; filled only where the pod was bound."""
    reused: bool = False
    """Whether the node was proposed by what was kept of the pod before, so that no other was looked at
    (OpportunisticBatching, kubernetes framework/runtime/batch.go).
    """
    parts: dict[str, dict[str, int]] = field(default_factory=dict)
    """Plugin to node to weighted score; empty where only one node was feasible, which is not scored."""
    totals: dict[str, int] = field(default_factory=dict)
    """Node to the sum of its weighted scores."""

    @property
    def complete(self) -> bool:
        """Whether its end is known."""
        return self.node is not None or self.message is not None


@dataclass(frozen=True, slots=True)
class Removal:
    """A pod is gone from kube-scheduler's cache, or from its queue."""

    pod: str
    """NAMESPACE/NAME."""
    placed: bool
    """Whether it was in the cache. One that is bound leaves the queue, too."""


class Account:
    """What was done so far, line by line."""

    def __init__(self) -> None:
        self.done: deque[Attempt | Removal] = deque()
        """In order, to be taken from the left. Only complete attempts are to be taken."""
        self.failure: str | None = None
        """A line by which kube-scheduler says that something went wrong."""
        self._open: dict[str, Attempt] = {}

    @property
    def busy(self) -> bool:
        """Whether an attempt has begun whose end is not known yet."""
        return bool(self._open)

    def read(self, line: str) -> None:
        """Take note of one line; most mean nothing here."""
        found = _MESSAGE.match(line)
        if found is None:
            return
        values = {key: _unquoted(value) for key, value in _PAIR.findall(line[found.end() :])}
        pod = values.get("pod", "")
        match found[1]:
            case "Attempting to schedule pod":
                self._open[pod] = attempt = Attempt(pod)
                self.done.append(attempt)
            case "Delete event for scheduled pod":
                self.done.append(Removal(pod, True))
            case "Delete event for unscheduled pod":
                self.done.append(Removal(pod, False))
            case "Error scheduling pod; retrying" | "Failed to bind pod":
                self.failure = line
            case message if pod in self._open:
                self._attempt_goes_on(self._open[pod], message, values)

    def _attempt_goes_on(self, attempt: Attempt, message: str, values: Mapping[str, str]) -> None:
        match message:
            case "Plugin scored node for pod":
                attempt.parts.setdefault(values["plugin"], {})[values["node"]] = int(values["score"])
            case "Calculated node's final score for pod":
                attempt.totals[values["node"]] = int(values["score"])
            case "OpportunisticBatch provided node hint":
                attempt.reused = True
            case "Successfully bound pod to node":
                attempt.node = values["node"]
                attempt.evaluated, attempt.feasible = int(values["evaluatedNodes"]), int(values["feasibleNodes"])
                # A proposed node that does not fit is not taken: then all were looked at.
                attempt.reused = attempt.reused and not attempt.totals
                del self._open[attempt.pod]
            case "Unable to schedule pod; no fit; waiting":
                attempt.message = values["err"]
                del self._open[attempt.pod]
            case "Unable to schedule pod; no nodes are registered to the cluster; waiting":
                attempt.message = "no nodes available to schedule pods"
                del self._open[attempt.pod]


class LogReader:
    """Follows a log that grows."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._rest = b""
        self.account = Account()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self) -> bool:
        """Read what has come since; tell whether anything has."""
        new = self._file.read()
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            self.account.read(line.decode("utf-8", errors="replace"))
        return bool(new)


def _unquoted(value: str) -> str:
    """Read what Go's strconv.Quote wrote, as far as JSON's strings are the same; else leave it as it is."""
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except json.JSONDecodeError:
        return value[1:-1]
