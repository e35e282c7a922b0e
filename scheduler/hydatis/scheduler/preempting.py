"""PostFilter: make room for a pod that no node can run, by displacing pods of lower priority (kubernetes
framework/preemption/preemption.go).

The scheduling cycle calls `Preemptor.run`; the driver carries out what comes of it. The search changes nothing: it
takes pods off nodes for the sake of argument (`what_if`) and decides. Nodes where not even the removal of all pods of
lower priority would help are ruled out in one step over all of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.displaceable import Displaceable
from hydatis.scheduler.disruption_budgets import DisruptionBudgets
from hydatis.scheduler.filter_args import FilterArgs
from hydatis.scheduler.filtering import Filters, no_nodes_available
from hydatis.scheduler.instructions import Preemption
from hydatis.scheduler.nominations import Beside, Nominations, requested_by
from hydatis.scheduler.plugins import Scope
from hydatis.scheduler.plugins.default_preemption import (
    NEVER,
    NO_VICTIMS,
    NOT_HELPFUL,
    VICTIM_TERMINATING,
    Candidate,
    DefaultPreemption,
    Victim,
)
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.reserving import Reservations
from hydatis.scheduler.resources import PODS_COLUMN
from hydatis.scheduler.what_if import WhatIf

Reasons: TypeAlias = Mapping[str, int]
"""Reason to number of nodes."""


@dataclass(frozen=True, slots=True)
class Search:
    """What looking at the nodes brought."""

    candidates: tuple[Candidate, ...] = ()
    reasons: Reasons = field(default_factory=dict[str, int])
    """Why there is no candidate; empty where there is one."""


@dataclass(frozen=True, slots=True)
class NotEligible:
    """The pod may not displace others now; what it is nominated to stays as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoCandidate:
    """Displacing others does not help; the pod is not nominated any more."""

    reasons: Reasons


Result = Candidate | NotEligible | NoCandidate


