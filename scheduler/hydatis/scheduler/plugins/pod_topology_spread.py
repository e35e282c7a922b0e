"""PodTopologySpread: like pods spread evenly over topology domains (kubernetes plugins/podtopologyspread)."""

import math
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.neighbours import Neighbours, Spread
from hydatis.scheduler.plugins import MAX_NODE_SCORE
from hydatis.scheduler.plugins.taint_toleration import TaintToleration
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.topology import domains_of

HOSTNAME: Final = "kubernetes.io/hostname"
_NO_DOMAIN: Final = 2**31 - 1
"""What the emptiest domain holds when there is none (kube-scheduler starts its search for the minimum at MaxInt32)."""
_TOLERATION = TaintToleration()


class PodTopologySpread:
    """Filter by DoNotSchedule constraints, score by ScheduleAnyway ones."""

    name: ClassVar[str] = "PodTopologySpread"
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED
        | ClusterEvent.NODE_REMOVED
        | ClusterEvent.NODE_LABELS
        | ClusterEvent.NODE_TAINTS
        | ClusterEvent.POD_PLACED
        | ClusterEvent.POD_REMOVED
        | ClusterEvent.WORKLOADS
        | ClusterEvent.OWN_LABELS
        | ClusterEvent.OWN_TOLERATIONS
    )

    def filters(self, neighbours: Neighbours) -> bool:
        """Only pods with a DoNotSchedule constraint."""
        return bool(neighbours.required_spread)

    def filter(self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster) -> BoolArray:
        """Pass the rows on which no constraint's skew grows too large."""
        labelled, even = _judge(requirements, neighbours.required_spread, cluster)
        passed: BoolArray = np.logical_and.reduce([*labelled, *even])
        return passed

    def reasons(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, rows: Rows
    ) -> Mapping[str, int]:
        """Name, for each row, the first constraint's fault: a label that is missing, or too many pods in its domain."""
        missing, uneven = _first_faults(requirements, neighbours.required_spread, cluster, rows)
        reason = "node(s) didn't match pod topology spread constraints"
        counts = {f"{reason} (missing required label)": int(missing.sum()), reason: int(uneven.sum())}
        return {text: count for text, count in counts.items() if count}

    def unresolvable(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, rows: Rows
    ) -> BoolArray:
        """A label that is missing; crowded domains empty when pods go."""
        return _first_faults(requirements, neighbours.required_spread, cluster, rows)[0]

    def scores(self, neighbours: Neighbours) -> bool:
        """Only pods with a ScheduleAnyway constraint."""
        return bool(neighbours.preferred_spread)

    def score(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, feasible: BoolArray
    ) -> tuple[Int64Array, Int64Array]:
        """Return the weighted number of matching pods around each row, and the same turned to 0-100, fewest best."""
        spreads = neighbours.preferred_spread
        everywhere = neighbours.spread_by_default
        domains = [domains_of(cluster, spread.constraint.topology_key, unlabelled_too=everywhere) for spread in spreads]
        complete = cluster.present if everywhere else np.logical_and.reduce([d.labelled for d in domains])
        candidates = feasible & complete
        total = np.zeros(cluster.capacity, dtype=np.float64)
        for spread, by_key in zip(spreads, domains, strict=True):
            inhabited = by_key.inhabited(candidates)
            if spread.constraint.topology_key == HOSTNAME:
                size, counts = int(candidates.sum()), spread.counter.counts
            else:
                size = int(inhabited.sum())
                counted = complete & _included(requirements, spread, cluster)
                counts = by_key.spread_out(by_key.sums(spread.counter.counts, counted))
            # Domains of a key with few values would otherwise weigh more than those of a key with many.
            part = counts * math.log(size + 2) + (spread.constraint.max_skew - 1)
            total += np.where(by_key.labelled, part, 0.0)
        raw: Int64Array = np.where(candidates, np.floor(total + 0.5), 0).astype(np.int64)
        return raw, _turn_around(raw, candidates)


def _turn_around(raw: Int64Array, candidates: BoolArray) -> Int64Array:
    scores = raw[candidates]
    highest = int(scores.max(initial=0))
    if not highest:
        return np.where(candidates, MAX_NODE_SCORE, 0)
    turned = MAX_NODE_SCORE * (highest + int(scores.min()) - raw) // highest
    return np.where(candidates, turned, 0)


def _judge(
    requirements: Requirements, spreads: Iterable[Spread], cluster: Cluster
) -> tuple[list[BoolArray], list[BoolArray]]:
    """Return, for each constraint, which rows have its label and which keep its skew within bounds."""
    spreads = list(spreads)
    domains = [domains_of(cluster, spread.constraint.topology_key) for spread in spreads]
    complete = np.logical_and.reduce([d.labelled for d in domains])
    even = []
    for spread, by_key in zip(spreads, domains, strict=True):
        constraint = spread.constraint
        counted = complete & _included(requirements, spread, cluster)
        sums = by_key.sums(spread.counter.counts, counted)
        inhabited = sums[by_key.inhabited(counted)]
        emptiest = int(inhabited.min(initial=_NO_DOMAIN))
        if len(inhabited) < constraint.min_domains:
            emptiest = 0
        even.append(by_key.spread_out(sums) + int(spread.counts_itself) - emptiest <= constraint.max_skew)
    return [d.labelled for d in domains], even


def _first_faults(
    requirements: Requirements, spreads: Iterable[Spread], cluster: Cluster, rows: Rows
) -> tuple[BoolArray, BoolArray]:
    """Tell for each row whether its first fault is a label that is missing, and whether it is a crowded domain."""
    missing = np.zeros(len(rows), dtype=np.bool_)
    uneven = np.zeros(len(rows), dtype=np.bool_)
    for labelled, even in zip(*_judge(requirements, spreads, cluster), strict=True):
        missing |= ~labelled[rows] & ~uneven
        uneven |= ~even[rows] & ~missing
    return missing, uneven


def _included(requirements: Requirements, spread: Spread, cluster: Cluster) -> BoolArray:
    """Tell which rows count towards a constraint (nodeAffinityPolicy, nodeTaintsPolicy)."""
    included = cluster.present.copy()
    rows = cluster.rows()
    if spread.constraint.honor_affinity and requirements.node_affinity:
        included[rows] &= requirements.node_affinity.matches(cluster.labels, rows)
    if spread.constraint.honor_taints:
        included[rows] &= _TOLERATION.filter(requirements, cluster, rows)
    return included
