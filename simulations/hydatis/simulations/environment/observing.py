"""What the agent sees when a pod wants a node: as much as the scheduler knows by then, late metrics and gaps included.

Called by the environment at each decision. Every number is scaled, so that clusters of other sizes and nodes of other
shapes look alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.open_decision import OpenDecision
from hydatis.scheduler.resources import CPU_COLUMN, MEMORY_COLUMN
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.machines import Machines

FRESH_SECONDS = 180.0
"""A sample that is older counts as none (koordinator's default nodeMetricExpirationSeconds)."""
MOST_USE = 2.0
"""Use is cut here: a node whose pods want twice of what it has is as full as any."""
_DAY_SECONDS = 86_400.0
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of an observation."""

    name: str
    low: float
    high: float
    meaning: str


NODE_FEATURES = (
    Feature("known", 0, 1, "1 where the node exists"),
    Feature("feasible", 0, 1, "1 where the pod can go; the same as the action mask"),
    Feature("cpu_capacity", 0, 1, "CPU, as a share of the largest node's"),
    Feature("memory_capacity", 0, 1, "memory, as a share of the largest node's"),
    Feature("cpu_requested", 0, 1, "CPU requested by its pods, as a share of the node's"),
    Feature("memory_requested", 0, 1, "memory requested by its pods, as a share of the node's"),
    Feature("measured", 0, 1, "1 where the last sample of its use is younger than 3 minutes"),
    Feature(
        "cpu_measured", 0, MOST_USE, "CPU use in that sample and that of pods it does not hold yet, as a share; else 0"
    ),
    Feature("memory_measured", 0, MOST_USE, "the same of memory"),
    Feature("cpu_expected", 0, MOST_USE, "CPU use expected of its pods by what their owners' pods used, as a share"),
    Feature("memory_expected", 0, MOST_USE, "the same of memory"),
)
POD_FEATURES = (
    Feature("cpu_request", 0, 1, "CPU requested, as a share of the largest node's"),
    Feature("memory_request", 0, 1, "memory requested, as a share of the largest node's"),
    Feature("cpu_expected", 0, 1, "CPU use expected by what the owner's pods used, as a share of the largest node's"),
    Feature("memory_expected", 0, 1, "the same of memory"),
    Feature("hour_sine", -1, 1, "sine of the time of day"),
    Feature("hour_cosine", -1, 1, "cosine of the time of day"),
    Feature("waiting", 0, 1, "pods that wait, over themselves and the number of nodes"),
)


class Observer:
    """Looks at one run's cluster. Nodes stand in the scenario's order, also while they are away."""

    def __init__(self, machines: Machines, cluster: Cluster) -> None:
        self._names = machines.names
        self._cluster = cluster
        self._capacity = np.stack([machines.cpu_millicores, machines.memory_mib * _MIB])
        self._largest = self._capacity.max(axis=1, keepdims=True)
        self._known: Rows = np.zeros(0, dtype=np.intp)
        """Positions of nodes that exist, and their rows."""
        self._rows: Rows = np.zeros(0, dtype=np.intp)
        self._nodes_seen = -1

    def nodes(self, opened: OpenDecision) -> Float32Array:
        """(nodes, features) in the order of `NODE_FEATURES`."""
        self._look()
        cluster, load, known, rows = self._cluster, self._cluster.load, self._known, self._rows
        capacity = self._capacity[:, known]
        seen = np.zeros((len(self._names), len(NODE_FEATURES)), dtype=np.float32)
        fresh = load.younger(rows, FRESH_SECONDS)
        samples = np.stack([load.cpu_millicores[rows], load.memory_bytes[rows]])
        use = np.where(fresh & np.isfinite(samples), samples + load.assumed(rows), 0.0)
        columns = (
            np.ones(len(rows)),
            [self._names[position] in opened.nodes for position in known.tolist()],
            *(capacity / self._largest),
            *(cluster.requested[[CPU_COLUMN, MEMORY_COLUMN]][:, rows] / capacity),
            fresh,
            *(use / capacity),
            *(load.expected.mean(rows) / capacity),
        )
        for number, (feature, values) in enumerate(zip(NODE_FEATURES, columns, strict=True)):
            seen[known, number] = np.clip(values, feature.low, feature.high)
        return seen

    def pod(self, opened: OpenDecision, now: float, waiting: int) -> Float32Array:
        """(features,) in the order of `POD_FEATURES`."""
        requirements = opened.pod_class.requirements
        largest = self._largest[:, 0]
        requested = np.array([requirements.request(CPU_COLUMN), requirements.request(MEMORY_COLUMN)]) / largest
        expected = np.array(self._cluster.load.expected_of(opened.pod_class.owner, requirements)) / largest
        angle = 2 * np.pi * now / _DAY_SECONDS
        values = (*requested, *expected, np.sin(angle), np.cos(angle), waiting / (waiting + len(self._names)))
        bounds = np.array([(feature.low, feature.high) for feature in POD_FEATURES])
        clipped = np.clip(np.array(values), bounds[:, 0], bounds[:, 1])
        return np.asarray(clipped, dtype=np.float32)

    def _look(self) -> None:
        """Find the nodes' rows anew when nodes came or went."""
        position = self._cluster.node_changes.position
        if position == self._nodes_seen:
            return
        self._nodes_seen = position
        rows = [self._cluster.row_of(name) for name in self._names]
        self._known = np.array([place for place, row in enumerate(rows) if row is not None], dtype=np.intp)
        self._rows = np.array([row for row in rows if row is not None], dtype=np.intp)


def markdown_table(features: Sequence[Feature]) -> str:
    """Return the table of the documentation."""
    lines = ["| | Feature | Bounds | What it is |", "| ---: | --- | --- | --- |"]
    lines += [
        f"| {number} | `{each.name}` | {each.low:g} to {each.high:g} | {each.meaning} |"
        for number, each in enumerate(features)
    ]
    return "\n".join(lines) + "\n"
