"""A real server of MLflow on loopback, with its database and its files in one folder: the registry of tests."""

import os
import sys
from pathlib import Path
from typing import Self

import psutil

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.ports import Port
from hydatis.sandbox.processes import spawn
from hydatis.sandbox.requesting import probe
from hydatis.sandbox.server_process import ServerProcess

_READY_SECONDS = 120.0
"""It imports for ten seconds, and makes a database."""
_ENVIRONMENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


class MlflowServer(ServerProcess):
    """A running `mlflow server`; its files are below `artifacts`."""

    artifacts: Path

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start a server that keeps everything in the folder. Raises SandboxError when it is not ready in time."""
        server = cls.begin(folder)
        server.wait()
        return server

    @classmethod
    def begin(cls, folder: Path) -> Self:
        """Start it without waiting until it is ready: `wait` does."""
        port = Port()
        artifacts = folder / "artifacts"
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port.number)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
        command += ["--artifacts-destination", str(artifacts)]
        environment = {**os.environ, **_ENVIRONMENT}
        child = spawn(command, folder / "mlflow.log", detached=False, environment=environment)
        server = cls("mlflow", child, port, command)
        server.artifacts = artifacts
        return server

    @property
    def url(self) -> str:
        """For MLFLOW_TRACKING_URI."""
        return f"http://127.0.0.1:{self._port.number}"

    def wait(self) -> None:
        """Wait until it answers. Raises SandboxError with the end of its log when it does not."""
        try:
            self._await(lambda: probe(f"{self.url}/health") is not None, "the MLflow server", _READY_SECONDS)
        except SandboxError:
            self.kill()
            raise

    def _end(self, *, kill: bool) -> None:
        # What listens is a child of it, and would stay.
        try:
            below = psutil.Process(self.pid).children(recursive=True) if self.alive() else []
        except psutil.NoSuchProcess:
            below = []
        super()._end(kill=kill)
        for process in below:
            if process.is_running():
                process.kill()
        psutil.wait_procs(below, timeout=10.0)
