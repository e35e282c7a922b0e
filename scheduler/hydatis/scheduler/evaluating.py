"""The evaluations of recent equivalence classes, kept within a bound of memory, and the diagnosis when no node is
feasible.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.filtering import Diagnosis, diagnose, filter_rows
from hydatis.scheduler.plugins import Scope
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.prefiltering import Rejected, SearchSpace, prefilter
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.scoring import Evaluation

_BYTES_PER_ROW = 64
"""About what one evaluation keeps a node: two verdicts, a total, and a raw score for each of a handful of plugins."""


@dataclass(slots=True)
class _Kept:
    """An evaluation and the policy it was made under, held so that the policy's identity stays taken."""

    policy: Policy
    evaluation: Evaluation


class Evaluations:
    """One evaluation for each class and policy, the least recently used dropped when memory runs short."""

    def __init__(self, cluster: Cluster, profile: Profile, memory_bytes: int) -> None:
        self._cluster = cluster
        self._profile = profile
        self._memory_bytes = memory_bytes
        self._kept: OrderedDict[tuple[Requirements, int], _Kept] = OrderedDict()
        self._diagnoses: dict[Requirements, tuple[tuple[int, int], Diagnosis]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, requirements: Requirements, policy: Policy, space: SearchSpace) -> Evaluation:
        """Return the class's evaluation, up to date with the cluster."""
        if space.names is not None:
            # The pods of a DaemonSet are each a class of their own, looking at one node: nothing to gain from keeping
            # them.
            evaluation = self._new(requirements, policy, space.rows(self._cluster))
        else:
            key = (requirements, id(policy))
            kept = self._kept.get(key)
            if kept is None:
                kept = self._kept[key] = _Kept(policy, self._new(requirements, policy, None))
                self._drop_least_recent()
            self._kept.move_to_end(key)
            evaluation = kept.evaluation
        evaluation.refresh()
        return evaluation

    def diagnosis(self, requirements: Requirements, space: SearchSpace) -> Diagnosis:
        """Say why no node is feasible; like pods that fail one after the other share one answer."""
        version = (self._cluster.node_changes.position, self._cluster.placement_changes.position)
        known = self._diagnoses.get(requirements)
        if known is not None and known[0] == version:
            return known[1]
        found = diagnose(self._profile.filters, requirements, self._cluster, space)
        if not known or known[0] != version:
            self._diagnoses = {r: d for r, d in self._diagnoses.items() if d[0] == version}
        self._diagnoses[requirements] = (version, found)
        return found

    def feasible_among(self, requirements: Requirements, rows: Rows | None) -> bool:
        """Tell whether any of these nodes (None: of all) could run such a pod now."""
        space = prefilter(self._profile.prefilters, requirements)
        if isinstance(space, Rejected) or requirements.unsupported:
            return False
        if rows is None or space.names is not None:
            in_space = space.rows(self._cluster)
            rows = in_space if rows is None else np.intersect1d(rows, in_space)
        rows = rows[self._cluster.present[rows]]
        for scope in (Scope.NODE, Scope.PLACEMENT):
            plugins = [p for p in self._profile.filters if p.scope is scope and p.applies(requirements)]
            if not len(rows):
                return False
            rows = rows[filter_rows(plugins, requirements, self._cluster, rows)]
        return len(rows) > 0

    def _new(self, requirements: Requirements, policy: Policy, only_rows: Rows | None) -> Evaluation:
        weighted = self._profile.weighted_scores(policy)
        return Evaluation(requirements, self._profile.filters, weighted, self._cluster, only_rows)

    def _drop_least_recent(self) -> None:
        most = max(16, self._memory_bytes // (_BYTES_PER_ROW * self._cluster.capacity))
        while len(self._kept) > most:
            self._kept.popitem(last=False)
