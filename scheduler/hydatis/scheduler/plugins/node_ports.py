"""NodePorts: no two pods take the same host port of a node (kubernetes plugins/nodeports)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import Scope
from hydatis.scheduler.requirements import Requirements


class NodePorts:
    """Filter."""

    name: ClassVar[str] = "NodePorts"
    scope: ClassVar[Scope] = Scope.PLACEMENT
    helped_by: ClassVar[ClusterEvent] = ClusterEvent.NODE_ADDED | ClusterEvent.POD_REMOVED

    def applies(self, requirements: Requirements) -> bool:
        """Only pods that want a host port."""
        return bool(requirements.host_ports)

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes on which every wanted port is free."""
        return ~cluster.host_ports_conflict(requirements, rows)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """One reason for all."""
        return {"node(s) didn't have free ports for the requested pod ports": len(rows)}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Ports become free when their pods go."""
        return np.zeros(len(rows), dtype=np.bool_)
