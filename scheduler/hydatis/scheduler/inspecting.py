"""What every plugin says about a pod, node by node: the long answer to «why there?» and «why nowhere?».

Asked for a single pod by whoever explains or verifies a decision; the scheduling cycle itself keeps only what it
needs. Nothing is reserved and no state changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from hydatis.scheduler.arrays import NO_ROWS, BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.filter_args import FilterArgs
from hydatis.scheduler.filtering import NO_NODES, Filters, diagnose, held_back, no_nodes_available
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.neighbours import Neighbours
from hydatis.scheduler.nominations import Nominations
from hydatis.scheduler.normalizing import normalize
from hydatis.scheduler.plugins import FilterPlugin, for_owner
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.preempting import NoCandidate, Preemptor, told
from hydatis.scheduler.prefiltering import Rejected, prefilter
from hydatis.scheduler.profile import NO_MODELS, PluginSet, Profile
from hydatis.scheduler.requirements import Requirements


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """One plugin's score of one node."""

    raw: int
    normalized: int
    """0-100."""
    weighted: int


@dataclass(frozen=True, slots=True)
class CandidateParts:
    """Who would have to leave one node."""

    victims: tuple[str, ...]
    """Their uids, the most important first."""
    violations: int
    """Victims whose removal breaks a PodDisruptionBudget."""


@dataclass(frozen=True, slots=True)
class PreemptionParts:
    """What making room for the pod would take."""

    candidates: Mapping[str, CandidateParts]
    """By node."""
    best: frozenset[str]
    """Any of them may be chosen."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything the plugins say about one pod."""

    prefilter: str | None = None
    """Why no node is worth a look; None when some are."""
    filters: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Plugin to node to reasons, for the nodes it rejects. Each plugin is asked alone about every node, without
    nominated pods.
    """
    resolvable: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Plugin to those of the nodes it rejects on which preemption might help."""
    feasible: frozenset[str] = frozenset()
    """Just the node that the pod is nominated to, if that one is feasible."""
    scores: Mapping[str, Mapping[str, ScoreParts]] = field(default_factory=dict)
    """Plugin to feasible node to score."""
    totals: Mapping[str, int] = field(default_factory=dict)
    """Feasible node to the sum of its weighted scores."""
    best: frozenset[str] = frozenset()
    """The feasible nodes with the highest total: any of them may be chosen."""
    message: str | None = None
    """The FailedScheduling text; None when some node is feasible. Which node preemption names in it is for chance to
    say where several are best.
    """
    preemption: PreemptionParts | None = None
    """None where no preemption is tried."""


