"""What a decision leaves behind of what it saw, so that it can be explained later although the cluster has moved on.

A scheduling cycle takes it for the few best nodes and for some others, while the numbers are at hand; `explaining`
makes an explanation of it when somebody asks. Nothing here refers to tables that change.
"""

from dataclasses import dataclass

from hydatis.scheduler.arrays import Float32Array, Int64Array
from hydatis.scheduler.decision import NodeScore
from hydatis.scheduler.ensemble_weights import EnsembleWeights

BEST = 5
"""Nodes that are kept in full: the chosen one, the runner-up, and those after them."""
OTHERS = 32
"""Feasible nodes, evenly picked, whose median stands for what is usual."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of the best nodes and of others."""

    best: tuple[NodeScore, ...]
    """At most `BEST`, the chosen one first, then by rank."""
    allocatable: Int64Array
    """(columns, best and others), the cluster's first columns, up to pods."""
    requested: Int64Array
    """The same of what pods request."""
    features: Float32Array | None = None
    """(best and others, features) by `PLACEMENT_SCHEMA`, where an ensemble scored."""
    ensemble: EnsembleWeights | None = None
    """The weights of the parts that counted."""

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        tables = (
            self.allocatable.nbytes + self.requested.nbytes + (0 if self.features is None else self.features.nbytes)
        )
        return tables + sum(200 + 150 * len(node.parts) for node in self.best)
