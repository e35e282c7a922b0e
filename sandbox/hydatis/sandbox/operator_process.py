"""The operator as a child process of the sandbox: `python -m hydatis.operator run`, as a real client of the API server.

Tests, the demo and benchmarks start it with the kubeconfig of the chart's service account, so it has the rights that
ship.
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.ports import ADDRESS_IN_USE, Port
from hydatis.sandbox.processes import ChildProcess, spawn
from hydatis.sandbox.requesting import probe
from hydatis.sandbox.server_process import ServerProcess

_READY_SECONDS = 60.0
_PORT_ATTEMPTS = 5


class OperatorProcess(ServerProcess):
    """A running operator."""

    def __init__(self, child: ChildProcess, port: Port, command: list[str]) -> None:
        """For `start` only."""
        super().__init__("operator", child, port, command)
        self.ready_seconds = 0.0
        """From the start of the process until /readyz answered 200."""

    @classmethod
    def start(
        cls,
        kubeconfig: Path,
        *,
        log: Path | None = None,
        scheduler_name: str | None = None,
        python: Path | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        deadline_seconds: float = _READY_SECONDS,
    ) -> Self:
        """Start an operator and wait until it is ready.

        `python` (default: this process's) is the interpreter to run it with; `log` (default: `operator.log` beside the
        kubeconfig) is appended to; `environment` replaces the whole environment. Raises `SandboxError` with the end of
        the log where the operator ends, or is not ready within `deadline_seconds`.
        """
        log = log or kubeconfig.parent / "operator.log"
        if environment is None:
            # The Kubernetes client writes the certificate authority to a temporary file, which a killed operator leaves
            # behind: it goes with the sandbox.
            environment = {**os.environ, "TMPDIR": str(kubeconfig.parent)}
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            port = Port()
            command = [str(python or sys.executable), "-m", "hydatis.operator", "run", "--kubeconfig", str(kubeconfig)]
            command += ["--listen", f"127.0.0.1:{port.number}"]
            command += [] if scheduler_name is None else ["--scheduler-name", scheduler_name]
            command += arguments
            started = time.monotonic()
            operator = cls(spawn(command, log, detached=False, environment=environment), port, command)
            try:
                operator._await(operator.ready, "the operator", deadline_seconds)
            except BaseException as error:
                operator.kill()
                if isinstance(error, SandboxError) and ADDRESS_IN_USE in str(error) and attempt < _PORT_ATTEMPTS:
                    continue
                raise
            operator.ready_seconds = time.monotonic() - started
            break
        return operator

    @property
    def url(self) -> str:
        """Where it serves /healthz, /readyz and /metrics."""
        return f"http://127.0.0.1:{self._port.number}"

    def ready(self) -> bool:
        """True if /readyz answers 200."""
        answer = probe(f"{self.url}/readyz")
        return answer is not None and answer.status == 200

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics, by `name` or `name{label="value",…}` with the labels in alphabetical order.

        Raises `SandboxError` where the operator does not answer.
        """
        answer = probe(f"{self.url}/metrics")
        if answer is None or answer.status != 200:
            status = "no answer" if answer is None else f"status {answer.status}"
            raise SandboxError(f"{self.url}/metrics: {status}; {self._child.log_end()}")
        return parse_metrics(answer.text())


def parse_metrics(text: str) -> dict[str, float]:
    """Samples of the Prometheus text format, by name and labels as they would be written, labels in alphabetical
    order.
    """
    samples: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return samples
