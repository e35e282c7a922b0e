"""Crowded clusters: every node is full of small pods, so that preemption has to choose among nodes that differ in
little, by each of its rules in turn.
"""

from random import Random
from typing import Final

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating import priorities

_PREEMPTING: Final = 100
_FEW: Final = ((5, 5, 0, -10), (5, 0), (5, 5, -(2**31)))
"""Priorities of what runs. A pod of the lowest there is adds to the number of victims, and nothing to their sum."""
_ROOM_OF_EMPTY_NODES: Final = "500m"
"""Not enough for any of these pods."""


def crowd(random: Random, nodes: list[Manifest], bound: list[Manifest], candidates: list[Manifest]) -> None:
    """Leave of nodes and pods their names, labels and ages, and let nothing but room matter, of which there is none."""
    few = random.choice(_FEW)
    for pod in bound:
        _plain(pod, random.choice((1, 1, 2)))
        pod["spec"]["priority"] = random.choice(few)
        pod["metadata"].pop("deletionTimestamp", None)
        pod["status"] = {"phase": "Running"}
        priorities.started(random, pod)
        if random.random() < 0.1:
            priorities.terminating(random, pod)
    for candidate in candidates:
        _plain(candidate, random.choice((1, 2, 2)))
        candidate["spec"]["priority"] = _PREEMPTING
        candidate["status"].pop("nominatedNodeName", None)
        if random.random() < 0.4:
            priorities.nominated_node(random, candidate)
    for node in nodes:
        sizes = [_size(pod) for pod in bound if pod["spec"]["nodeName"] == node["metadata"]["name"]]
        cpu = str(sum(sizes)) if sizes else _ROOM_OF_EMPTY_NODES
        node["spec"] = {}
        node["status"]["allocatable"] = {"cpu": cpu, "memory": "8Gi", "pods": "100"}


def _plain(pod: Manifest, size: int) -> None:
    """Let the pod ask for nothing but so many CPUs."""
    kept = {
        name: pod["spec"][name] for name in ("schedulerName", "nodeName", "preemptionPolicy") if name in pod["spec"]
    }
    container = {"name": "main", "resources": {"requests": {"cpu": str(size)}}}
    pod["spec"] = {**kept, "containers": [container]}


def _size(pod: Manifest) -> int:
    return int(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"])