class Inspector:
    """Asks every plugin about every node."""

    def __init__(
        self,
        profile: Profile,
        cluster: Cluster,
        nominations: Nominations,
        preemptor: Preemptor,
        models: Mapping[str, Model] = NO_MODELS,
    ) -> None:
        self._profile = profile
        self._models = models
        self._cluster = cluster
        self._nominations = nominations
        self._preemptor = preemptor

    def inspect(self, uid: str, pod: PodClass, policy: Policy) -> Inspection:
        """Look at one pod; one that waits is looked at with its nomination."""
        args, cluster = policy.plugin_args.filters, self._cluster
        if not cluster.node_count:
            return Inspection(message=NO_NODES)
        profile = self._profile.with_filter_args(args)
        space = prefilter(profile.prefilters, pod.requirements, cluster)
        if isinstance(space, Rejected):
            message = f"{no_nodes_available(cluster.node_count, {})} {space.reason}."
            return self._make_room(uid, pod, args, Inspection(space.reason, message=message), NO_ROWS)
        rows = space.rows(cluster)
        found, passed = self._filter(pod, profile, rows)
        feasible = np.zeros(cluster.capacity, dtype=np.bool_)
        feasible[rows[passed]] = True
        beside = self._nominations.beside(uid, pod)
        feasible[held_back(Filters(profile, pod, cluster), cluster, feasible, beside)] = False
        if not feasible.any():
            diagnosis = diagnose(profile, pod, cluster, space, beside)
            message = no_nodes_available(cluster.node_count, diagnosis.reasons)
            return self._make_room(uid, pod, args, replace(found, message=message), diagnosis.resolvable)
        kept = self._nominations.node_of(uid)
        row = None if kept is None else cluster.row_of(kept)
        remaining = np.flatnonzero(feasible) if row is None or not feasible[row] else np.array([row], dtype=np.intp)
        neighbours = pod.neighbours(cluster.placed, cluster.workloads, profile.spread_defaults)
        plugins = profile.under(policy, self._models).for_owner(pod.owner)
        scores = _scores(pod, neighbours, plugins, cluster, remaining)
        names = _names(cluster, remaining)
        totals = {name: sum(by_node[name].weighted for by_node in scores.values()) for name in names}
        highest = max(totals.values())
        best = frozenset(name for name, total in totals.items() if total == highest)
        return replace(found, feasible=names, scores=scores, totals=totals, best=best)

    def _filter(self, pod: PodClass, profile: Profile, rows: Rows) -> tuple[Inspection, BoolArray]:
        """Return each plugin's rejections, and which rows pass all."""
        requirements, cluster = pod.requirements, self._cluster
        neighbours = pod.neighbours(cluster.placed, cluster.workloads, profile.spread_defaults)
        feasible = np.ones(len(rows), dtype=np.bool_)
        filters: dict[str, Mapping[str, tuple[str, ...]]] = {}
        resolvable = {}
        for plugin in (for_owner(each, pod.owner) for each in profile.row_filters):
            if plugin.applies(requirements):
                passed = plugin.filter(requirements, cluster, rows)
                feasible &= passed
                failed = rows[~passed]
                filters[plugin.name] = _reasons_by_node(plugin, requirements, cluster, failed.tolist())
                final = plugin.unresolvable(requirements, cluster, failed)
                resolvable[plugin.name] = _names(cluster, failed[~final])
        for across in profile.neighbour_filters:
            if across.filters(neighbours):
                passed = across.filter(requirements, neighbours, cluster)[rows]
                feasible &= passed
                failed = rows[~passed]
                final = across.unresolvable(requirements, neighbours, cluster, failed)
                resolvable[across.name] = _names(cluster, failed[~final])
                filters[across.name] = {
                    cluster.node_name(row): tuple(
                        across.reasons(requirements, neighbours, cluster, np.array([row], dtype=np.intp))
                    )
                    for row in failed.tolist()
                }
        return Inspection(filters=filters, resolvable=resolvable), feasible

    def _make_room(self, uid: str, pod: PodClass, args: FilterArgs, found: Inspection, resolvable: Rows) -> Inspection:
        rules = self._profile.preemption
        # A pod that names its node is not scheduled; it is asked about only.
        if rules is None or pod.requirements.unsupported or pod.requirements.wanted_node is not None:
            return found
        refusal = self._preemptor.not_eligible(uid, pod, resolvable)
        if refusal is not None:
            message = f"{found.message} {told(refusal, self._cluster)}"
            return replace(found, message=message, preemption=PreemptionParts({}, frozenset()))
        search = self._preemptor.search(uid, pod, args, resolvable, 0)
        if not search.candidates:
            message = f"{found.message} {told(NoCandidate(search.reasons), self._cluster)}"
            return replace(found, message=message, preemption=PreemptionParts({}, frozenset()))
        best = rules.best(search.candidates)
        candidates = {
            self._cluster.node_name(candidate.row): CandidateParts(
                tuple(victim.uid for victim in candidate.victims), candidate.violations
            )
            for candidate in search.candidates
        }
        nodes = frozenset(self._cluster.node_name(candidate.row) for candidate in best)
        message = f"{found.message} {told(best[0], self._cluster)}"
        return replace(found, message=message, preemption=PreemptionParts(candidates, nodes))


def _names(cluster: Cluster, rows: Rows) -> frozenset[str]:
    return frozenset(map(cluster.node_name, rows.tolist()))


def _reasons_by_node(
    plugin: FilterPlugin, requirements: Requirements, cluster: Cluster, rows: list[int]
) -> dict[str, tuple[str, ...]]:
    return {
        cluster.node_name(row): tuple(plugin.reasons(requirements, cluster, np.array([row], dtype=np.intp)))
        for row in rows
    }


def _scores(
    pod: PodClass, neighbours: Neighbours, plugins: PluginSet, cluster: Cluster, rows: Rows
) -> dict[str, dict[str, ScoreParts]]:
    requirements = pod.requirements
    scores = {}
    for entry in plugins.scores:
        if entry.plugin.applies(requirements):
            raw = entry.plugin.score(requirements, cluster, rows)
            normalized = normalize(raw, int(raw.max()), entry.plugin.normalization)
            scores[entry.plugin.name] = _by_node(cluster, rows, raw, normalized, entry.weight)
    feasible = np.zeros(cluster.capacity, dtype=np.bool_)
    feasible[rows] = True
    for across in plugins.neighbour_scores:
        if across.plugin.scores(neighbours):
            raw, normalized = across.plugin.score(requirements, neighbours, cluster, feasible)
            scores[across.plugin.name] = _by_node(cluster, rows, raw[rows], normalized[rows], across.weight)
    return scores


def _by_node(
    cluster: Cluster, rows: Rows, raw: Int64Array, normalized: Int64Array, weight: int
) -> dict[str, ScoreParts]:
    return {
        cluster.node_name(row): ScoreParts(score, level, weight * level)
        for row, score, level in zip(rows.tolist(), raw.tolist(), normalized.tolist(), strict=True)
    }
