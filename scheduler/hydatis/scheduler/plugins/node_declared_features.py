"""NodeDeclaredFeatures: a node must declare every feature of its kubelet that the pod needs (kubernetes
plugins/nodedeclaredfeatures).
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import Scope
from hydatis.scheduler.requirements import Requirements


class NodeDeclaredFeatures:
    """Filter."""

    name: ClassVar[str] = "NodeDeclaredFeatures"
    scope: ClassVar[Scope] = Scope.NODE
    helped_by: ClassVar[ClusterEvent] = ClusterEvent.NODE_ADDED | ClusterEvent.NODE_DECLARED_FEATURES

    def applies(self, requirements: Requirements) -> bool:
        """Only pods that need a feature which not every kubelet has."""
        return bool(requirements.declared_features)

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes that declare all of the features needed."""
        needed = int(requirements.declared_features)
        passed: BoolArray = cluster.declared_features[rows] & needed == needed
        return passed

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """One reason for all."""
        return {"node(s) didn't match Pod's required features": len(rows)}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """A kubelet does not change when pods go."""
        return np.ones(len(rows), dtype=np.bool_)
