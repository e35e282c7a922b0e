"""Starts, identifies and stops the sandbox's processes. Every signal goes to a process id whose start time was checked.

A child that shall not outlive its owner is started by `spawn(…, detached=False)`. On Linux the kernel then kills it
when its parent *thread* ends (PR_SET_PDEATHSIG is tied to the thread that forked, not to the process), so all children
are started by one thread that lives as long as the process does.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import psutil

from hydatis.sandbox.errors import SandboxError

_POLL_SECONDS = 0.02
_KILL_WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process and no other: a later process with the same id has another start time."""

    pid: int
    started: str
    """Start time as the system counts it; only ever compared."""

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """The identity of the process that has this id now, or None. A zombie has ended, so it has none."""
        started = _start_time(pid)
        return None if started is None else cls(pid, started)

    @classmethod
    def own(cls) -> "ProcessIdentity":
        """The process that asks."""
        identity = cls.of(os.getpid())
        if identity is None:
            raise SandboxError("cannot read this process's start time; mount /proc")
        return identity

    def alive(self) -> bool:
        """True while this very process runs."""
        return _start_time(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send the signal to this very process; nothing happens if it has ended."""
        if sys.platform == "linux":
            try:
                handle = os.pidfd_open(self.pid)
            except ProcessLookupError:
                return
            try:
                # The handle pins the process, so between this check and the signal the id cannot pass to another.
                if self.alive():
                    signal.pidfd_send_signal(handle, number)
            except ProcessLookupError:
                return
            finally:
                os.close(handle)
        elif self.alive():
            os.kill(self.pid, number)


class ChildProcess:
    """A process of the sandbox: a child of this process, or one that an earlier process left running (`adopt`)."""

    def __init__(self, identity: ProcessIdentity, log: Path, popen: subprocess.Popen[bytes] | None = None) -> None:
        self.identity = identity
        self.log = log
        self._popen = popen

    @property
    def pid(self) -> int:
        """The process id."""
        return self.identity.pid

    def alive(self) -> bool:
        """True while it runs."""
        if self._popen is not None:
            return self._popen.poll() is None
        return self.identity.alive()

    def exit_status(self) -> str:
        """How it ended, in words."""
        code = None if self._popen is None else self._popen.poll()
        if code is None:
            return "ended"
        return f"was ended by signal {-code}" if code < 0 else f"exited with status {code}"

    def stop(self, *, kill: bool = False, grace_seconds: float = 10.0) -> None:
        """End it: SIGTERM and after `grace_seconds` SIGKILL, or SIGKILL at once. Returns when it has ended."""
        if not kill:
            self.identity.send(signal.SIGTERM)
            if self._ended_within(grace_seconds):
                return
        self.identity.send(signal.SIGKILL)
        if not self._ended_within(_KILL_WAIT_SECONDS):
            raise SandboxError(
                f"process {self.pid} survives SIGKILL; look at its state with: ps -o stat,wchan -p {self.pid}"
            )

    def log_end(self) -> str:
        """The last lines of its log, introduced as such: the second half of an error message."""
        return f"the end of {self.log}:\n{log_tail(self.log)}"

    def _ended_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True


def log_tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file; empty where there is none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def spawn(
    command: Sequence[str], log: Path, *, detached: bool, environment: Mapping[str, str] | None = None
) -> ChildProcess:
    """Start `command` in a session of its own (Ctrl-C in the terminal does not reach it), its output appended to `log`.

    Not `detached`: it ends when this process ends. Raises `SandboxError` if it cannot be started.
    """
    future: Future[ChildProcess] = Future()
    _spawner().requests.put((future, list(command), log, detached, environment))
    return future.result()


def _start(command: list[str], log: Path, detached: bool, environment: Mapping[str, str] | None) -> ChildProcess:
    if not detached and sys.platform == "linux":
        launcher = Path(__file__).with_name("parent_death.py")
        command = [sys.executable, "-I", "-S", str(launcher), str(os.getpid()), *command]
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("ab") as output:
            popen = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
    except OSError as error:
        raise SandboxError(f"cannot start {command[0]}: {error}") from error
    if detached:
        # It is meant to outlive this object, so its end of life is nobody's fault (Popen would warn).
        _DETACHED.append(popen)
    identity = ProcessIdentity.of(popen.pid)
    if identity is None:
        popen.wait()
        raise SandboxError(f"{command[0]} ended at once; its log says:\n{log_tail(log)}")
    return ChildProcess(identity, log, popen)


_DETACHED: list[subprocess.Popen[bytes]] = []


class _Spawner(threading.Thread):
    """The thread that starts all children; a daemon, so it ends with the process and not before."""

    def __init__(self) -> None:
        super().__init__(name="hydatis-sandbox-spawner", daemon=True)
        self.process = os.getpid()
        self.requests: queue.SimpleQueue[
            tuple[Future[ChildProcess], list[str], Path, bool, Mapping[str, str] | None]
        ] = queue.SimpleQueue()

    def run(self) -> None:
        while True:
            future, command, log, detached, environment = self.requests.get()
            try:
                future.set_result(_start(command, log, detached, environment))
            except Exception as error:
                # Whatever it is, it belongs to the caller, who waits for it.
                future.set_exception(error)


_lock = threading.Lock()
_current: _Spawner | None = None


def _spawner() -> _Spawner:
    global _current  # noqa: PLW0603
    with _lock:
        # A forked child has this module's state but none of its threads.
        if _current is None or _current.process != os.getpid():
            _current = _Spawner()
            _current.start()
        return _current


def _start_time(pid: int) -> str | None:
    return _start_time_linux(pid) if sys.platform == "linux" else _start_time_elsewhere(pid)


def _start_time_linux(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    # Field 2, the name in parentheses, may hold spaces and parentheses itself; field 3 is the state, 22 the start in
    # ticks since boot.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def _start_time_elsewhere(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return None