@dataclass(slots=True)
class Preemptor:
    """Searches for victims under one profile."""

    cluster: Cluster
    reservations: Reservations
    nominations: Nominations
    budgets: DisruptionBudgets
    profile: Profile
    random: np.random.Generator
    _displaceable: Displaceable = field(init=False)
    _fruitless: dict[tuple[PodClass, FilterArgs], tuple[tuple[int, ...], NoCandidate]] = field(
        init=False, default_factory=dict
    )
    """What was found for classes of pods that nothing helped, and the state of the cluster then."""

    @property
    def rules(self) -> DefaultPreemption:
        """How victims and nodes are weighed."""
        return self.profile.preemption or DefaultPreemption()

    def __post_init__(self) -> None:
        self._displaceable = Displaceable(self.cluster)

    def run(self, uid: str, pod: PodClass, args: FilterArgs, resolvable: Rows) -> Result:
        """Choose a node and its victims. `resolvable` are the nodes whose rejection might be lifted."""
        refusal = self.not_eligible(uid, pod, resolvable)
        if refusal is not None:
            return refusal
        version = self._version()
        known = self._fruitless.get((pod, args))
        own_nomination = self.nominations.node_of(uid) is not None
        if known is not None and known[0] == version and not own_nomination:
            return known[1]
        first = int(self.random.integers(len(resolvable))) if len(resolvable) else 0
        search = self.search(uid, pod, args, resolvable, first)
        if search.candidates:
            return self.rules.best(search.candidates)[0]
        result = NoCandidate(search.reasons)
        if not own_nomination:
            if known is None or known[0] != version:
                self._fruitless = {key: entry for key, entry in self._fruitless.items() if entry[0] == version}
            self._fruitless[pod, args] = (version, result)
        return result

    def search(self, uid: str, pod: PodClass, args: FilterArgs, resolvable: Rows, first: int) -> Search:
        """Dry-run the removal of pods on the nodes worth a look, beginning with number `first` of them, until enough
        candidates are found.
        """
        count = len(resolvable)
        unhelpful = {NOT_HELPFUL: self.cluster.node_count - count} if self.cluster.node_count > count else {}
        if not count:
            return Search(reasons=unhelpful)
        if not self.cluster.holds_below(pod.priority):
            return Search(reasons={NO_VICTIMS: count, **unhelpful})
        wanted = self.rules.candidates_wanted(count)
        reasons: Counter[str] = Counter()
        keeping: list[Candidate] = []
        breaking: list[Candidate] = []
        for found in self._dry_runs(uid, pod, args, np.roll(resolvable, -first)):
            if isinstance(found, Candidate):
                (breaking if found.violations else keeping).append(found)
                if keeping and len(keeping) + min(len(breaking), wanted) >= wanted:
                    break
            else:
                reasons.update(found)
        candidates = (*keeping, *breaking[:wanted])
        return Search(candidates) if candidates else Search(reasons={**reasons, **unhelpful})

    def helps(self, uid: str, pod: PodClass, args: FilterArgs, rows: Rows) -> bool:
        """Tell whether one of these rows, where a rejection might be lifted, has pods whose removal makes room."""
        if not len(rows) or self.profile.preemption is None:
            return False
        return any(isinstance(found, Candidate) for found in self._dry_runs(uid, pod, args, rows))

    def awaits_victims(self, uid: str, pod: PodClass) -> bool:
        """Tell whether a pod of lower priority is on its way off the node that is kept for the pod."""
        node = self.nominations.node_of(uid)
        row = None if node is None else self.cluster.row_of(node)
        if row is None:
            return False
        return any(
            placed.priority < pod.priority and self.reservations.is_leaving(other)
            for other, placed in self.cluster.pods_on(row).items()
        )

    def condemn(self, candidate: Candidate, pod: PodClass, scheduler_name: str) -> Preemption:
        """Count on the victims' going from now on, and name what the driver has to do."""
        node = self.cluster.node_name(candidate.row)
        staying = [victim.uid for victim in candidate.victims if not self.reservations.is_leaving(victim.uid)]
        victims = tuple(map(self.reservations.reference_of, staying))
        for uid in staying:
            self.reservations.condemn(uid)
        outranked = tuple(self.nominations.outranked_by(pod.priority, node))
        return Preemption(node, scheduler_name, victims, len(candidate.victims), outranked)

    def not_eligible(self, uid: str, pod: PodClass, resolvable: Rows) -> NotEligible | None:
        """Say why the pod may not displace others now (PodEligibleToPreemptOthers)."""
        if not pod.preempts:
            return NotEligible(NEVER)
        node = self.nominations.node_of(uid)
        row = None if node is None else self.cluster.row_of(node)
        if row is not None and row in resolvable:
            for other, placed in self.cluster.pods_on(row).items():
                if placed.priority < pod.priority and self.reservations.is_preempted(other):
                    return NotEligible(VICTIM_TERMINATING)
        return None

    def _version(self) -> tuple[int, ...]:
        cluster = self.cluster
        return (
            cluster.node_changes.position,
            cluster.placement_changes.position,
            cluster.placed.version,
            cluster.workloads.version,
            cluster.storage.version,
            *(cluster.load.version if self.profile.filters_by_load else ()),
            self.nominations.version,
        )

    def _rule_out(
        self, pod: PodClass, filters: Filters, beside: Beside, rows: Rows
    ) -> tuple[Counter[str], Rows, Mapping[int, Int64Array]]:
        """Rule out the rows where not even the removal of all pods of lower priority would help, as far as that shows
        in the tables; return the reasons and the rows that are left, and what would be requested on those of them where
        only room is wanting, by resource.
        """
        freed = self._displaceable.below(pod.priority)
        nobody = freed[PODS_COLUMN, rows] == 0
        reasons: Counter[str] = Counter()
        if nobody.any():
            reasons[NO_VICTIMS] = int(np.count_nonzero(nobody))
            rows = rows[~nobody]
        placement = [p for p in filters.first if p.scope is not Scope.NODE]
        if any(not isinstance(plugin, NodeResourcesFit) for plugin in placement):
            return reasons, rows, {}
        nominated: dict[int, Int64Array] = {}
        if filters.by_room_alone:
            for row in beside.keys() & set(rows.tolist()):
                amounts = requested_by(beside[row], len(self.cluster.requested))
                if amounts is not None:
                    nominated[row] = amounts
        closer = self.cluster.inexact_rows | (beside.keys() - nominated.keys())
        judged = rows[~np.isin(rows, list(closer))] if closer else rows
        plugins = filters.first if filters.across else (*filters.first, *filters.last)
        requested = self.cluster.requested
        before = requested[:, judged].copy()
        requested[:, judged] -= freed[:, judged]
        for row, amounts in nominated.items():
            if row not in closer:
                requested[:, row] += amounts
        try:
            remaining = judged
            for rejection in filters.rejections_row_by_row(plugins, judged):
                reasons.update(rejection.reasons())
                rows = rows[~np.isin(rows, rejection.rows)]
                remaining = remaining[~np.isin(remaining, rejection.rows)]
            would_be = {row: requested[:, row].copy() for row in remaining.tolist()} if filters.by_room_alone else {}
        finally:
            requested[:, judged] = before
        return reasons, rows, would_be

    def _dry_runs(self, uid: str, pod: PodClass, args: FilterArgs, rows: Rows) -> Iterator[Candidate | Reasons]:
        """Yield a candidate for each row that can be one, and why the others cannot."""
        beside = self.nominations.beside(uid, pod)
        filters = Filters(self.profile.with_filter_args(args), pod, self.cluster)
        reasons, rows, would_be = self._rule_out(pod, filters, beside, rows)
        yield reasons
        for row in rows.tolist():
            requested = would_be.get(row)
            if requested is not None:
                yield self._choose(row, pod, _Sums(self.cluster, row, pod, requested))
            else:
                yield self._dry_run(row, pod, filters, beside)

    def _dry_run(self, row: int, pod: PodClass, filters: Filters, beside: Beside) -> Candidate | Reasons:
        """Find the fewest and least important pods of a row that must go (SelectVictimsOnNode), or say why none
        helps.
        """
        going = [uid for uid, other in self.cluster.pods_on(row).items() if other.priority < pod.priority]
        if not going:
            return {NO_VICTIMS: 1}
        placed = dict(self.cluster.pods_on(row))
        with WhatIf(self.cluster) as what_if:
            for uid in going:
                what_if.remove(uid, row)
            trial = _Trial(what_if, row, filters, beside)
            rejected = trial.rejected()
            return self._choose(row, pod, trial, placed) if rejected is None else rejected

    def _choose(
        self, row: int, pod: PodClass, trial: "_Trial | _Sums", placed: Mapping[str, PodClass] | None = None
    ) -> Candidate | Reasons:
        """Put back as many of the pods of lower priority as possible; the others are the victims."""
        placed = self.cluster.pods_on(row) if placed is None else placed
        potential = [
            self._as_victim(uid, other, number)
            for number, (uid, other) in enumerate(placed.items())
            if other.priority < pod.priority
        ]
        victims: list[Victim] = []
        violations = 0
        for victim, violating in self._in_reprieve_order(self.rules.by_importance(potential), placed):
            if not trial.spares(victim.uid, placed[victim.uid]):
                victims.append(victim)
                violations += violating
        return Candidate(row, tuple(self.rules.by_importance(victims)), violations) if victims else {NO_VICTIMS: 1}

    def _as_victim(self, uid: str, pod: PodClass, number: int) -> Victim:
        standing = self.reservations.standing_of(uid)
        return Victim(uid, pod.priority, standing.started_at, 0 if standing.has_started else number)

    def _in_reprieve_order(
        self, victims: Iterable[Victim], placed: Mapping[str, PodClass]
    ) -> Iterator[tuple[Victim, bool]]:
        """Yield first the victims whose removal would break a budget, which are spared first, and whether it would."""
        judged = list(
            self.budgets.violations(
                (victim, placed[victim.uid].identity, self.reservations.standing_of(victim.uid).name)
                for victim in victims
            )
        )
        yield from (entry for entry in judged if entry[1])
        yield from (entry for entry in judged if not entry[1])


