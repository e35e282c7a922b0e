"""NodeAffinity: `nodeSelector` and node affinity, required and preferred (kubernetes plugins/nodeaffinity)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.node_selectors import AddedAffinity
from hydatis.scheduler.plugins import Everywhere, Normalization, Nowhere, OnlyOn, PreFilterResult, Scope
from hydatis.scheduler.requirements import Requirements


class NodeAffinity:
    """PreFilter by node names, filter by required terms, score by the weights of preferred terms that match."""

    name: ClassVar[str] = "NodeAffinity"
    scope: ClassVar[Scope] = Scope.NODE
    helped_by: ClassVar[ClusterEvent] = ClusterEvent.NODE_ADDED | ClusterEvent.NODE_LABELS
    prefilter_helped_by: ClassVar[ClusterEvent] = ClusterEvent.NONE
    normalization: ClassVar[Normalization] = Normalization.HIGHEST_IS_BEST

    def __init__(self, added: AddedAffinity | None = None) -> None:
        """`added` must hold, and counts, beside what each pod asks for itself."""
        self.added = added

    def prefilter(self, requirements: Requirements, cluster: Cluster) -> PreFilterResult:
        """Narrow the search to named nodes, as the pods of a DaemonSet name theirs."""
        names = requirements.node_affinity.node_names()
        if names is None:
            return Everywhere()
        return OnlyOn(names) if names else Nowhere("pod affinity terms conflict")

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes that match."""
        passed = requirements.node_affinity.matches(cluster.labels, rows)
        return passed if self.added is None else passed & self.added.matches(cluster.labels, rows)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """Name the added affinity where that does not match, else the pod's own."""
        own = len(rows) if self.added is None else int(self.added.matches(cluster.labels, rows).sum())
        counts = {
            "node(s) didn't match scheduler-enforced node affinity": len(rows) - own,
            "node(s) didn't match Pod's node affinity/selector": own,
        }
        return {reason: count for reason, count in counts.items() if count}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Labels stay when pods go."""
        return np.ones(len(rows), dtype=np.bool_)

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Sum the weights of the preferred terms that each node matches."""
        total = np.zeros(len(rows), dtype=np.int64)
        added = () if self.added is None else self.added.preferred
        for preferred in (*added, *requirements.preferred_node_affinity):
            total += preferred.weight * preferred.term.matches(cluster.labels, rows)
        return total

    def applies(self, requirements: Requirements) -> bool:
        """Only pods that state a selector, an affinity or a preference, unless there is one for all."""
        return self.added is not None or bool(requirements.node_affinity or requirements.preferred_node_affinity)
