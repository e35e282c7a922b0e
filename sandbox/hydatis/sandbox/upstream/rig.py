"""The cluster that Kubernetes' scheduling tests run against: a control plane, KWOK nodes, and one scheduler.

The tests expect a cluster that a distribution would set up: every controller, nodes in several zones with an address of
their own, and on each of them the pods that Kubernetes' own test clusters run (without those every test waits a
minute for them). The scheduler is HYDATIS, with the rights that its chart grants, or the real kube-scheduler.
"""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydatis.sandbox.building import Progress
from hydatis.sandbox.controlplane import FULL, Component, ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.installing import install_chart
from hydatis.sandbox.nodes import create_nodes
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.sandbox.upstream.naming import DEFAULT_NAME, HYDATIS_NAME, inject_name
from hydatis.sandbox.upstream.plan import Naming, Plan, Scheduler

_ZONES = 2
_SYSTEM_PODS = ("kube-proxy", "fluentd-elasticsearch", "node-problem-detector")
"""Names that Kubernetes' test framework looks for on every node before it calls a cluster healthy."""
_SETTLE_SECONDS = 60.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Subject:
    """The scheduler under test."""

    alive: Callable[[], bool]
    log: Path
    """What it prints."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A cluster with a scheduler, ready for the tests."""

    control_plane: ControlPlane
    subject: Subject


@contextmanager
def rig(folder: Path, plan: Plan, progress: Progress) -> Iterator[Rig]:
    """Set up a rig of the plan in `folder`; at the end every process of it is gone.

    Raises `SandboxError` where anything does not start.
    """
    components = FULL | {Component.SCHEDULER} if plan.scheduler is Scheduler.KUBE_SCHEDULER else FULL
    with ControlPlane.start(folder / "controlplane", components, progress=progress) as control_plane:
        create_nodes(control_plane, plan.nodes, progress, zones=_ZONES)
        _settle(control_plane, plan.nodes)
        if plan.scheduler is Scheduler.KUBE_SCHEDULER:
            log = folder / "controlplane" / "logs" / "kube-scheduler.log"
            yield Rig(control_plane, Subject(lambda: control_plane.alive(Component.SCHEDULER), log))
            return
        if plan.naming is Naming.INJECTED:
            inject_name(control_plane, HYDATIS_NAME)
        name = HYDATIS_NAME if plan.naming is Naming.INJECTED else DEFAULT_NAME
        progress("starting hydatis")
        log = folder / "hydatis.log"
        kubeconfig = install_chart(control_plane)
        with OperatorProcess.start(
            kubeconfig, log=log, scheduler_name=name, arguments=["--seed", str(plan.seed)]
        ) as operator:
            yield Rig(control_plane, Subject(operator.alive, log))


def _settle(control_plane: ControlPlane, nodes: int) -> None:
    """Wait until pods may run on every node, and have the system's pods run there."""
    api = control_plane.api
    path = "/api/v1/nodes"
    _until(lambda: not any(node["spec"].get("taints") for node in api.call("GET", path)["items"]), "nodes lose taints")
    account = "/api/v1/namespaces/kube-system/serviceaccounts/default"
    _until(lambda: api.request("GET", account).status == http.client.OK, "kube-system has its service account")
    pods = "/api/v1/namespaces/kube-system/pods"
    names = [f"{name}-{number}" for number in range(nodes) for name in _SYSTEM_PODS]
    for name in names:
        api.call("POST", pods, _system_pod(name))
    # No scheduler bound them, so nobody else says that they are scheduled, and the tests ask.
    scheduled = json.dumps({"status": {"conditions": [{"type": "PodScheduled", "status": "True"}]}})
    control_plane.kubectl("patch", "pods", *names, "--namespace=kube-system", "--subresource=status", "-p", scheduled)
    _until(
        lambda: all(pod["status"].get("phase") == "Running" for pod in api.call("GET", pods)["items"]),
        "the system's pods run",
    )


def _system_pod(name: str) -> dict[str, Any]:
    container, _, number = name.rpartition("-")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeName": f"node-{number}",
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": container, "image": container}],
        },
    }


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _SETTLE_SECONDS
    while not condition():
        if time.monotonic() >= deadline:
            raise SandboxError(f"after {_SETTLE_SECONDS:.0f} s it does not hold that {what}; see the sandbox's logs")
        time.sleep(_POLL_SECONDS)
