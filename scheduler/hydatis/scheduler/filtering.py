"""Filter: which nodes can run the pod, and, when none can, why not."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from hydatis.scheduler.arrays import NO_ROWS, BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.decision import PluginRejections
from hydatis.scheduler.nominations import Beside, requested_by
from hydatis.scheduler.plugins import FilterPlugin, NeighbourFilterPlugin, Scope, for_owner
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.prefiltering import SearchSpace
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.what_if import WhatIf

EXAMPLES = 3
"""Nodes that are named of those that a plugin rejects."""
NO_NODES = "no nodes available to schedule pods"
"""kube-scheduler's message for a cluster without nodes (ErrNoNodesAvailable)."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Nodes that one plugin is the first to reject. Its answers hold while the cluster is as it was."""

    plugin: str
    rows: Rows
    reasons: Callable[[], Mapping[str, int]]
    """Reason to the number of these nodes; a node may have several."""
    unresolvable: Callable[[], BoolArray]
    """For each of the rows, whether the pod would not fit even if every pod left the node."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why no node is feasible."""

    reasons: Mapping[str, int]
    """Reason to number of nodes. A node counts under the first plugin that rejects it, for each of that plugin's
    reasons.
    """
    plugins: frozenset[str]
    by_plugin: tuple[PluginRejections, ...]
    """The same by the first plugin that rejects each node, in the order in which they ran."""
    resolvable: Rows
    """Nodes that the pod might fit if pods left them; the plugin that rejects a node first decides that."""


@dataclass(slots=True)
class _Tally:
    """A diagnosis in the making."""

    reasons: Counter[str] = field(default_factory=Counter[str])
    plugins: set[str] = field(default_factory=set[str])
    by_plugin: list[PluginRejections] = field(default_factory=list[PluginRejections])
    resolvable: list[Rows] = field(default_factory=list[Rows])

    def add(self, rejection: Rejection, cluster: Cluster) -> None:
        reasons = rejection.reasons()
        examples = tuple(cluster.node_name(row) for row in rejection.rows[:EXAMPLES].tolist())
        self.plugins.add(rejection.plugin)
        self.by_plugin.append(PluginRejections(rejection.plugin, len(rejection.rows), reasons, examples))
        self.reasons.update(reasons)
        self.resolvable.append(rejection.rows[~rejection.unresolvable()])


class Filters:
    """The filters that have something to say about one class of pods, in the order in which they run."""

    def __init__(self, profile: Profile, pod: PodClass, cluster: Cluster) -> None:
        requirements = pod.requirements
        self._requirements = requirements
        self._neighbours = pod.neighbours(cluster.placed, cluster.workloads, profile.spread_defaults)
        self._cluster = cluster
        self.first: Sequence[FilterPlugin] = [
            for_owner(p, pod.owner) for p in profile.filters if p.applies(requirements)
        ]
        self.across: Sequence[NeighbourFilterPlugin] = [
            p for p in profile.neighbour_filters if p.filters(self._neighbours)
        ]
        self.last: Sequence[FilterPlugin] = [
            for_owner(p, pod.owner) for p in profile.last_filters if p.applies(requirements)
        ]

    def rejections(self, rows: Rows) -> Iterator[Rejection]:
        """Yield what each plugin says of the rows that it is the first to reject; the rest is feasible."""
        rows = yield from self.rejections_row_by_row(self.first, rows)
        for across in self.across:
            if not len(rows):
                return
            passed = across.filter(self._requirements, self._neighbours, self._cluster)[rows]
            if not passed.all():
                failed, rows = rows[~passed], rows[passed]
                asked = (self._requirements, self._neighbours, self._cluster, failed)
                yield Rejection(
                    across.name, failed, partial(across.reasons, *asked), partial(across.unresolvable, *asked)
                )
        yield from self.rejections_row_by_row(self.last, rows)

    def rejections_row_by_row(self, plugins: Iterable[FilterPlugin], rows: Rows) -> Generator[Rejection, None, Rows]:
        """Yield the same for some plugins that judge each node by itself; returns the rows that pass."""
        for plugin in plugins:
            if not len(rows):
                break
            passed = plugin.filter(self._requirements, self._cluster, rows)
            if not passed.all():
                failed, rows = rows[~passed], rows[passed]
                asked = (self._requirements, self._cluster, failed)
                yield Rejection(
                    plugin.name, failed, partial(plugin.reasons, *asked), partial(plugin.unresolvable, *asked)
                )
        return rows

    @property
    def by_row_alone(self) -> bool:
        """Whether what is placed on one node bears on no other node's verdict."""
        return not self.across and not self._requirements.volumes

    @property
    def by_room_alone(self) -> bool:
        """Whether all that placed pods can take from a pod of this class is what they request."""
        return not self.across and all(
            plugin.scope is Scope.NODE or type(plugin) is NodeResourcesFit for plugin in (*self.first, *self.last)
        )

    def passing(self, rows: Rows, *, placements_only: bool = False) -> BoolArray:
        """Tell which rows are feasible; `placements_only`: as far as the pods placed there and elsewhere decide."""
        passed = np.ones(len(rows), dtype=np.bool_)
        for plugin in (*self.first, *self.last):
            if not (placements_only and plugin.scope is Scope.NODE):
                passed &= plugin.filter(self._requirements, self._cluster, rows)
        for across in self.across:
            passed &= across.filter(self._requirements, self._neighbours, self._cluster)[rows]
        return passed

    def passes(self, row: int, *, placements_only: bool = False) -> bool:
        """Tell whether a row is feasible; `placements_only`: as far as the pods placed there and elsewhere decide."""
        rows = np.array([row], dtype=np.intp)
        for plugin in (*self.first, *self.last):
            if placements_only and plugin.scope is Scope.NODE:
                continue
            if not plugin.filter(self._requirements, self._cluster, rows)[0]:
                return False
        return all(across.filter(self._requirements, self._neighbours, self._cluster)[row] for across in self.across)


