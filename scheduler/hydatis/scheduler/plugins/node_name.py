"""NodeName: a pod that names its node fits only there (kubernetes plugins/nodename)."""

from collections.abc import Mapping
from typing import ClassVar

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import Scope
from hydatis.scheduler.requirements import Requirements


class NodeName:
    """Filter."""

    name: ClassVar[str] = "NodeName"
    scope: ClassVar[Scope] = Scope.NODE

    def applies(self, requirements: Requirements) -> bool:
        """Only a pod that names a node."""
        return requirements.wanted_node is not None

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the named node."""
        return cluster.labels.named(requirements.wanted_node or "", rows)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """One reason for all."""
        return {"node(s) didn't match the requested node name": len(rows)}
