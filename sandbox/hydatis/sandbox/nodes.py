"""Nodes without machines: Node objects that KWOK keeps Ready and whose pods it lets run."""

import ipaddress
import time
from collections.abc import Callable
from typing import Any

from hydatis.sandbox.building import silent
from hydatis.sandbox.controlplane import Component, ControlPlane, SandboxError

_FIRST_ADDRESS = ipaddress.IPv4Address("10.128.0.1")
_ZONES = 3
_READY_SECONDS = 120.0
_TOLD_EVERY = 500


def node_manifest(number: int, zones: int = _ZONES) -> dict[str, Any]:
    """Node `node-<number>`: 8 CPU, 32 GiB, 110 pods, in one of `zones` zones, with an address of its own."""
    name = f"node-{number}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/zone": f"zone-{number % zones}",
                "type": "kwok",
            },
        },
        "status": {
            "capacity": {"cpu": "8", "memory": "32Gi", "ephemeral-storage": "100Gi", "pods": "110"},
            "addresses": [
                {"type": "InternalIP", "address": str(_FIRST_ADDRESS + number)},
                {"type": "Hostname", "address": name},
            ],
        },
    }


def create_nodes(
    control_plane: ControlPlane, count: int, progress: Callable[[str], None] = silent, *, zones: int = _ZONES
) -> None:
    """Create `count` nodes and wait until all are Ready. Raises `SandboxError` where KWOK does not run."""
    if Component.KWOK not in control_plane.components:
        raise SandboxError("nodes need the component kwok, which this sandbox does not have; start it with kwok")
    api = control_plane.api
    for number in range(count):
        if number % _TOLD_EVERY == 0:
            progress(f"creating nodes: {number} of {count}")
        api.call("POST", "/api/v1/nodes", node_manifest(number, zones))
    deadline = time.monotonic() + _READY_SECONDS
    while (ready := sum(map(_is_ready, api.call("GET", "/api/v1/nodes")["items"]))) < count:
        progress(f"nodes ready: {ready} of {count}")
        if time.monotonic() >= deadline:
            raise SandboxError(
                f"{ready} of {count} nodes are Ready after {_READY_SECONDS:.0f} s; "
                f"see kwok's log below {control_plane.directory}"
            )
        time.sleep(0.5)


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
