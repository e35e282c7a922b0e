"""Small clusters and workloads, written down pod by pod: for tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydatis.scheduler.policy import Heuristic
from hydatis.simulations.baselines.policies import OneHeuristic
from hydatis.simulations.clusters import NodeShape
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.scenario import Assumptions, Demand, NodeGroup, Scenario
from hydatis.simulations.virtual_time.workload import Owner, Usage, Workload

RESERVED_MILLICORES = 100
"""What a node of so many cores has less of allocatable."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of a small workload."""

    created: float = 0.0
    lifetime: float = 600.0
    cpu: int = 1000
    """Millicores."""
    memory: int = 1024
    """MiB."""
    qos: str = "LS"
    owner: str = ""
    """Empty: one of its own."""
    cpu_percent: Sequence[float] = (50.0,)
    """Of the request, a value a minute, over and over."""
    memory_percent: Sequence[float] = (50.0,)
    patience: float = np.inf
    gpus: int = 0


def workload_of(*pods: Pod) -> Workload:
    """Return a workload of these pods, which are sorted by creation."""
    names = [pod.owner or f"owner-{number}" for number, pod in enumerate(pods)]
    owners = {
        name: Owner(name, "default", pod.qos, pod.cpu, pod.memory, pod.gpus)
        for name, pod in zip(names, pods, strict=True)
    }
    numbers = {name: number for number, name in enumerate(owners)}
    steady = np.ones((len(pods), 1), dtype=np.float32)
    return Workload(
        owners=tuple(owners.values()),
        owner_of_pod=np.array([numbers[name] for name in names], dtype=np.int64),
        created_seconds=np.array([pod.created for pod in pods], dtype=np.float64),
        lifetime_seconds=np.array([pod.lifetime for pod in pods], dtype=np.float64),
        patience_seconds=np.array([pod.patience for pod in pods], dtype=np.float64),
        initial=np.array([pod.created < 0 for pod in pods], dtype=np.bool_),
        series=np.arange(len(pods), dtype=np.int64),
        offset_seconds=np.zeros(len(pods)),
        usage=Usage(
            60.0,
            _table([pod.cpu_percent for pod in pods]),
            _table([pod.memory_percent for pod in pods]),
            50 * steady,
            10 * steady,
            20 * steady,
        ),
    )


def scenario_of(*cores: int, hours: float = 1.0, gib_a_core: int = 4, **assumptions: Any) -> Scenario:
    """Return a scenario with a node of each of so many cores; nothing is missing from the metrics unless said."""
    return Scenario(
        "small",
        tuple(NodeGroup(NodeShape(f"node-{count}", count, count * gib_a_core), 1) for count in cores),
        3600.0 * hours,
        0.0,
        Demand(load=0.5, owners=5),
        assumptions=Assumptions(**{"missing_share": 0.0, **assumptions}),
    )


def default_policy() -> OneHeuristic:
    """Return kube-scheduler's default plugins, as a new profile."""
    return OneHeuristic(heuristic=Heuristic.KUBE_SCHEDULER)


def _table(rows: Sequence[Sequence[float]]) -> Float32Array:
    """Make rows equally long by repeating them as often as it takes."""
    length = int(np.lcm.reduce([len(row) for row in rows])) if rows else 1
    return np.array([np.resize(row, length) for row in rows], dtype=np.float32).reshape(len(rows), length)
