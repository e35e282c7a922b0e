"""What the agent sees when a pod wants a node: a row for each node, of the very features that a placement model reads
in a cluster, late metrics and gaps included.

Called by the environment at each decision.
"""

from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.features.placement import placement_features
from hydatis.scheduler.open_decision import OpenDecision
from hydatis.scheduler.plugins.expected_overload import ExpectedOverload
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.machines import Machines


@dataclass(frozen=True, slots=True)
class Column:
    """One number of a node's row."""

    name: str
    low: float
    high: float
    meaning: str


FLAGS = (
    Column("known", 0, 1, "1 where the node exists; else the whole row is 0"),
    Column("feasible", 0, 1, "1 where the pod can go; the same as the action mask"),
)
"""What a row begins with."""
COLUMNS = (*FLAGS, *(Column(one.name, one.low, one.high, one.meaning) for one in PLACEMENT_SCHEMA.features))
"""A node's row: `FLAGS`, then the columns of `PLACEMENT_SCHEMA`."""
KNOWN, FEASIBLE = 0, 1
"""Where the flags stand."""
_CLOSED_FORM = ExpectedOverload()


class Observer:
    """Looks at one run's cluster. Nodes stand in the scenario's order, also while they are away."""

    def __init__(self, machines: Machines, cluster: Cluster) -> None:
        self._names = machines.names
        self._cluster = cluster
        self._known: Rows = np.zeros(0, dtype=np.intp)
        """Positions of nodes that exist, and their rows."""
        self._rows: Rows = np.zeros(0, dtype=np.intp)
        self._nodes_seen = -1

    def nodes(self, opened: OpenDecision) -> Float32Array:
        """(nodes, columns) in the order of `COLUMNS`."""
        self._look()
        requirements, owner = opened.pod_class.requirements, opened.pod_class.owner
        added = _CLOSED_FORM.for_owner(owner).added_overload(requirements, self._cluster, self._rows)
        seen = np.zeros((len(self._names), len(COLUMNS)), dtype=np.float32)
        seen[self._known, KNOWN] = 1.0
        seen[self._known, FEASIBLE] = [self._names[position] in opened.nodes for position in self._known.tolist()]
        seen[self._known, len(FLAGS) :] = placement_features(requirements, owner, self._cluster, self._rows, added)
        return seen

    def _look(self) -> None:
        """Find the nodes' rows anew when nodes came or went."""
        position = self._cluster.node_changes.position
        if position == self._nodes_seen:
            return
        self._nodes_seen = position
        rows = [self._cluster.row_of(name) for name in self._names]
        self._known = np.array([place for place, row in enumerate(rows) if row is not None], dtype=np.intp)
        self._rows = np.array([row for row in rows if row is not None], dtype=np.intp)