def told(result: Result, cluster: Cluster) -> str:
    """Write preemption's part of the FailedScheduling text, in kube-scheduler's words."""
    match result:
        case NotEligible(reason):
            return f"preemption: {reason}"
        case NoCandidate(reasons):
            return f"preemption: {no_nodes_available(cluster.node_count, reasons)}"
        case Candidate(row, victims):
            return (
                f"preemption: found a potential placement for pod on node {cluster.node_name(row)}, "
                f"preempting {len(victims)} victims"
            )


class _Sums:
    """A row on which only room is wanting, and where there is enough once all pods of lower priority are gone: sums
    tell who can stay, without touching the tables.
    """

    def __init__(self, cluster: Cluster, row: int, pod: PodClass, requested: Int64Array) -> None:
        """`requested`: by resource, when all pods of lower priority are gone."""
        wanted = [(column, amount) for column, amount in (*pod.requirements.requests, (PODS_COLUMN, 1)) if amount]
        self._columns = [column for column, _ in wanted]
        self._left = [int(cluster.allocatable[column, row] - requested[column]) - amount for column, amount in wanted]

    def spares(self, uid: str, pod: PodClass) -> bool:
        """Let a pod stay if the room is enough for both; tell whether it is."""
        amounts = dict(zip(pod.requirements.columns.tolist(), pod.requirements.amounts.tolist(), strict=True))
        left = [has - amounts.get(column, 0) for column, has in zip(self._columns, self._left, strict=True)]
        if min(left) < 0:
            return False
        self._left = left
        return True


class _Trial:
    """A row from which pods were taken, judged with the pods nominated to it and without."""

    def __init__(self, what_if: WhatIf, row: int, filters: Filters, beside: Beside) -> None:
        self._what_if = what_if
        self._row = row
        self._rows = np.array([row], dtype=np.intp)
        self._filters = filters
        self._nominated = beside.get(row, ())

    def rejected(self) -> Reasons | None:
        """Say why the pod does not fit, None when it does."""
        for nominated in (self._nominated, ()) if self._nominated else ((),):
            mark = self._what_if.mark
            for uid, pod in nominated:
                self._what_if.place(uid, self._row, pod)
            rejection = next(self._filters.rejections(self._rows), None)
            reasons = None if rejection is None else rejection.reasons()
            self._what_if.undo_to(mark)
            if reasons is not None:
                return reasons
        return None

    def spares(self, uid: str, pod: PodClass) -> bool:
        """Put a victim back if the pod fits all the same; tell whether it does."""
        before = self._what_if.mark
        self._what_if.place(uid, self._row, pod)
        if self._fits():
            return True
        self._what_if.undo_to(before)
        return False

    def _fits(self) -> bool:
        if self._nominated:
            mark = self._what_if.mark
            for uid, pod in self._nominated:
                self._what_if.place(uid, self._row, pod)
            fits = self._filters.passes(self._row, placements_only=True)
            self._what_if.undo_to(mark)
            if not fits:
                return False
        return self._filters.passes(self._row, placements_only=True)
