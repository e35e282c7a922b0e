"""The evaluations of recent equivalence classes, kept within a bound of memory, and the diagnosis when no node is
feasible.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import NO_ROWS, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.filter_args import FilterArgs
from hydatis.scheduler.filtering import Diagnosis, Filters, diagnose, held_back, rejections_beside
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.neighbours import Neighbours
from hydatis.scheduler.nominations import Beside, Nominations
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.prefiltering import Rejected, SearchSpace, prefilter
from hydatis.scheduler.profile import NO_MODELS, Profile
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.scoring import Evaluation

_BYTES_PER_ROW = 64
"""About what one evaluation keeps a node: two verdicts, a total, and a raw score for each of a handful of plugins."""


_NOBODY = Neighbours()
"""The one object that stands for nothing to heed, so that classes without neighbours share their evaluation."""


@dataclass(slots=True)
class _Kept:
    """An evaluation, with the policy and the neighbours it was made under, held so that their identities stay taken."""

    policy: Policy
    neighbours: Neighbours
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Look:
    """What filtering some nodes again brought."""

    rows: Rows
    """Those that can run the pod."""
    rejected_by: frozenset[str]
    """The first plugin to reject each of the others."""
    resolvable: Rows
    """Those of the others where pods might make way for it."""

    @property
    def feasible(self) -> bool:
        """Whether any of them can run the pod."""
        return len(self.rows) > 0


class Evaluations:
    """One evaluation for each class and policy, the least recently used dropped when memory runs short."""

    def __init__(
        self,
        cluster: Cluster,
        nominations: Nominations,
        profile: Profile,
        memory_bytes: int,
        models: Mapping[str, Model] = NO_MODELS,
    ) -> None:
        self._cluster = cluster
        self._nominations = nominations
        self._profile = profile
        self.models = models
        """The models that are loaded."""
        self._memory_bytes = memory_bytes
        self._kept: OrderedDict[tuple[Requirements, int, int, Owner | None], _Kept] = OrderedDict()
        self._diagnoses: dict[tuple[PodClass, FilterArgs], tuple[tuple[int, ...], Diagnosis]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, pod: PodClass, policy: Policy, space: SearchSpace) -> Evaluation:
        """Return the class's evaluation, up to date with the cluster.

        Classes that ask the same of nodes and have nothing to heed of other pods share one, and those of different
        owners only where no plugin tells owners apart.
        """
        defaults = self._profile.with_filter_args(policy.plugin_args.filters).spread_defaults
        neighbours = pod.neighbours(self._cluster.placed, self._cluster.workloads, defaults) or _NOBODY
        if space.names is not None:
            # The pods of a DaemonSet are each a class of their own, looking at one node: nothing to gain from keeping
            # them.
            evaluation = self._new(pod, neighbours, policy, space.rows(self._cluster))
        else:
            owner = pod.owner if self._profile.tells_owners_apart(policy, self.models) else None
            key = (pod.requirements, id(neighbours), id(policy), owner)
            kept = self._kept.get(key)
            if kept is None:
                evaluation = self._new(pod, neighbours, policy, None)
                kept = self._kept[key] = _Kept(policy, neighbours, evaluation)
                self._drop_least_recent()
            self._kept.move_to_end(key)
            evaluation = kept.evaluation
        evaluation.refresh()
        return evaluation

    def forget(self, concerns: Callable[[Policy], bool]) -> None:
        """Drop the evaluations that were made under these policies: what their plugins compute with has changed."""
        for key in [key for key, kept in self._kept.items() if concerns(kept.policy)]:
            del self._kept[key]

    def diagnosis(self, pod: PodClass, args: FilterArgs, space: SearchSpace, beside: Beside) -> Diagnosis:
        """Say why no node is feasible; like pods that fail one after the other share one answer, unless there are
        nominated pods that one of them has to heed, and another may be itself.
        """
        cluster = self._cluster
        profile = self._profile.with_filter_args(args)
        if beside:
            return diagnose(profile, pod, cluster, space, beside)
        version = (
            cluster.node_changes.position,
            cluster.placement_changes.position,
            cluster.placed.version,
            cluster.workloads.version,
            cluster.storage.version,
            *(cluster.load.version if profile.filters_by_load else ()),
        )
        known = self._diagnoses.get((pod, args))
        if known is not None and known[0] == version:
            return known[1]
        found = diagnose(profile, pod, cluster, space, beside)
        if not known or known[0] != version:
            self._diagnoses = {r: d for r, d in self._diagnoses.items() if d[0] == version}
        self._diagnoses[pod, args] = (version, found)
        return found

    def look_again(self, pod: PodClass, args: FilterArgs, rows: Rows | None) -> Look:
        """Ask whether any of these nodes (None: of all) could run such a pod now, and which plugins reject it there.

        Those where pods might make way are told only if the pod may displace any at all. A node counts as free for the
        class although it is kept for one of its own pods: `free_for_all` tells more.
        """
        requirements, cluster = pod.requirements, self._cluster
        if requirements.unsupported:
            return Look(NO_ROWS, frozenset(), NO_ROWS)
        space = prefilter(self._profile.prefilters, requirements, cluster)
        if isinstance(space, Rejected):
            return Look(NO_ROWS, frozenset({space.plugin}), NO_ROWS)
        if rows is None or space.names is not None:
            in_space = space.rows(cluster)
            rows = in_space if rows is None else np.intersect1d(rows, in_space)
        remaining = rows[cluster.present[rows]]
        rejecting = set(space.narrowed_by)
        filters = Filters(self._profile.with_filter_args(args), pod, cluster)
        may_displace = pod.preempts and cluster.holds_below(pod.priority)
        resolvable = []
        for rejection in filters.rejections(remaining):
            rejecting.add(rejection.plugin)
            remaining = np.setdiff1d(remaining, rejection.rows)
            if may_displace:
                resolvable.append(rejection.rows[~rejection.unresolvable()])
        beside = self._nominations.beside_class(pod)
        if beside:
            for rejection in rejections_beside(filters, cluster, remaining, beside):
                rejecting.add(rejection.plugin)
                remaining = np.setdiff1d(remaining, rejection.rows)
                if may_displace:
                    resolvable.append(rejection.rows[~rejection.unresolvable()])
        return Look(remaining, frozenset(rejecting), np.concatenate(resolvable) if resolvable else NO_ROWS)

    def free_for_all(self, pod: PodClass, args: FilterArgs, rows: Rows) -> bool:
        """Tell whether any of these nodes, which `look_again` found free for the class, is so for each pod of it."""
        beside = self._nominations.beside("", pod)
        if not beside:
            return True
        free = np.zeros(self._cluster.capacity, dtype=np.bool_)
        free[rows] = True
        filters = Filters(self._profile.with_filter_args(args), pod, self._cluster)
        free[held_back(filters, self._cluster, free, beside)] = False
        return bool(free.any())

    def _new(self, pod: PodClass, neighbours: Neighbours, policy: Policy, only_rows: Rows | None) -> Evaluation:
        plugins = self._profile.under(policy, self.models)
        if self._profile.tells_owners_apart(policy, self.models):
            plugins = plugins.for_owner(pod.owner)
        return Evaluation(pod.requirements, neighbours, plugins, self._cluster, only_rows)

    def _drop_least_recent(self) -> None:
        most = max(16, self._memory_bytes // (_BYTES_PER_ROW * self._cluster.capacity))
        while len(self._kept) > most:
            self._kept.popitem(last=False)
