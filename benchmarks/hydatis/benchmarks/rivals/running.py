"""Runs contests: HYDATIS beside kube-scheduler, and two kube-schedulers beside each other as the control.

Called by the command. One control plane serves all contests; each has nodes and a namespace of its own, and schedulers
that are started for it. The two pairs take turns, so that a machine that grows slower with time favours neither.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hydatis.sandbox.controlplane import MINIMAL, Component, ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.faults.audit import AuditLog
from hydatis.sandbox.faults.contest import contest
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.installing import install_chart
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.sandbox.scheduler_process import KubeSchedulerProcess

HYDATIS = "hydatis"
KUBE_SCHEDULER = "kube-scheduler"
SECOND_KUBE_SCHEDULER = "second-kube-scheduler"
PAIRS = ((HYDATIS, KUBE_SCHEDULER), (KUBE_SCHEDULER, SECOND_KUBE_SCHEDULER))
"""The schedulers of each contest, by the names that pods ask for them by."""
_IDLE_CONTROLLERS = "-node-lifecycle-controller,-taint-eviction-controller,-pod-garbage-collector-controller"
"""Those that judge nodes by their kubelets, of which there are none."""
_WITHDRAWN = 'hydatis_bind_outcomes_total{outcome="withdrawn"}'


@dataclass(frozen=True, slots=True)
class Settings:
    """What to run."""

    shape: Shape
    extra: int
    """Pods beyond what the nodes hold."""
    repeats: int
    deadline_seconds: float


def run_contests(settings: Settings, folder: Path, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Carry out every contest; one that does not settle is recorded with its reason, and the series goes on.

    Raises:
        SandboxError: the control plane did not start.

    """
    audit = AuditLog(folder / "audit")
    records: list[dict[str, Any]] = []
    with ControlPlane.start(
        folder / "controlplane", MINIMAL, apiserver_arguments=audit.apiserver_arguments()
    ) as control_plane:
        control_plane.start_component(Component.CONTROLLER_MANAGER, [f"--controllers={_IDLE_CONTROLLERS}"])
        kubeconfig = install_chart(control_plane)
        for repeat in range(settings.repeats):
            for pair in PAIRS if repeat % 2 == 0 else reversed(PAIRS):
                progress(f"[{repeat + 1}/{settings.repeats}] {' and '.join(pair)}")
                name = f"contest-{len(records)}"
                record: dict[str, Any] = {"schedulers": list(pair), "repeat": repeat, "problem": None}
                try:
                    with scene(control_plane, audit, name, settings.shape) as stage:
                        record |= _run(stage, pair, kubeconfig, settings)
                except SandboxError as error:
                    record["problem"] = str(error)
                records.append(record)
                progress(f"    {_outcome(record)}")
    return records


@contextmanager
def scene(control_plane: ControlPlane, audit: AuditLog, name: str, shape: Shape) -> Iterator[Scene]:
    """A scene that is cleared in the end."""
    made = Scene(control_plane, audit, name, shape)
    try:
        made.build()
        yield made
    finally:
        made.clear()


def _run(stage: Scene, pair: tuple[str, str], kubeconfig: Path, settings: Settings) -> dict[str, Any]:
    with ExitStack() as running:
        operator: OperatorProcess | None = None
        for name in pair:
            if name == HYDATIS:
                operator = running.enter_context(OperatorProcess.start(kubeconfig))
            else:
                running.enter_context(KubeSchedulerProcess.start(stage.control_plane, name))
        outcome = contest(stage, pair, extra=settings.extra, deadline_seconds=settings.deadline_seconds)
        withdrawn = None if operator is None else int(operator.metrics().get(_WITHDRAWN, 0))
        return {**asdict(outcome), "withdrawn": withdrawn}


def _outcome(record: dict[str, Any]) -> str:
    if record["problem"]:
        return f"did not settle: {record['problem']}"
    withdrawn = f", {record['withdrawn']} bindings withdrawn" if record["withdrawn"] is not None else ""
    return (
        f"{sum(record['bound'].values())} of {record['pods']} pods bound to {record['places']} places in "
        f"{record['seconds']:.1f} s; {record['overcommitted_nodes']} nodes overcommitted, by {record['too_many']} pods"
        f"{withdrawn}"
    )
