"""InterPodAffinity: near some pods, away from others (kubernetes plugins/interpodaffinity)."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.neighbours import Near, Neighbours
from hydatis.scheduler.plugins import MAX_NODE_SCORE
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.topology import domains_of


class InterPodAffinity:
    """Filter by required affinity and anti-affinity, of the pod and of running pods; score by preferences of both."""

    name: ClassVar[str] = "InterPodAffinity"
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED
        | ClusterEvent.NODE_REMOVED
        | ClusterEvent.NODE_LABELS
        | ClusterEvent.POD_PLACED
        | ClusterEvent.POD_REMOVED
        | ClusterEvent.NAMESPACE_LABELS
        | ClusterEvent.OWN_LABELS
    )

    def filters(self, neighbours: Neighbours) -> bool:
        """Only pods that state a required term, or that one of a running pod speaks of."""
        return bool(neighbours.required_near or neighbours.forbidden_near or neighbours.forbidden_by)

    def filter(self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster) -> BoolArray:
        """Pass the rows that satisfy every required term."""
        near = _near_required(neighbours, cluster)
        own, others = _near_any(neighbours.forbidden_near, cluster), _near_any(neighbours.forbidden_by, cluster)
        passed: BoolArray = near & ~own & ~others
        return passed

    def reasons(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, rows: Rows
    ) -> Mapping[str, int]:
        """Name, for each row, the first rule that it breaks."""
        far = ~_near_required(neighbours, cluster)[rows]
        own = _near_any(neighbours.forbidden_near, cluster)[rows] & ~far
        counts = {
            "node(s) didn't match pod affinity rules": int(far.sum()),
            "node(s) didn't match pod anti-affinity rules": int(own.sum()),
            "node(s) didn't satisfy existing pods anti-affinity rules": int((~far & ~own).sum()),
        }
        return {reason: count for reason, count in counts.items() if count}

    def unresolvable(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, rows: Rows
    ) -> BoolArray:
        """Nobody to be near appears when pods go; those to be away from do go."""
        far: BoolArray = ~_near_required(neighbours, cluster)[rows]
        return far

    def scores(self, neighbours: Neighbours) -> bool:
        """Only pods with a preference, or that one of a running pod speaks of."""
        return bool(neighbours.pulls)

    def score(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, feasible: BoolArray
    ) -> tuple[Int64Array, Int64Array]:
        """Return the sum of the weights of the pods near each row, and the same scaled to 0-100 over the feasible
        rows.
        """
        raw = np.zeros(cluster.capacity, dtype=np.int64)
        for pull in neighbours.pulls:
            domains = domains_of(cluster, pull.near.topology_key)
            sums = domains.sums(pull.near.counter.counts, domains.labelled)
            raw += pull.weight * domains.spread_out(sums)
        lowest, highest = int(raw[feasible].min()), int(raw[feasible].max())
        if highest == lowest:
            return raw, np.zeros_like(raw)
        scaled = float(MAX_NODE_SCORE) * ((raw - lowest) / float(highest - lowest))
        return raw, scaled.astype(np.int64)


def _near_required(neighbours: Neighbours, cluster: Cluster) -> BoolArray:
    """Tell for each row whether its domains hold pods that match the required affinity, or none anywhere need to."""
    labelled = cluster.present.copy()
    near = cluster.present.copy()
    nowhere = True
    for term in neighbours.required_near:
        domains = domains_of(cluster, term.topology_key)
        sums = domains.sums(term.counter.counts, domains.labelled)
        labelled &= domains.labelled
        near &= domains.spread_out(sums) > 0
        nowhere = nowhere and not sums.any()
    if neighbours.required_near and nowhere and neighbours.may_be_first:
        return labelled
    passed: BoolArray = labelled & near
    return passed


def _near_any(terms: Iterable[Near], cluster: Cluster) -> BoolArray:
    """Tell for each row whether any domain of it holds a pod of any of the terms."""
    near = np.zeros(cluster.capacity, dtype=np.bool_)
    for term in terms:
        domains = domains_of(cluster, term.topology_key)
        near |= domains.spread_out(domains.sums(term.counter.counts, domains.labelled)) > 0
    return near
