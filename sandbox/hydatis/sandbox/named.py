"""Sandboxes with a name, which outlive the command that starts them: what `hydatis sandbox` does.

A name is a folder below the user's state folder; it is there from `up` to `down`.
"""

import re
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import psutil

from hydatis.sandbox.binaries import version_at
from hydatis.sandbox.building import silent
from hydatis.sandbox.controlplane import MINIMAL, Component, ControlPlane, SandboxError
from hydatis.sandbox.folders import state_folder
from hydatis.sandbox.nodes import create_nodes
from hydatis.sandbox.records import find_record, reap_abandoned

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One component of a sandbox, now."""

    component: Component
    pid: int
    port: int
    rss_mib: float | None
    """Resident memory; None where the process has ended."""
    version: str
    state: str
    """`ready`, `not ready` or `ended`."""


def folder_of(name: str) -> Path:
    """The folder of the sandbox `name`. Raises `SandboxError` where that is not a name."""
    if not _NAME.fullmatch(name):
        raise SandboxError(
            f"{name!r} is not a sandbox name; use at most 63 of a-z, 0-9 and -, with a letter or digit at both ends"
        )
    return state_folder() / "named" / name


def up(
    name: str, components: Collection[Component], *, nodes: int = 0, progress: Callable[[str], None] = silent
) -> ControlPlane:
    """Start the sandbox `name`, detached, with `nodes` KWOK nodes. Raises `SandboxError` where it is up already."""
    folder = folder_of(name)
    if nodes and Component.KWOK not in components:
        raise SandboxError("--nodes needs kwok; add --component kwok, or leave --component out")
    record = find_record(folder)
    if record is not None and record.alive() and not record.abandoned():
        raise SandboxError(f"the sandbox {name} is already up; end it with: hydatis sandbox down --name {name}")
    control_plane = ControlPlane.start(folder, MINIMAL | set(components), progress=progress, detached=True)
    try:
        if nodes:
            create_nodes(control_plane, nodes, progress)
    except BaseException:
        control_plane.stop()
        raise
    return control_plane


def down(name: str) -> None:
    """End the sandbox `name` and delete its files. Raises `SandboxError` where there is none."""
    folder = folder_of(name)
    reap_abandoned()
    record = find_record(folder)
    if record is None and not folder.exists():
        raise SandboxError(_not_up(name))
    if record is not None:
        record.end()
    shutil.rmtree(folder, ignore_errors=True)


def attach(name: str) -> ControlPlane:
    """The sandbox `name`. Raises `SandboxError` where it is not up."""
    folder = folder_of(name)
    if find_record(folder) is None:
        raise SandboxError(_not_up(name))
    return ControlPlane.attach(folder)


def status(name: str) -> list[ComponentStatus]:
    """Every component of the sandbox `name`. Raises `SandboxError` where it is not up."""
    control_plane = attach(name)
    return [_status_of(control_plane, component) for component in control_plane.components]


def _status_of(control_plane: ControlPlane, component: Component) -> ComponentStatus:
    alive = control_plane.alive(component)
    state = "ended" if not alive else "ready" if control_plane.ready(component) else "not ready"
    pid = control_plane.pid(component)
    port = int(control_plane.component_url(component).rpartition(":")[2])
    version = version_at(component.program, control_plane.binary(component))
    return ComponentStatus(component, pid, port, _rss_mib(pid) if alive else None, version, state)


def _rss_mib(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).memory_info().rss) / 2**20
    except psutil.Error:
        return None


def _not_up(name: str) -> str:
    option = "" if name == "default" else f" --name {name}"
    return f"no sandbox named {name} is up; start it with: hydatis sandbox up{option}"