def filter_rows(plugins: Iterable[FilterPlugin], requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
    """Return True for each row that every plugin passes."""
    feasible = np.ones(len(rows), dtype=np.bool_)
    for plugin in plugins:
        feasible &= plugin.filter(requirements, cluster, rows)
    return feasible


def held_back(filters: Filters, cluster: Cluster, feasible: BoolArray, beside: Beside) -> Rows:
    """Return the feasible rows that are not so beside the pods nominated to them (kubernetes framework/runtime,
    RunFilterPluginsWithNominatedPods: a node must pass with them and without).
    """
    out = [NO_ROWS]
    for rows in _with_nominated(filters, cluster, np.flatnonzero(feasible), beside):
        out.append(rows[~filters.passing(rows, placements_only=True)])
    return np.concatenate(out)


def diagnose(profile: Profile, pod: PodClass, cluster: Cluster, space: SearchSpace, beside: Beside) -> Diagnosis:
    """Find the first plugin that rejects each node, and its reasons, as kube-scheduler reports them."""
    filters = Filters(profile, pod, cluster)
    tally = _Tally(plugins=set(space.narrowed_by))
    remaining = space.rows(cluster)
    left_out = cluster.node_count - len(remaining)
    if left_out:
        # schedule_one.go, findNodesThatFitPod: the nodes that PreFilter never let be looked at.
        reason = f"node(s) didn't satisfy plugin(s) [{' '.join(space.narrowed_by)}]"
        tally.reasons[reason] = left_out
        tally.by_plugin.append(PluginRejections(" ".join(space.narrowed_by), left_out, {reason: left_out}))
    if beside:
        out = [NO_ROWS]
        for rejection in rejections_beside(filters, cluster, remaining, beside):
            tally.add(rejection, cluster)
            out.append(rejection.rows)
        remaining = np.setdiff1d(remaining, np.concatenate(out))
    for rejection in filters.rejections(remaining):
        tally.add(rejection, cluster)
    rows = np.sort(np.concatenate(tally.resolvable)) if tally.resolvable else remaining[:0]
    return Diagnosis(dict(tally.reasons), frozenset(tally.plugins), tuple(tally.by_plugin), rows)


def rejections_beside(filters: Filters, cluster: Cluster, rows: Rows, beside: Beside) -> Iterator[Rejection]:
    """Yield what is said of those of the rows that are rejected beside the pods nominated to them; the others have
    still to be judged without these.
    """
    for placed in _with_nominated(filters, cluster, rows, beside):
        yield from filters.rejections(placed)


def _with_nominated(filters: Filters, cluster: Cluster, rows: Rows, beside: Beside) -> Iterator[Rows]:
    """Place the nominated pods of some of the rows for the sake of argument, yield these rows, and go on with others.

    Each node is judged beside its own nominated pods alone. All at once gives the same where no node's pods bear on
    another node.
    """
    with_some = [row for row in rows.tolist() if row in beside]
    if not with_some:
        return
    if filters.by_room_alone and cluster.inexact_rows.isdisjoint(with_some):
        amounts = [requested_by(beside[row], len(cluster.requested)) for row in with_some]
        exact = [of_row for of_row in amounts if of_row is not None]
        if len(exact) == len(with_some):
            yield from _with_requests(cluster, np.array(with_some, dtype=np.intp), np.array(exact).T)
            return
    together = len(with_some) if filters.by_row_alone else 1
    with WhatIf(cluster) as what_if:
        for start in range(0, len(with_some), together):
            chosen = with_some[start : start + together]
            for row in chosen:
                for uid, pod in beside[row]:
                    what_if.place(uid, row, pod)
            yield np.array(chosen, dtype=np.intp)
            what_if.undo_to(0)


def _with_requests(cluster: Cluster, rows: Rows, amounts: Int64Array) -> Iterator[Rows]:
    """Yield the rows while so much more is requested there; shape (resources, rows)."""
    before = cluster.requested[:, rows].copy()
    cluster.requested[:, rows] += amounts
    try:
        yield rows
    finally:
        cluster.requested[:, rows] = before


def no_nodes_available(nodes: int, reasons: Mapping[str, int]) -> str:
    """Write the FailedScheduling text in kube-scheduler's words (framework/types.go, FitError.Error)."""
    histogram = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    text = f"0/{nodes} nodes are available:"
    return f"{text} {histogram}." if histogram else text
