"""The scheduling plugins, one file each, named after the Kubernetes plugin it mirrors, and the interfaces they
implement.

A plugin judges many nodes at once: it gets row numbers and returns one verdict or score a row. It reads the cluster's
tables, writes nothing, and keeps nothing about a pod: what a class of pods needs is in its `Requirements`. It declares
in `helped_by` which events can undo its rejections: nothing else brings back a pod that it parked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol, Self, TypeVar

from hydatis.scheduler.arrays import BoolArray, Float32Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.decision import ModelReference
from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.instructions import VolumesToBind
from hydatis.scheduler.neighbours import Neighbours
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.requirements import Requirements

MAX_NODE_SCORE = 100
"""The highest score a plugin gives a node, after normalising (kube-scheduler framework.MaxNodeScore)."""


class Scope(Enum):
    """What a plugin's answer for one node depends on, hence which changes call for asking it again."""

    NODE = "node"
    """The node object alone."""
    PLACEMENT = "placement"
    """The node object and the pods placed on this node."""
    LOAD = "load"
    """The node object, the pods placed on this node, and what is measured of it, as `cluster.load` tells it."""
    IMAGES = "images"
    """The node object and how many nodes there are and hold which images: a score's alone."""


class Normalization(Enum):
    """How raw scores become 0-100."""

    NONE = "none"
    """They are 0-100 already."""
    HIGHEST_IS_BEST = "highest is best"
    """In proportion to the highest among the feasible nodes."""
    LOWEST_IS_BEST = "lowest is best"
    """The same, turned around."""


@dataclass(frozen=True, slots=True)
class Everywhere:
    """PreFilter's answer: any node may do."""


@dataclass(frozen=True, slots=True)
class OnlyOn:
    """PreFilter's answer: only these nodes can do, so no other is looked at."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Nowhere:
    """PreFilter's answer: no node can do, and why. No preemption changes that, with any of kube-scheduler's plugins."""

    reason: str


PreFilterResult = Everywhere | OnlyOn | Nowhere


class PreFilterPlugin(Protocol):
    """Looks at the pod before any node is looked at."""

    name: ClassVar[str]
    prefilter_helped_by: ClassVar[ClusterEvent]
    """What can turn `Nowhere` into another answer, wherever it happens; NONE when only the pod decides."""

    def prefilter(self, requirements: Requirements, cluster: Cluster) -> PreFilterResult:
        """Say where at all the pod can go."""
        ...


class FilterPlugin(Protocol):
    """Says which nodes can run the pod."""

    name: ClassVar[str]
    scope: ClassVar[Scope]
    helped_by: ClassVar[ClusterEvent]
    """What can make a node pass that this plugin rejects, when it happens to that node, or EVERYWHERE. All such events,
    or a pod that could be placed stays where it is.
    """

    def applies(self, requirements: Requirements) -> bool:
        """Tell whether the plugin could reject any node for such a pod; when not, it is not asked."""
        ...

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Return True for each row that passes."""
        ...

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """Count, for rows that did not pass, how many fail for which reason; one row may have several."""
        ...

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Tell, of rows that did not pass, which would not even if every pod left the node.

        kube-scheduler's code UnschedulableAndUnresolvable: preemption does not look there.
        """
        ...


class OwnerAware:
    """Base of plugins whose answers may depend on who the pod belongs to, as `cluster.load.owners` knows it.

    Where one of a profile's plugins does, verdicts and scores are kept for each owner apart, and are looked at again
    when more has been learned of owners. Filters of this kind are of scope LOAD.
    """

    by_class: bool
    """Whether its answers do depend on it."""

    def for_owner(self, owner: Owner) -> Self:
        """Return the plugin as it answers for pods of this owner."""
        raise NotImplementedError


class Composite:
    """Base of score plugins that are made of parts, which decisions tell apart."""

    weights: EnsembleWeights
    """Of the parts that count."""

    def shares(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, Int64Array]:
        """Return by name what each part adds to each row's score."""
        raise NotImplementedError

    def seen(
        self, requirements: Requirements, cluster: Cluster, rows: Rows, others: Rows
    ) -> tuple[Mapping[str, Int64Array], Float32Array]:
        """Return the shares of `rows`, and what models see of those and of `others`: (rows and others, features)."""
        raise NotImplementedError

    def models_used(self) -> tuple[ModelReference, ...]:
        """Name the models that compute parts."""
        raise NotImplementedError


_Plugin = TypeVar("_Plugin")


def for_owner(plugin: _Plugin, owner: Owner) -> _Plugin:
    """Return the plugin as it answers for pods of this owner: most are the same for all."""
    if isinstance(plugin, OwnerAware) and plugin.by_class:
        return plugin.for_owner(owner)
    return plugin


class ReservePlugin(Protocol):
    """Takes what the pod needs beside the node's resources."""

    name: ClassVar[str]

    def reserve(self, requirements: Requirements, cluster: Cluster, row: int) -> VolumesToBind:
        """Choose the volumes with which the pod goes to the node of this row, which passed every filter."""
        ...


class NeighbourFilterPlugin(Protocol):
    """Says which nodes can run the pod, given where other pods are: an answer for one node may depend on all others."""

    name: ClassVar[str]
    helped_by: ClassVar[ClusterEvent]
    """What can make any node pass that this plugin rejects, wherever it happens."""

    def filters(self, neighbours: Neighbours) -> bool:
        """Tell whether the plugin could reject any node for such a pod; when not, it is not asked."""
        ...

    def filter(self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster) -> BoolArray:
        """Return True for each row of the cluster that passes."""
        ...

    def reasons(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, rows: Rows
    ) -> Mapping[str, int]:
        """Count, for rows that did not pass, how many fail for which reason."""
        ...

    def unresolvable(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, rows: Rows
    ) -> BoolArray:
        """Tell, of rows that did not pass, which would not even if every pod left the node."""
        ...


class NeighbourScorePlugin(Protocol):
    """Says how good each feasible node is, given where other pods are."""

    name: ClassVar[str]

    def scores(self, neighbours: Neighbours) -> bool:
        """Tell whether the plugin has anything to say about such a pod; when not, it adds nothing."""
        ...

    def score(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, feasible: BoolArray
    ) -> tuple[Int64Array, Int64Array]:
        """Return every row's raw score and the same normalised to 0-100; `feasible` says which rows count, at least
        one.
        """
        ...


class ScorePlugin(Protocol):
    """Says how good each feasible node is."""

    name: ClassVar[str]
    scope: ClassVar[Scope]
    normalization: ClassVar[Normalization]

    def applies(self, requirements: Requirements) -> bool:
        """Tell whether the plugin has anything to say about such a pod; when not, it adds nothing."""
        ...

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return the raw score of each row, at least 0; `normalization` says what it means."""
        ...
