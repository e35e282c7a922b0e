"""An equivalence class of pods: all that are alike for scheduling share one object.

What a pod asks of nodes is in its `Requirements`; what other pods can see of it is its `PodIdentity`; these, its
controller and what it may displace make the class.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from hydatis.scheduler.neighbours import Neighbours, find_neighbours
from hydatis.scheduler.owner import Owner, controller_reference, owner_of
from hydatis.scheduler.placed_pods import PlacedPods
from hydatis.scheduler.pod_identity import IdentityIndex, PodIdentity
from hydatis.scheduler.pod_patterns import PodAffinity
from hydatis.scheduler.requirements import Requirements, RequirementsIndex
from hydatis.scheduler.resources import ResourceColumns
from hydatis.scheduler.spread_constraints import SYSTEM_DEFAULTS, SpreadConstraints, SpreadDefaults
from hydatis.scheduler.workloads import Workload, Workloads, controller_of


class Rank(NamedTuple):
    """A pod's standing among others."""

    priority: int = 0
    preempts: bool = True
    """Whether pods of lower priority may be displaced for it (`preemptionPolicy` is not Never)."""


class PodClass:
    """Compared and hashed by identity: the index holds one object a class."""

    __slots__ = (
        "__weakref__",
        "_neighbours",
        "_under_other_defaults",
        "_version",
        "affinity",
        "controller",
        "identity",
        "owner",
        "preempts",
        "priority",
        "requirements",
        "spread",
    )

    def __init__(
        self,
        requirements: Requirements,
        identity: PodIdentity,
        controller: Workload | None,
        rank: Rank,
        reference: tuple[str, str] | None = None,
    ) -> None:
        self.requirements = requirements
        self.identity = identity
        self.controller = controller
        """Whose selector says which pods it belongs with."""
        self.owner: Owner = owner_of(reference, identity, requirements)
        """Whose pods use resources alike; `reference` is what `controller_reference` says of the pod."""
        self.priority, self.preempts = rank
        self.affinity: PodAffinity = PodAffinity.parse(requirements.affinity, identity.namespace)
        self.spread: SpreadConstraints = SpreadConstraints.parse(requirements.spread_constraints, identity)
        self._neighbours = Neighbours()
        self._under_other_defaults: dict[SpreadDefaults, Neighbours] = {}
        self._version = (-1, -1)

    def neighbours(
        self, placed: PlacedPods, workloads: Workloads, defaults: SpreadDefaults = SYSTEM_DEFAULTS
    ) -> Neighbours:
        """Return what pods of this class have to heed now, spread by these defaults if they state no constraint; the
        same object as long as nothing about it changes.
        """
        version = (placed.version, workloads.version)
        if self._version != version:
            self._version = version
            found = self._found(placed, workloads, SYSTEM_DEFAULTS)
            if found != self._neighbours:
                self._neighbours = found
            for known, before in tuple(self._under_other_defaults.items()):
                found = self._found(placed, workloads, known)
                if found != before:
                    self._under_other_defaults[known] = found
        if defaults is SYSTEM_DEFAULTS or self.spread:
            return self._neighbours
        if defaults not in self._under_other_defaults:
            self._under_other_defaults[defaults] = self._found(placed, workloads, defaults)
        return self._under_other_defaults[defaults]

    def _found(self, placed: PlacedPods, workloads: Workloads, defaults: SpreadDefaults) -> Neighbours:
        spread, by_system = self.spread, False
        like = None if spread else workloads.selector_for(self.identity, self.controller)
        if like is not None:
            spread, by_system = defaults.counting(like), defaults.by_system
        return find_neighbours(self.identity, self.affinity, spread, placed, by_system=by_system)


_COMMON_RANK = Rank()


def rank_of(spec: Mapping[str, Any]) -> Rank:
    """Read a pod's rank; most pods share the common one."""
    priority, preempts = spec.get("priority") or 0, spec.get("preemptionPolicy") != "Never"
    return Rank(priority, preempts) if priority or not preempts else _COMMON_RANK


_Key = tuple[Requirements, PodIdentity, Workload | None, Rank, tuple[str, str] | None]


class PodClasses:
    """Finds the class of a pod's manifest. Classes without any pod left are forgotten by themselves."""

    def __init__(self, columns: ResourceColumns) -> None:
        self._requirements = RequirementsIndex(columns)
        self._identities = IdentityIndex()
        self._classes: WeakValueDictionary[_Key, PodClass] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._classes)

    def of(self, manifest: Mapping[str, Any]) -> PodClass:
        """Return the class of this pod. Raises `QuantityInvalid`."""
        metadata = manifest["metadata"]
        key = (
            self._requirements.of(manifest),
            self._identities.of(metadata),
            controller_of(metadata),
            rank_of(manifest.get("spec") or {}),
            controller_reference(metadata),
        )
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = PodClass(*key)
        return found
