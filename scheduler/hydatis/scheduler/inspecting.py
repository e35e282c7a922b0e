"""What every plugin says about a pod, node by node: the long answer to «why there?» and «why nowhere?».

Asked for a single pod by whoever explains or verifies a decision; the scheduling cycle itself keeps only what it
needs. Nothing is reserved and no state changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.filtering import NO_NODES, diagnose, no_nodes_available
from hydatis.scheduler.neighbours import Neighbours
from hydatis.scheduler.normalizing import normalize
from hydatis.scheduler.plugins import FilterPlugin
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.prefiltering import Rejected, prefilter
from hydatis.scheduler.profile import PluginSet, Profile
from hydatis.scheduler.requirements import Requirements


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """One plugin's score of one node."""

    raw: int
    normalized: int
    """0-100."""
    weighted: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything the plugins say about one pod."""

    prefilter: str | None
    """Why no node is worth a look; None when some are."""
    filters: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Plugin to node to reasons, for the nodes it rejects. Each plugin is asked alone about every node."""
    resolvable: Mapping[str, frozenset[str]]
    """Plugin to those of the nodes it rejects on which preemption might help."""
    feasible: frozenset[str]
    scores: Mapping[str, Mapping[str, ScoreParts]]
    """Plugin to feasible node to score."""
    totals: Mapping[str, int]
    """Feasible node to the sum of its weighted scores."""
    best: frozenset[str]
    """The feasible nodes with the highest total: any of them may be chosen."""
    message: str | None
    """The FailedScheduling text; None when some node is feasible."""


def inspect(pod: PodClass, policy: Policy, profile: Profile, cluster: Cluster) -> Inspection:
    """Ask every plugin about every node."""
    if not cluster.node_count:
        return Inspection(None, {}, {}, frozenset(), {}, {}, frozenset(), NO_NODES)
    profile = profile.with_filter_args(policy.plugin_args.filters)
    requirements = pod.requirements
    neighbours = pod.neighbours(cluster.placed, cluster.workloads, profile.spread_defaults)
    space = prefilter(profile.prefilters, requirements, cluster)
    if isinstance(space, Rejected):
        message = f"{no_nodes_available(cluster.node_count, {})} {space.reason}."
        return Inspection(space.reason, {}, {}, frozenset(), {}, {}, frozenset(), message)
    rows = space.rows(cluster)
    feasible = np.ones(len(rows), dtype=np.bool_)
    filters = {}
    resolvable = {}
    for plugin in profile.row_filters:
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
    if not feasible.any():
        diagnosis = diagnose(profile, pod, cluster, space)
        message = no_nodes_available(cluster.node_count, diagnosis.reasons)
        return Inspection(None, filters, resolvable, frozenset(), {}, {}, frozenset(), message)
    scores = _scores(pod, neighbours, profile.under(policy), cluster, rows[feasible])
    names = [cluster.node_name(row) for row in rows[feasible].tolist()]
    totals = {name: sum(by_node[name].weighted for by_node in scores.values()) for name in names}
    highest = max(totals.values())
    best = frozenset(name for name, total in totals.items() if total == highest)
    return Inspection(None, filters, resolvable, frozenset(names), scores, totals, best, None)


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
