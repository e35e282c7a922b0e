"""A real kube-scheduler under any name, as a child process beside the sandbox's components.

Tests and benchmarks start it where the component kube-scheduler, of which a sandbox has one, is not enough: as a second
scheduler on the same cluster. It has the same rights and flags.
"""

import ssl
import time
from types import TracebackType
from typing import Self

from hydatis.sandbox.building import provide
from hydatis.sandbox.certificates import write_private
from hydatis.sandbox.components import Component, Layout, scheduler_configuration
from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.ports import Port
from hydatis.sandbox.processes import ChildProcess, ProcessIdentity, spawn
from hydatis.sandbox.records import ComponentRecord, SandboxRecord
from hydatis.sandbox.requesting import probe

_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05


class KubeSchedulerProcess:
    """A running kube-scheduler. Use as a context manager, or call `stop`."""

    def __init__(self, child: ChildProcess, port: Port, command: list[str]) -> None:
        """For `start` only."""
        self._child = child
        self._port = port
        # Where the kernel does not end it with its owner, a later start of a sandbox does.
        self._record = SandboxRecord(child.log.absolute(), ProcessIdentity.own())
        self._record.components[Component.SCHEDULER] = ComponentRecord(
            child.identity, (port.number,), command, str(child.log)
        )
        self._record.save()

    @classmethod
    def start(cls, control_plane: ControlPlane, scheduler_name: str) -> Self:
        """Start one that takes pods with this `spec.schedulerName`, and wait until it is ready.

        Raises `SandboxError` with the end of its log where it ends, or is not ready in time.
        """
        layout = Layout(control_plane.directory)
        kubeconfig = layout.kubeconfig(Component.SCHEDULER)
        configuration = layout.scheduler_configuration.with_name(f"{scheduler_name}.json")
        write_private(configuration, scheduler_configuration(kubeconfig, scheduler_name).encode())
        port = Port()
        command = [
            str(provide([Component.SCHEDULER.program])[Component.SCHEDULER.program]),
            "--bind-address=127.0.0.1",
            f"--secure-port={port.number}",
            f"--tls-cert-file={layout.certificates.certificate}",
            f"--tls-private-key-file={layout.certificates.key}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            f"--config={configuration}",
        ]
        process = cls(spawn(command, layout.log(scheduler_name), detached=False), port, command)
        try:
            process._await_ready(ssl.create_default_context(cafile=str(control_plane.ca_file)))
        except BaseException:
            process.stop()
            raise
        return process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def alive(self) -> bool:
        """True while it runs."""
        return self._child.alive()

    def stop(self) -> None:
        """End it by SIGTERM and wait; by SIGKILL if that takes long. Idempotent."""
        self._child.stop()
        self._record.discard()
        self._port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _await_ready(self, context: ssl.SSLContext) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        address = f"https://127.0.0.1:{self._port.number}/readyz"
        while (answer := probe(address, context=context)) is None or answer.status != 200:
            if not self._child.alive():
                raise SandboxError(
                    f"kube-scheduler {self._child.exit_status()} before it was ready; {self._child.log_end()}"
                )
            if time.monotonic() >= deadline:
                raise SandboxError(f"kube-scheduler is not ready after {_READY_SECONDS:g} s; {self._child.log_end()}")
            time.sleep(_POLL_SECONDS)
