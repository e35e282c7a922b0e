"""A real kube-scheduler under any name, as a child process beside the sandbox's components.

Tests and benchmarks start it where the component kube-scheduler, of which a sandbox has one, is not enough: as a second
scheduler on the same cluster. It has the same rights and flags.
"""

import ssl
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Self

from hydatis.sandbox.building import provide
from hydatis.sandbox.certificates import write_private
from hydatis.sandbox.components import Component, Layout, scheduler_configuration
from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.ports import Port
from hydatis.sandbox.processes import spawn
from hydatis.sandbox.requesting import probe
from hydatis.sandbox.server_process import ServerProcess

_READY_SECONDS = 60.0


class KubeSchedulerProcess(ServerProcess):
    """A running kube-scheduler."""

    stop_seconds: ClassVar[float] = 10.0

    @classmethod
    def start(
        cls,
        control_plane: ControlPlane,
        scheduler_name: str,
        arguments: Sequence[str] = (),
        changes: Mapping[str, Any] = MappingProxyType({}),
    ) -> Self:
        """Start one that takes pods with this `spec.schedulerName`, and wait until it is ready; `arguments` are added
        to its flags, `changes` to its KubeSchedulerConfiguration.

        Raises `SandboxError` with the end of its log where it ends, or is not ready in time.
        """
        layout = Layout(control_plane.directory)
        kubeconfig = layout.kubeconfig(Component.SCHEDULER)
        configuration = layout.scheduler_configuration.with_name(f"{scheduler_name}.json")
        write_private(configuration, scheduler_configuration(kubeconfig, scheduler_name, changes).encode())
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
            *arguments,
        ]
        child = spawn(command, layout.log(scheduler_name), detached=False)
        process = cls(Component.SCHEDULER, child, port, command)
        context = ssl.create_default_context(cafile=str(control_plane.ca_file))
        try:
            process._await(lambda: _ready(port.number, context), "kube-scheduler", _READY_SECONDS)
        except BaseException:
            process.stop()
            raise
        return process


def _ready(port: int, context: ssl.SSLContext) -> bool:
    answer = probe(f"https://127.0.0.1:{port}/readyz", context=context)
    return answer is not None and answer.status == 200
