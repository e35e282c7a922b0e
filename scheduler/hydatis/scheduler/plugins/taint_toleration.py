"""TaintToleration: pods stay off taints they do not tolerate (kubernetes plugins/tainttoleration)."""

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import Normalization, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.tolerations import PREFER_NO_SCHEDULE, Taint, tolerated


class TaintToleration:
    """Filter on NoSchedule and NoExecute; score by the number of PreferNoSchedule taints not tolerated, fewest best."""

    name: ClassVar[str] = "TaintToleration"
    scope: ClassVar[Scope] = Scope.NODE
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED | ClusterEvent.NODE_TAINTS | ClusterEvent.OWN_TOLERATIONS
    )
    normalization: ClassVar[Normalization] = Normalization.LOWEST_IS_BEST

    def applies(self, requirements: Requirements) -> bool:
        """Every pod: one without tolerations most of all."""
        return True

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes whose every forbidding taint is tolerated."""

        def untolerated(taints: tuple[Taint, ...]) -> int:
            return any(t.forbids_scheduling and not tolerated(t, requirements.tolerations) for t in taints)

        passed: BoolArray = _by_taint_set(cluster, rows, untolerated) == 0
        return passed

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """One reason for all."""
        return {"node(s) had untolerated taint(s)": len(rows)}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Taints stay when pods go."""
        return np.ones(len(rows), dtype=np.bool_)

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Count each node's untolerated PreferNoSchedule taints."""
        # A toleration of another effect does not help here; one without effect covers all of them.
        tolerations = [t for t in requirements.tolerations if t.effect in {"", PREFER_NO_SCHEDULE}]

        def untolerated(taints: tuple[Taint, ...]) -> int:
            return sum(t.effect == PREFER_NO_SCHEDULE and not tolerated(t, tolerations) for t in taints)

        return _by_taint_set(cluster, rows, untolerated)


def _by_taint_set(cluster: Cluster, rows: Rows, judge: Callable[[tuple[Taint, ...]], int]) -> Int64Array:
    """Ask `judge` once for each distinct set of taints and return its answer by row: nodes are many, sets of taints
    few.
    """
    numbers = cluster.taint_set[rows]
    if not numbers.any():
        return np.full(len(rows), judge(()), dtype=np.int64)
    # The numbers are small, so that counting them is quicker than sorting them, which np.unique does.
    distinct = np.flatnonzero(np.bincount(numbers))
    answers = np.zeros(int(distinct[-1]) + 1, dtype=np.int64)
    answers[distinct] = [judge(cluster.taint_sets[number]) for number in distinct.tolist()]
    by_row: Int64Array = answers[numbers]
    return by_row
