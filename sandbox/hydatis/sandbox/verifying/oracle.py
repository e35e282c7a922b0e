"""Runs the oracle: a Go program, built from the sources beside the tests, that asks kube-scheduler's own plugins.

It is one child process with a pipe each way; it ends when its input does, so it never outlives whoever started it.
Questions may be sent well ahead of reading their answers.
"""

import os
import subprocess
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from hydatis.sandbox.building import Progress, silent
from hydatis.sandbox.bundled import oracle_module
from hydatis.sandbox.own_programs import kubernetes_version_of, provide_own
from hydatis.sandbox.verifying.errors import VerifyError

_ANSWER_SECONDS = 120.0
_STOP_SECONDS = 10.0


def kubernetes_version() -> str:
    """The version of kube-scheduler whose plugins the oracle asks, such as `v1.37.2`."""
    return kubernetes_version_of(oracle_module())


def provide_oracle(progress: Progress = silent) -> Path:
    """The oracle's binary; built first where the cache has none of these sources.

    Raises `SandboxError` where Go is missing or the build fails.
    """
    return provide_own("oracle", oracle_module(), "the oracle", _build_command, progress)


def _build_command(go: str, output: Path) -> list[str]:
    cores = str(os.cpu_count() or 1)
    return [go, "build", "-p", cores, "-trimpath", "-ldflags", "-s -w", "-o", str(output), "."]


class Oracle:
    """A running oracle. Used by one thread."""

    def __init__(self, binary: Path) -> None:
        self._process = subprocess.Popen(
            [str(binary)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Memory is cheap here, and collecting it less often is faster.
            env=os.environ | {"GOGC": "400", "GOMAXPROCS": "2"},
            # Ctrl-C is for whoever started the oracle; it then ends with its input.
            process_group=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    # It ended before it read everything; nobody waits for the rest.
                    continue
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, requests: Iterable[bytes]) -> None:
        """Send questions, one line each."""
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101  it was opened above
        try:
            pipe.writelines(requests)
            pipe.flush()
        except BrokenPipeError:
            raise self._died() from None

    def answers(self, count: int) -> list[Mapping[str, Any]]:
        """Return the answers to the next `count` questions, in the order in which they were asked.

        Raises `VerifyError` where the oracle ends, takes more than two minutes, or could not judge a cluster.
        """
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101  it was opened above
        watchdog = threading.Timer(_ANSWER_SECONDS, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            lines = [pipe.readline() for _ in range(count)]
        finally:
            watchdog.cancel()
        if not all(lines):
            raise self._died()
        answers: list[Mapping[str, Any]] = [orjson.loads(line) for line in lines]
        for answer in answers:
            if answer.get("error"):
                raise VerifyError(
                    f"kube-scheduler's plugins could not judge cluster {answer['id']}: {answer['error']}; "
                    "the generator made an object that the API server would refuse"
                )
        return answers

    def _died(self) -> VerifyError:
        self._process.kill()
        said = self._process.stderr.read() if self._process.stderr is not None else b""
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        return VerifyError(
            f"the oracle ended before it answered, or gave no answer within {_ANSWER_SECONDS:.0f} s; "
            f"it said: {last[0]}; try again with fewer --jobs"
        )
