"""NodeUnschedulable: cordoned nodes take no pods but those that tolerate it (kubernetes plugins/nodeunschedulable)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.tolerations import NO_SCHEDULE, Taint, tolerated

_CORDON = Taint(key="node.kubernetes.io/unschedulable", value="", effect=NO_SCHEDULE)


class NodeUnschedulable:
    """Filter."""

    name: ClassVar[str] = "NodeUnschedulable"
    scope: ClassVar[Scope] = Scope.NODE
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED | ClusterEvent.NODE_TAINTS | ClusterEvent.OWN_TOLERATIONS
    )

    def applies(self, requirements: Requirements) -> bool:
        """Every pod that does not tolerate the cordon's taint."""
        return not tolerated(_CORDON, requirements.tolerations)

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes that are not cordoned."""
        verdicts: BoolArray = ~cluster.unschedulable[rows]
        return verdicts

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """One reason for all."""
        return {"node(s) were unschedulable": len(rows)}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """A cordon stays when pods go."""
        return np.ones(len(rows), dtype=np.bool_)
