"""Score: how good each node is, for one class of pods under one policy, kept up to date row by row.

An `Evaluation` remembers every node's verdict and raw scores. When the class comes up again, only the rows that the
change logs name are filtered and scored anew; a placement touches one row, so the next like pod costs the same in a
cluster of any size, apart from taking the maximum of one array.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.decision import ModelReference, NodeScore
from hydatis.scheduler.evidence import OTHERS, Evidence
from hydatis.scheduler.filtering import filter_rows
from hydatis.scheduler.neighbours import Neighbours
from hydatis.scheduler.normalizing import normalize, normalize_one
from hydatis.scheduler.plugins import Composite, FilterPlugin, Normalization, OwnerAware, Scope, ScorePlugin
from hydatis.scheduler.profile import PluginSet
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import PODS_COLUMN

INFEASIBLE = -1
"""Stands in the ranking for a node that cannot run the pod; scores are never negative."""

_MOST_ROWS_ONE_BY_ONE = 0.25
"""Above this share of changed rows all are evaluated: looking rows up one by one then costs more."""


class Evaluation:
    """Verdicts and scores of all nodes for one class of pods, or of the few nodes that PreFilter named.

    What depends on pods of other nodes (`neighbours`) is computed anew for all rows whenever anything changed.
    """

    def __init__(
        self,
        requirements: Requirements,
        neighbours: Neighbours,
        plugins: PluginSet,
        cluster: Cluster,
        only_rows: Rows | None = None,
    ) -> None:
        self._requirements = requirements
        self._neighbours = neighbours
        self._cluster = cluster
        self._only_rows = only_rows
        self._filters = [plugin for plugin in plugins.filters if plugin.applies(requirements)]
        self._scores = [entry for entry in plugins.scores if entry.plugin.applies(requirements)]
        self._neighbour_filters = [plugin for plugin in plugins.neighbour_filters if plugin.filters(neighbours)]
        self._neighbour_scores = [entry for entry in plugins.neighbour_scores if entry.plugin.scores(neighbours)]
        self._composites = [e.plugin for e in self._scores if isinstance(e.plugin, Composite)]
        self._plain = [e for e in self._scores if e.plugin.normalization is Normalization.NONE]
        self._normalized = [e for e in self._scores if e.plugin.normalization is not Normalization.NONE]
        judging: list[FilterPlugin | ScorePlugin] = [*self._filters, *(entry.plugin for entry in self._scores)]
        self._heeds_load = any(plugin.scope is Scope.LOAD for plugin in judging)
        self._heeds_owners = any(isinstance(plugin, OwnerAware) and plugin.by_class for plugin in judging)
        self._filters_of = {scope: [p for p in self._filters if p.scope is scope] for scope in Scope}
        self._scores_of = {scope: [e for e in self._scores if e.plugin.scope is scope] for scope in Scope}
        self._highest_of: dict[str, int] = {}
        """The highest raw score among the feasible rows, by plugin, as far as anybody asked since the last refresh."""
        self._capacity = -1
        self._node_position = -1
        self._placement_position = -1
        self._load_position = -1
        self._owners_seen = -1
        self._images_seen: tuple[int, int] | None = None
        self._storage_seen = -1
        self._neighbour_parts: dict[str, Int64Array] = {}
        self._left_out = False
        self.feasible: BoolArray
        """By row: whether the node passes every filter."""

    def refresh(self) -> None:
        """Bring every row up to date with the cluster."""
        cluster = self._cluster
        self._highest_of.clear()
        changed_nodes: Rows | None = None
        changed_placements: Rows | None = None
        storage = cluster.storage.version if self._requirements.volumes else 0
        storage_changed, self._storage_seen = storage != self._storage_seen, storage
        if self._capacity == cluster.capacity and self._only_rows is None and not storage_changed:
            changed_nodes = cluster.node_changes.since(self._node_position)
            changed_placements = cluster.placement_changes.since(self._placement_position)
        self._node_position = cluster.node_changes.position
        self._placement_position = cluster.placement_changes.position
        limit = _MOST_ROWS_ONE_BY_ONE * cluster.capacity
        changed: Rows | None = None
        if changed_nodes is None or changed_placements is None or len(changed_nodes) + len(changed_placements) > limit:
            self._start_over()
        else:
            if len(changed_nodes):
                self._evaluate(changed_nodes, Scope.NODE)
                changed_placements = np.union1d(changed_placements, changed_nodes)
            if len(changed_placements):
                self._evaluate(changed_placements, Scope.PLACEMENT)
            changed = self._look_at_load(changed_placements) if self._heeds_load else changed_placements
            if len(changed):
                self._combine(changed)
        self._look_at_images()
        if changed is None or len(changed) or self._left_out:
            self._look_around()

    def leave_out(self, rows: Rows) -> None:
        """Take rows for infeasible until the next refresh, for a reason of one pod alone."""
        if len(rows):
            self.feasible = self.feasible.copy()
            self.feasible[rows] = False
            self._left_out = True
            self._highest_of.clear()

    def ranking(self) -> Int64Array:
        """Return numbers in the order of the rows' weighted sums of normalised scores, `INFEASIBLE` where the pod
        cannot go.

        They are the sums themselves but for what a plugin gives every node alike. Valid until the next refresh.
        """
        varying: Int64Array | None = None
        if self._neighbour_scores and self.feasible.any():
            for weighted in self._neighbour_scores:
                _, normalised = weighted.plugin.score(
                    self._requirements, self._neighbours, self._cluster, self.feasible
                )
                part = self._neighbour_parts[weighted.plugin.name] = weighted.weight * normalised
                varying = part if varying is None else varying + part
        for entry in self._normalized:
            raw = self._raw[entry.plugin.name]
            highest = self._highest(entry.plugin.name)
            # Where all raw scores are 0 every node gets the same, which ranks nothing.
            if highest:
                scores = entry.weight * normalize(raw, highest, entry.plugin.normalization)
                varying = scores if varying is None else varying + scores
        if varying is None:
            if not self._neighbour_filters and not self._left_out:
                return self._plain_totals
            return np.where(self.feasible, self._plain_totals, INFEASIBLE)
        return np.where(self.feasible, self._plain_totals + varying, INFEASIBLE)

    def node_score(self, row: int) -> NodeScore:
        """Describe one feasible row, as `node_scores` does."""
        return self.node_scores((row,))[0]

    def node_scores(self, rows: Sequence[int]) -> list[NodeScore]:
        """Describe feasible rows, those of the last ranking. Beside a composite plugin, what gives all feasible rows
        the same is left out.
        """
        picked = np.array(rows, dtype=np.intp)
        shares = [plugin.shares(self._requirements, self._cluster, picked) for plugin in self._composites]
        return self._told(rows, picked, shares)

    def evidence(self, rows: Sequence[int]) -> Evidence:
        """Describe feasible rows as `node_scores` does, the chosen one first, and keep what was seen of them and of
        other feasible ones.
        """
        feasible = np.flatnonzero(self.feasible)
        others = feasible[:: -(-len(feasible) // OTHERS)]
        best = np.array(rows, dtype=np.intp)
        shares, features, weights = [], None, None
        for plugin in self._composites:
            of_plugin, features = plugin.seen(self._requirements, self._cluster, best, others)
            weights = plugin.weights
            shares.append(of_plugin)
        everything = np.concatenate([best, others])
        return Evidence(
            tuple(self._told(rows, best, shares)),
            self._cluster.allocatable[: PODS_COLUMN + 1, everything],
            self._cluster.requested[: PODS_COLUMN + 1, everything],
            features,
            weights,
        )

    def _told(
        self, rows: Sequence[int], picked: Rows, composites: Sequence[Mapping[str, Int64Array]]
    ) -> list[NodeScore]:
        """Describe rows, `picked` the same as an array, with the shares of composite plugins in their order."""
        told: list[tuple[str, list[int]]] = []
        left = iter(composites)
        alike = self._alike() if self._composites else frozenset()
        for entry in self._scores:
            name, normalization = entry.plugin.name, entry.plugin.normalization
            if isinstance(entry.plugin, Composite):
                told.extend((part, (entry.weight * share).tolist()) for part, share in next(left).items())
            elif name not in alike:
                highest = 0 if normalization is Normalization.NONE else self._highest(name)
                raw = self._raw[name][picked].tolist()
                told.append((name, [entry.weight * normalize_one(score, highest, normalization) for score in raw]))
        told.extend((name, part[picked].tolist()) for name, part in self._neighbour_parts.items() if name not in alike)
        found = []
        for number, row in enumerate(rows):
            parts = tuple((name, scores[number]) for name, scores in told)
            found.append(NodeScore(self._cluster.node_name(row), sum(score for _, score in parts), parts))
        return found

    @property
    def models_used(self) -> tuple[ModelReference, ...]:
        """The models that compute scores."""
        return tuple(model for plugin in self._composites for model in plugin.models_used())

    def _alike(self) -> frozenset[str]:
        """Name the plugins, composite ones aside, that give all feasible rows the same."""
        composites = {entry.plugin.name for entry in self._scores if isinstance(entry.plugin, Composite)}
        raw = {name: scores for name, scores in self._raw.items() if name not in composites}
        return frozenset(
            name
            for name, scores in (*raw.items(), *self._neighbour_parts.items())
            if not scores.any() or _all_equal(scores[self.feasible])
        )

    def _highest(self, plugin: str) -> int:
        highest = self._highest_of.get(plugin)
        if highest is None:
            raw = self._raw[plugin]
            highest = int(np.max(raw, where=self.feasible, initial=0)) if raw.any() else 0
            self._highest_of[plugin] = highest
        return highest

    def _start_over(self) -> None:
        capacity = self._capacity = self._cluster.capacity
        self._row_verdicts = np.zeros(capacity, dtype=np.bool_)
        scopes = (Scope.NODE, Scope.PLACEMENT, Scope.LOAD) if self._heeds_load else (Scope.NODE, Scope.PLACEMENT)
        self._verdicts = {scope: np.zeros(capacity, dtype=np.bool_) for scope in scopes}
        self._load_position, self._owners_seen = self._cluster.load.changes.position, self._cluster.load.owners.version
        self._raw = {entry.plugin.name: np.zeros(capacity, dtype=np.int64) for entry in self._scores}
        self._plain_totals = np.full(capacity, INFEASIBLE, dtype=np.int64)
        self._images_seen = None
        rows = self._rows()
        if len(rows):
            self._evaluate(rows, Scope.NODE)
            self._evaluate(rows, Scope.PLACEMENT)
            if self._heeds_load:
                self._evaluate(rows, Scope.LOAD)
            self._combine(rows)

    def _evaluate(self, rows: Rows, scope: Scope) -> None:
        """Run the plugins of one scope over `rows`; the verdicts of each scope are kept apart, since what changes one
        may leave the others as they are.
        """
        here = self._cluster.present[rows]
        if not here.all():
            # A log also names rows whose nodes are gone: plugins are asked about nodes that exist.
            gone, rows = rows[~here], rows[here]
            for known in self._verdicts.values():
                known[gone] = False
            if not len(rows):
                return
        if scope in self._verdicts:
            passed = filter_rows(self._filters_of[scope], self._requirements, self._cluster, rows)
            self._verdicts[scope][rows] = passed
        for entry in self._scores_of[scope]:
            self._raw[entry.plugin.name][rows] = entry.plugin.score(self._requirements, self._cluster, rows)

    def _look_at_load(self, changed: Rows) -> Rows:
        """Judge by load the rows that changed, and those of which something else was measured; return all of them."""
        load = self._cluster.load
        measured = load.changes.since(self._load_position)
        if self._heeds_owners and self._owners_seen != load.owners.version:
            measured = None
        self._load_position, self._owners_seen = load.changes.position, load.owners.version
        if measured is None or len(measured) > _MOST_ROWS_ONE_BY_ONE * self._capacity:
            measured = self._rows()
        if len(measured):
            changed = np.union1d(changed, measured)
        if len(changed):
            self._evaluate(changed, Scope.LOAD)
        return changed

    def _rows(self) -> Rows:
        return self._cluster.rows() if self._only_rows is None else self._only_rows

    def _look_at_images(self) -> None:
        """Score all rows by images anew when any node's images changed; images that no node holds cost nothing."""
        images = self._cluster.images
        seen = (images.version, self._cluster.node_count) if images.any_of(self._requirements.images) else None
        if seen != self._images_seen:
            self._images_seen = seen
            self._evaluate(self._rows(), Scope.IMAGES)
            self._combine(self._rows())

    def _look_around(self) -> None:
        """Bring what depends on pods of other nodes up to date."""
        self._left_out = False
        self.feasible = self._row_verdicts
        for plugin in self._neighbour_filters:
            passed = plugin.filter(self._requirements, self._neighbours, self._cluster)
            self.feasible = self.feasible & passed

    def _combine(self, rows: Rows) -> None:
        """Add up the verdicts, and the scores that need no normalising."""
        verdict = np.ones(len(rows), dtype=np.bool_)
        for known in self._verdicts.values():
            verdict &= known[rows]
        self._row_verdicts[rows] = verdict
        total = np.zeros(len(rows), dtype=np.int64)
        for entry in self._plain:
            total += entry.weight * self._raw[entry.plugin.name][rows]
        # Quantities near 2^63 can make a plugin's arithmetic wrap around; no feasible node may look infeasible for
        # that.
        self._plain_totals[rows] = np.where(verdict, np.maximum(total, 0), INFEASIBLE)


def _all_equal(values: Int64Array) -> bool:
    """Tell whether there is but one value, or none."""
    return not len(values) or bool((values == values[0]).all())
