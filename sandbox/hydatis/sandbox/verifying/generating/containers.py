"""Containers of every kind, and the kubelet's reports about resources that were changed in place."""

from random import Random
from typing import Any

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating.chance import few
from hydatis.sandbox.verifying.generating.quantities import pod_level_requests, requests, small_requests

_PORTS = (80, 443, 8080, 1)
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_ADDRESSES = ("", "0.0.0.0", "127.0.0.1", "10.0.0.1", "::1", "::")  # noqa: S104  drawn for manifests; nothing is bound


def main_container(random: Random) -> Manifest:
    """Make the container that every pod has."""
    return _container(random, "main")


def more_containers(random: Random, pod: Manifest) -> None:
    """Add containers."""
    containers = pod["spec"]["containers"]
    containers += [_container(random, f"more-{number}") for number in range(random.randint(1, 3))]


def init_containers(random: Random, pod: Manifest) -> None:
    """Add init containers and sidecars in any order."""
    made = [_container(random, f"init-{number}") for number in range(random.randint(1, 4))]
    for container in made:
        if random.random() < 0.5:
            container["restartPolicy"] = "Always"
        if random.random() < 0.15:
            container["ports"] = few(random, _port, 2)
    pod["spec"]["initContainers"] = made


def overhead(random: Random, pod: Manifest) -> None:
    """Add what the pod's sandbox takes."""
    pod["spec"]["overhead"] = small_requests(random)


def pod_level_resources(random: Random, pod: Manifest) -> None:
    """Request for the pod as a whole."""
    pod["spec"]["resources"] = {"requests": pod_level_requests(random)}


def host_ports(random: Random, pod: Manifest) -> None:
    """Take ports of the node, and name some of the container's own."""
    random.choice(pod["spec"]["containers"])["ports"] = few(random, _port, 3)


def leave_taken_ports(pod: Manifest, taken: set[tuple[str, int]]) -> None:
    """Give up host ports that pods of the same node have, and add the others to them.

    The API server cannot keep two pods that name their node from claiming the same port. To kube-scheduler it is free
    as soon as one of them goes, to HYDATIS when both are gone.
    """
    wanted = [port for container in pod["spec"]["containers"] for port in container.get("ports", ())]
    wanted += [port for container in pod["spec"].get("initContainers", ()) for port in container.get("ports", ())]
    keys = {(port.get("protocol", "TCP"), port["hostPort"]) for port in wanted if port.get("hostPort")}
    if keys & taken:
        for port in wanted:
            port.pop("hostPort", None)
    else:
        taken |= keys


def resized_in_place(random: Random, pod: Manifest) -> None:
    """Report resources other than those of the specification, as the kubelet does during a resize."""
    spec, status = pod["spec"], pod["status"]
    for kind, field in (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")):
        reports = [_report(random, container["name"]) for container in spec.get(kind, ()) if random.random() < 0.7]
        if reports:
            status[field] = reports
    if random.random() < 0.6:
        reason = random.choice(("Infeasible", "Deferred"))
        status["conditions"] = [
            {"type": random.choice(("PodResizePending", "Ready")), "status": "True", "reason": reason}
        ]
    if random.random() < 0.3:
        status["resources"] = {"requests": small_requests(random)}
    if random.random() < 0.3:
        status["allocatedResources"] = small_requests(random)


def _container(random: Random, name: str) -> Manifest:
    container: Manifest = {"name": name}
    if random.random() < 0.9:
        container["resources"] = {"requests": requests(random)}
    return container


def _port(random: Random) -> Manifest:
    port: dict[str, Any] = {"containerPort": random.choice(_PORTS)}
    if random.random() < 0.9:
        port["hostPort"] = random.choice((*_PORTS, 0)) if random.random() < 0.2 else random.choice(_PORTS)
    if random.random() < 0.5:
        port["protocol"] = random.choice(_PROTOCOLS)
    if random.random() < 0.6:
        port["hostIP"] = random.choice(_ADDRESSES)
    return port


def _report(random: Random, name: str) -> Manifest:
    report: Manifest = {"name": name}
    if random.random() < 0.6:
        report["allocatedResources"] = small_requests(random)
    if random.random() < 0.6:
        report["resources"] = {"requests": small_requests(random)}
    return report
