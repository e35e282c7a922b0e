"""Finds, for many nodes at once, the volumes with which a pod would go there (kubernetes
plugins/volumebinding/binder.go).

Bound claims need a node that reaches their volume. Claims that wait for their first consumer get the smallest volume
that fits and that the node reaches, or one is to be provisioned for the node. VolumeBinding asks; nothing here writes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.pod_volumes import ClaimUse
from hydatis.scheduler.quantities import value
from hydatis.scheduler.storage.claims import Claim
from hydatis.scheduler.storage.csi import Capacity
from hydatis.scheduler.storage.tables import Storage
from hydatis.scheduler.storage.volumes import Volume, kept_for

_NONE = -1


@dataclass(frozen=True, slots=True)
class ClaimsOfPod:
    """A pod's claims, all of which exist, by what is to be done with them (GetPodVolumeClaims)."""

    bound: tuple[Claim, ...]
    waiting: tuple[Claim, ...]
    """To be bound together with the pod."""
    immediate: tuple[Claim, ...]
    """To be bound by the controller before the pod can be placed."""

    @classmethod
    def of(cls, uses: Iterable[ClaimUse], storage: Storage) -> "ClaimsOfPod":
        """Look the claims up, in the order of the pod's volumes; those that do not exist are left out."""
        claims = [claim for claim in (storage.claims.get(use.name) for use in uses) if claim is not None]
        unbound = [claim for claim in claims if not claim.bound]
        # A claim that names its volume before it is bound is for the controller to bind, whatever its class says.
        waiting = [claim for claim in unbound if not claim.volume and storage.waits_for_consumer(claim)]
        return cls(
            bound=tuple(claim for claim in claims if claim.bound),
            waiting=tuple(waiting),
            immediate=tuple(claim for claim in unbound if claim not in waiting),
        )


@dataclass(slots=True)
class StaticBinding:
    """A claim and the volume it would get, by row."""

    claim: Claim
    candidates: Sequence[Volume]
    kept: int
    """How many of them, the first, are kept for the claim."""
    numbers: Mapping[str, int]
    """Name of a candidate to its index."""
    chosen: Int64Array
    """By position in the rows asked about: an index into `candidates`, -1 where there is none."""


@dataclass(slots=True)
class Provision:
    """A claim and the rows for which a volume would be provisioned, with the room there is."""

    claim: Claim
    rows: BoolArray
    """By position in the rows asked about."""
    capacities: Sequence[Capacity]
    room: Int64Array
    """By position: an index into `capacities`, -1 where no room is known of."""


@dataclass(slots=True)
class FoundVolumes:
    """The answer for some rows. All arrays are by position in those rows."""

    out_of_reach: BoolArray
    """A bound claim's volume is not within the node's reach."""
    missing: BoolArray
    """A bound claim's volume does not exist."""
    no_match: BoolArray
    """A claim finds no volume, and none can be provisioned for the node."""
    no_room: BoolArray
    """There is not enough room for a volume that would have to be provisioned."""
    bindings: list[StaticBinding] = field(default_factory=list)
    provisions: list[Provision] = field(default_factory=list)
    """Both without meaning where any of the above is true."""

    @property
    def satisfied(self) -> BoolArray:
        """Where the pod finds all its volumes."""
        return ~(self.out_of_reach | self.missing | self.no_match | self.no_room)


def find_volumes(claims: ClaimsOfPod, cluster: Cluster, rows: Rows) -> FoundVolumes:
    """Look for the pod's volumes on each row (FindPodVolumes)."""
    nowhere = np.zeros(len(rows), dtype=np.bool_)
    found = FoundVolumes(nowhere, nowhere.copy(), nowhere.copy(), nowhere.copy())
    _check_bound(found, claims.bound, cluster, rows)
    if claims.waiting:
        _find_for_waiting(found, claims.waiting, cluster, rows)
    return found


def _check_bound(found: FoundVolumes, claims: Iterable[Claim], cluster: Cluster, rows: Rows) -> None:
    """Look at the bound claims in turn; the first that fails a row decides about it (checkBoundClaims)."""
    undecided = np.ones(len(rows), dtype=np.bool_)
    for claim in claims:
        volume = cluster.storage.volumes.get(claim.volume)
        if volume is None:
            found.missing |= undecided
            return
        in_reach = reached(volume, cluster, rows)
        found.out_of_reach |= undecided & ~in_reach
        undecided &= in_reach


def reached(volume: Volume, cluster: Cluster, rows: Rows) -> BoolArray:
    """Tell for each row whether the node can reach the volume."""
    by_labels = volume.affinity.matches(cluster.labels, rows)
    if volume.migrated is not None:
        names = cluster.storage.nodes_with_migrated(volume.migrated.plugin)
        if names:
            taken_over = np.array([cluster.node_name(row) in names for row in rows.tolist()], dtype=np.bool_)
            by_driver = volume.migrated_affinity.matches(cluster.labels, rows)
            # A volume that cannot be translated is within nobody's reach there.
            by_driver &= volume.migrated.attached is not None
            return np.where(taken_over, by_driver, by_labels)
    return by_labels


def _find_for_waiting(found: FoundVolumes, claims: Iterable[Claim], cluster: Cluster, rows: Rows) -> None:
    elsewhere = np.zeros(len(rows), dtype=np.bool_)
    selected, unselected = [], []
    for claim in claims:
        node = cluster.storage.node_of(claim)
        if node is None:
            unselected.append(claim)
        else:
            selected.append(claim)
            elsewhere |= ~cluster.labels.named(node, rows)
    found.no_match |= elsewhere
    looking = ~elsewhere
    to_provision = [(claim, looking) for claim in selected]
    # The smallest claims first, so that they leave the larger volumes to the larger claims.
    for claim in sorted(unselected, key=lambda claim: claim.request or 0):
        binding = _match(claim, found.bindings, cluster, rows, looking)
        found.bindings.append(binding)
        unmatched = looking & (binding.chosen == _NONE)
        if unmatched.any():
            to_provision.append((claim, unmatched))
    _provide(found, to_provision, cluster, rows)


