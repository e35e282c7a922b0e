"""The stage of the end-to-end tests: one control plane with HYDATIS installed from its chart, a scene for each test."""

import random
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from hydatis.sandbox.controlplane import MINIMAL, Component, ControlPlane
from hydatis.sandbox.faults.audit import AuditLog
from hydatis.sandbox.faults.plan import FaultPlan
from hydatis.sandbox.faults.proxy import FaultProxy
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.installing import SERVICE_ACCOUNT, install_chart
from hydatis.sandbox.operator_process import OperatorProcess

SYSTEM_NAMESPACE = "hydatis-system"


@dataclass(frozen=True, slots=True)
class Stage:
    """What the tests of one session share."""

    control_plane: ControlPlane
    kubeconfig: Path
    """The chart's service account, straight to the API server."""
    audit: AuditLog


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    audit = AuditLog(folder / "audit")
    arguments = audit.apiserver_arguments()
    with ControlPlane.start(folder / "control-plane", MINIMAL, apiserver_arguments=arguments) as control_plane:
        # For namespaces and service accounts; without those that judge nodes by kubelets, for there are none.
        idle = "-node-lifecycle-controller,-taint-eviction-controller,-pod-garbage-collector-controller"
        control_plane.start_component(Component.CONTROLLER_MANAGER, [f"--controllers={idle}"])
        yield Stage(control_plane, install_chart(control_plane, namespace=SYSTEM_NAMESPACE), audit)


@pytest.fixture
def audit(stage: Stage) -> AuditLog:
    """The API server's audit log."""
    return stage.audit


@pytest.fixture
def kubeconfig(stage: Stage) -> str:
    """The kubeconfig of the chart's service account."""
    return str(stage.kubeconfig)


@pytest.fixture
def scene_name(request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())
    return f"{words[:40].strip('-')}-{zlib.crc32(request.node.nodeid.encode()):08x}"


@pytest.fixture
def make_scene(stage: Stage, scene_name: str) -> Iterator[Callable[[Shape], Scene]]:
    with ExitStack() as cleanup:

        def make(shape: Shape) -> Scene:
            scene = Scene(stage.control_plane, stage.audit, scene_name, shape)
            cleanup.callback(scene.clear)
            scene.build()
            return scene

        yield make


@pytest.fixture
def scene(make_scene: Callable[[Shape], Scene]) -> Scene:
    """Forty nodes that hold 240 pods of a burst."""
    return make_scene(Shape())


@contextmanager
def fault_proxy(stage: Stage) -> Iterator[FaultProxy]:
    plan = FaultPlan(random.Random(20260117))  # noqa: S311 - a seed that repeats
    with FaultProxy.start(stage.control_plane.url, stage.control_plane.ca_file.parent, plan) as started:
        yield started


@pytest.fixture
def proxy(stage: Stage) -> Iterator[FaultProxy]:
    """Between the operator and the API server; its plan spoils nothing yet."""
    with fault_proxy(stage) as started:
        yield started


@pytest.fixture(scope="module")
def module_proxy(stage: Stage) -> Iterator[FaultProxy]:
    """As `proxy`, for an operator that lives through all tests of a file."""
    with fault_proxy(stage) as started:
        yield started


@contextmanager
def operator_starter(stage: Stage, folder: Path) -> Iterator[Callable[..., OperatorProcess]]:
    with ExitStack() as cleanup:

        def start(
            *arguments: str, through: FaultProxy | None = None, deadline_seconds: float = 60.0
        ) -> OperatorProcess:
            kubeconfig = stage.kubeconfig
            if through is not None:
                kubeconfig = stage.control_plane.service_account_kubeconfig(
                    SYSTEM_NAMESPACE, SERVICE_ACCOUNT, server=through.url
                )
            operator = OperatorProcess.start(
                kubeconfig, log=folder / "operator.log", arguments=arguments, deadline_seconds=deadline_seconds
            )
            cleanup.callback(operator.kill)
            return operator

        yield start


@pytest.fixture
def start_operator(stage: Stage, tmp_path: Path) -> Iterator[Callable[..., OperatorProcess]]:
    """Starts operators with the rights that ship; `through` is the proxy to go through."""
    with operator_starter(stage, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def start_module_operator(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., OperatorProcess]]:
    """As `start_operator`, for operators that live through all tests of a file."""
    with operator_starter(stage, tmp_path_factory.mktemp("operator")) as start:
        yield start


@pytest.fixture(scope="module")
def start_without(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], OperatorProcess]]:
    """Starts an operator without one plugin, under a scheduler name of its own, for all tests of a file."""
    folder = tmp_path_factory.mktemp("switched-off")
    with ExitStack() as cleanup:

        def start(plugin: str, scheduler_name: str) -> OperatorProcess:
            # In the place of the interpreter, to which the operator's own module is named first.
            program = folder / f"without-{plugin}"
            script = Path(__file__).with_name("switched_off.py")
            program.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "{script}" {plugin} "$@"\n')
            program.chmod(0o755)
            operator = OperatorProcess.start(
                stage.kubeconfig, log=folder / f"{plugin}.log", scheduler_name=scheduler_name, python=program
            )
            cleanup.callback(operator.kill)
            return operator

        yield start


@pytest.fixture(scope="module")
def kube_scheduler(stage: Stage) -> Iterator[str]:
    """The real kube-scheduler, running through all tests of a file; the scheduler name of its pods."""
    stage.control_plane.start_component(Component.SCHEDULER)
    yield "default-scheduler"
    stage.control_plane.stop_component(Component.SCHEDULER)


@pytest.fixture
def left_running() -> Callable[[Path], list[str]]:
    """Lists the command lines of processes that name the folder."""

    def find(folder: Path) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                command = process.cmdline()
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            if any(str(folder) in argument for argument in command):
                found.append(" ".join(command))
        return found

    return find
