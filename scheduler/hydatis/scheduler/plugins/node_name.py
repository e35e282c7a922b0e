"""NodeName: a pod that names its node fits only there (kubernetes plugins/nodename)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import Everywhere, OnlyOn, PreFilterResult, Scope
from hydatis.scheduler.requirements import Requirements


class NodeName:
    """PreFilter and filter. Only who asks «would it fit there» sees it reject: pods that have their node are not
    scheduled.
    """

    name: ClassVar[str] = "NodeName"
    scope: ClassVar[Scope] = Scope.NODE
    helped_by: ClassVar[ClusterEvent] = ClusterEvent.NODE_ADDED
    prefilter_helped_by: ClassVar[ClusterEvent] = ClusterEvent.NONE

    def applies(self, requirements: Requirements) -> bool:
        """Only a pod that names a node."""
        return requirements.wanted_node is not None

    def prefilter(self, requirements: Requirements, cluster: Cluster) -> PreFilterResult:
        """Narrow the search to the named node."""
        name = requirements.wanted_node
        return Everywhere() if name is None else OnlyOn(frozenset({name}))

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the named node."""
        return cluster.labels.named(requirements.wanted_node or "", rows)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """One reason for all."""
        return {"node(s) didn't match the requested node name": len(rows)}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Every other node stays another."""
        return np.ones(len(rows), dtype=np.bool_)
