"""The schedulers that are compared: how each is installed, started and ended on a control plane.

Called by a run. Both start on the same kind of control plane, as the user their own installation gives them.
"""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hydatis.sandbox.controlplane import Component, ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.installing import install_chart
from hydatis.sandbox.operator_process import OperatorProcess

_POLICIES = "/apis/hydatis.io/v1alpha1/mlschedulerpolicies"
_SERVED_SECONDS = 30.0
"""A new resource is served a second or two after its definition; no part of any scheduler's start."""


@dataclass(frozen=True, slots=True)
class Running:
    """A scheduler that has said that it is ready."""

    pid: int
    stop: Callable[[], None]


class Contender(Protocol):
    """A scheduler under test."""

    @property
    def name(self) -> str:
        """Key of its results."""

    @property
    def scheduler_name(self) -> str:
        """What pods write in spec.schedulerName to be scheduled by it."""

    def install(self, control_plane: ControlPlane) -> None:
        """Do what precedes every start: resources, accounts, permissions. Not timed."""

    def start(self, control_plane: ControlPlane) -> Running:
        """Start its process and wait until it is ready. Timed."""


class KubeScheduler:
    """The real kube-scheduler with its default profile."""

    name = "kube_scheduler"
    scheduler_name = "default-scheduler"

    def install(self, control_plane: ControlPlane) -> None:
        """Nothing to do: the API server brings kube-scheduler's permissions itself."""

    def start(self, control_plane: ControlPlane) -> Running:
        """Start kube-scheduler."""
        control_plane.start_component(Component.SCHEDULER)
        return Running(
            control_plane.pid(Component.SCHEDULER), lambda: control_plane.stop_component(Component.SCHEDULER)
        )


class Hydatis:
    """HYDATIS as its chart installs it: custom resources, service account, permissions."""

    name = "hydatis"
    scheduler_name = "hydatis"

    def __init__(self) -> None:
        self._kubeconfig: Path | None = None

    def install(self, control_plane: ControlPlane) -> None:
        """Install the chart, and wait until the API server serves its custom resources.

        Raises:
            SandboxError: Helm failed, or the resources are not served after `_SERVED_SECONDS`.

        """
        self._kubeconfig = install_chart(control_plane)
        deadline = time.monotonic() + _SERVED_SECONDS
        while control_plane.api.request("GET", _POLICIES).status != http.client.OK:
            if time.monotonic() >= deadline:
                raise SandboxError(f"{_POLICIES} is not served {_SERVED_SECONDS:g} s after the chart was installed")
            time.sleep(0.1)

    def start(self, control_plane: ControlPlane) -> Running:
        """Start the operator as the chart's service account."""
        if self._kubeconfig is None:
            raise RuntimeError("install comes before start")
        process = OperatorProcess.start(self._kubeconfig)
        return Running(process.pid, process.stop)
