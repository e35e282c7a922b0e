"""A server as a child process beside the sandbox's components: recorded, awaited and ended.

The operator and a further kube-scheduler are such servers.
"""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.ports import Port
from hydatis.sandbox.processes import ChildProcess, ProcessIdentity
from hydatis.sandbox.records import ComponentRecord, SandboxRecord

_POLL_SECONDS = 0.02


class ServerProcess:
    """A running server. Use as a context manager, or call `stop` or `kill`."""

    stop_seconds: ClassVar[float] = 30.0
    """How long it may take to end after SIGTERM."""

    def __init__(self, name: str, child: ChildProcess, port: Port, command: list[str]) -> None:
        """For `start` of the subclasses only; `name` is what the sandbox's record calls it."""
        self._child = child
        self._port = port
        # Where the kernel does not end it with its owner, a later start of a sandbox does.
        self._record = SandboxRecord(child.log.absolute(), ProcessIdentity.own())
        self._record.components[name] = ComponentRecord(child.identity, (port.number,), command, str(child.log))
        self._record.save()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def log(self) -> Path:
        """What it prints."""
        return self._child.log

    def alive(self) -> bool:
        """True while it runs."""
        return self._child.alive()

    def kill(self) -> None:
        """End it by SIGKILL: it can neither finish nor tidy anything. Idempotent."""
        self._end(kill=True)

    def stop(self) -> None:
        """End it by SIGTERM and wait; after `stop_seconds` by SIGKILL. Idempotent."""
        self._end(kill=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, *, kill: bool) -> None:
        self._child.stop(kill=kill, grace_seconds=self.stop_seconds)
        self._record.discard()
        self._port.close()

    def _await(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait until it is ready. Raises `SandboxError` with the end of its log where it ends, or is not in time."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self._child.alive():
                raise SandboxError(f"{what} {self._child.exit_status()} before it was ready; {self._child.log_end()}")
            if time.monotonic() >= deadline:
                raise SandboxError(f"{what} is not ready after {seconds:g} s; {self._child.log_end()}")
            time.sleep(_POLL_SECONDS)