def _match(
    claim: Claim, earlier: Sequence[StaticBinding], cluster: Cluster, rows: Rows, looking: BoolArray
) -> StaticBinding:
    """Choose a volume for the claim on each row (component-helpers storage/volume/pv_helpers.go,
    FindMatchingVolume).
    """
    storage = cluster.storage
    kept, free = [], []
    for volume in storage.volumes_for(claim):
        if _suits(claim, volume):
            owner = storage.claim_of(volume)
            if kept_for(owner, claim):
                kept.append(volume)
            elif owner is None and _may_be_taken(claim, volume):
                free.append(volume)
    free.sort(key=lambda volume: volume.capacity)
    candidates = [*kept, *free]
    numbers = {volume.name: number for number, volume in enumerate(candidates)}
    binding = StaticBinding(claim, candidates, len(kept), numbers, np.full(len(rows), _NONE, dtype=np.int64))
    undecided = looking.copy()
    for number, volume in enumerate(candidates[: len(kept)]):
        taken = _chosen_before(volume, earlier, slice(None))
        open_to_it = undecided if taken is None else undecided & ~taken
        binding.chosen[open_to_it & volume.affinity.matches(cluster.labels, rows)] = number
        # A volume kept for the claim is the only one it may have, within reach or not.
        undecided = undecided & ~open_to_it
    if free and undecided.any():
        _take_free(binding, undecided, earlier, cluster, rows)
    return binding


def _take_free(
    binding: StaticBinding, undecided: BoolArray, earlier: Sequence[StaticBinding], cluster: Cluster, rows: Rows
) -> None:
    """Choose among the candidates that are kept for nobody: the first within reach."""
    positions = np.full(cluster.capacity, _NONE, dtype=np.intp)
    positions[rows] = np.arange(len(rows))
    nodes, version = cluster.rows(), cluster.node_changes.position
    for number in range(binding.kept, len(binding.candidates)):
        volume = binding.candidates[number]
        within_reach = positions[cluster.volume_reach.rows(volume.affinity, cluster.labels, nodes, version)]
        takers = within_reach[(within_reach != _NONE) & undecided[within_reach]]
        if len(takers):
            taken = _chosen_before(volume, earlier, takers)
            if taken is not None:
                takers = takers[~taken]
            binding.chosen[takers] = number
            undecided[takers] = False
            if not undecided.any():
                return


def _suits(claim: Claim, volume: Volume) -> bool:
    """What even a volume kept for the claim must fulfil."""
    return (
        volume.capacity >= (claim.request or 0)
        and volume.volume_mode == claim.volume_mode
        and volume.attributes_class == claim.attributes_class
        and not volume.deleting
    )


def _may_be_taken(claim: Claim, volume: Volume) -> bool:
    """What a volume must fulfil beyond that when it is kept for nobody."""
    return (
        volume.available
        and (claim.selector is None or claim.selector.matches(volume.labels))
        and claim.access_modes <= volume.access_modes
    )


def _chosen_before(volume: Volume, earlier: Iterable[StaticBinding], positions: Rows | slice) -> BoolArray | None:
    """Tell for each of some positions whether another claim of the pod has the volume already there; None: no claim
    wants it.
    """
    taken = [
        binding.chosen[positions] == binding.numbers[volume.name]
        for binding in earlier
        if volume.name in binding.numbers
    ]
    return np.logical_or.reduce(taken) if taken else None


def _provide(
    found: FoundVolumes, to_provision: Iterable[tuple[Claim, BoolArray]], cluster: Cluster, rows: Rows
) -> None:
    """See where volumes can be provisioned; the first claim that fails a row decides about it
    (checkVolumeProvisions).
    """
    failed = np.zeros(len(rows), dtype=np.bool_)
    for claim, rows_without in to_provision:
        storage_class = cluster.storage.classes[claim.class_name]
        wanted = rows_without & ~failed
        allowed = storage_class.allows(cluster.labels, rows) if storage_class.provisions else np.zeros_like(wanted)
        found.no_match |= wanted & ~allowed
        provision = Provision(claim, wanted & allowed, (), np.full(len(rows), _NONE, dtype=np.int64))
        _look_for_room(provision, storage_class.provisioner, cluster, rows)
        found.no_room |= wanted & allowed & ~provision.rows
        failed |= wanted & ~provision.rows
        found.provisions.append(provision)


def _look_for_room(provision: Provision, provisioner: str, cluster: Cluster, rows: Rows) -> None:
    """Leave only the rows with enough room for the claim, where the driver tells (hasEnoughCapacity)."""
    claim = provision.claim
    driver = cluster.storage.csi_drivers.get(provisioner)
    if claim.request is None or driver is None or not driver.tracks_capacity:
        return
    large_enough = [
        capacity
        for capacity in cluster.storage.capacities_of_class(claim.class_name)
        if capacity.limit is not None and value(capacity.limit) >= value(claim.request)
    ]
    provision.capacities = large_enough
    for number, capacity in enumerate(large_enough):
        provision.room[(provision.room == _NONE) & capacity.reaches(cluster.labels, rows)] = number
    provision.rows = provision.rows & (provision.room != _NONE)
