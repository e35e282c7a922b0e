"""The comparison can fail for volumes: a volume plugin that passes one thing over is caught and shown in a small case.

Most copies are broken by what they see: a cluster in which one property of its storage objects is as if it were not
there. Each is compared by itself, without the other plugins.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hydatis.sandbox.verifying.judging import restricted
from hydatis.sandbox.verifying.session import Disagreement
from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.attach_limits import AttachLimits
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE, PreFilterResult
from hydatis.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from hydatis.scheduler.plugins.volume_binding import VolumeBinding
from hydatis.scheduler.plugins.volume_restrictions import VolumeRestrictions
from hydatis.scheduler.plugins.volume_zone import VolumeZone
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.storage.tables import Storage, filed_under
from hydatis.scheduler.storage.volumes import EVERYWHERE

FindDisagreement = Callable[[Profile], Disagreement | None]


def seen_otherwise(cluster: Cluster, **tables: Callable[[Any], Any]) -> Cluster:
    """Copy the cluster with storage tables of which every entry has been passed through a function; one that returns
    None leaves it out.
    """
    storage: Storage = copy.copy(cluster.storage)
    for name, change in tables.items():
        entries = {key: change(value) for key, value in getattr(storage, name).items()}
        setattr(storage, name, {key: value for key, value in entries.items() if value is not None})
    storage._volumes_by_owner = defaultdict(dict)
    for volume in storage.volumes.values():
        storage._volumes_by_owner[filed_under(volume)][volume.name] = volume
    changed = copy.copy(cluster)
    changed.storage = storage
    changed.attach_limits = AttachLimits(storage, cluster.row_of)
    return changed


class NoticesNothing:
    """A base for copies that do not see something; `see` says what they see instead."""

    def __init__(self, **tables: Callable[[Any], Any]) -> None:
        self._tables = tables

    def see(self, cluster: Cluster) -> Cluster:
        return seen_otherwise(cluster, **self._tables)


class BlindBinding(NoticesNothing, VolumeBinding):
    def prefilter(self, requirements: Requirements, cluster: Cluster) -> PreFilterResult:
        return super().prefilter(requirements, self.see(cluster))

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return super().filter(requirements, self.see(cluster), rows)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        return super().reasons(requirements, self.see(cluster), rows)

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        return super().score(requirements, self.see(cluster), rows)


class BlindZone(NoticesNothing, VolumeZone):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return super().filter(requirements, self.see(cluster), rows)


class BlindLimits(NoticesNothing, NodeVolumeLimits):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return super().filter(requirements, self.see(cluster), rows)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        return super().reasons(requirements, self.see(cluster), rows)


class TheFullestVolumesAreBest(VolumeBinding):
    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        score = super().score(requirements, cluster, rows)
        return np.where(score > 0, MAX_NODE_SCORE - score, 0)


class RoomIsFoundWhenPodsGo(VolumeBinding):
    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return np.zeros(len(rows), dtype=np.bool_)


class NodesWithoutAZoneAreNowhere(VolumeZone):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        passed: BoolArray = super().filter(requirements, cluster, rows)
        return passed & cluster.labels.present("topology.kubernetes.io/zone", rows)


class ReadersKeepEachOtherAway(VolumeRestrictions):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        wanted = {(disk.kind, disk.identity) for disk in requirements.volumes.disks}
        alike = [
            not any((d.kind, d.identity) in wanted for v in cluster.volumes_in_use.on(row) for d in v.disks)
            for row in rows.tolist()
        ]
        return super().filter(requirements, cluster, rows) & np.array(alike, dtype=np.bool_)


class DisksDoNotMatter(VolumeRestrictions):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        passed = super().filter(requirements, cluster, rows)
        return passed if not requirements.volumes.disks else np.ones_like(passed)


class ClaimsOfOnePodAreShared(VolumeRestrictions):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        passed = super().filter(requirements, cluster, rows)
        return passed if requirements.volumes.disks else np.ones_like(passed)


class DisksStayTaken(VolumeRestrictions):
    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return np.ones(len(rows), dtype=np.bool_)


class NothingIsEverTooMuch(NodeVolumeLimits):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        unlimited = seen_otherwise(cluster, csi_nodes=lambda node: replace(node, limits={}))
        return super().filter(requirements, unlimited, rows)


def _first_zone(volume: Any) -> Any:
    return replace(volume, labels={key: value.split("__")[0] for key, value in volume.labels.items()})


def _new_labels_only(volume: Any) -> Any:
    return replace(volume, labels={key: v for key, v in volume.labels.items() if "beta" not in key})


_BROKEN: Mapping[str, Any] = {
    "selectors of claims do not matter": BlindBinding(claims=lambda claim: replace(claim, selector=None)),
    "volume modes do not matter": BlindBinding(
        claims=lambda claim: replace(claim, volume_mode=""), volumes=lambda volume: replace(volume, volume_mode="")
    ),
    "attributes classes do not matter": BlindBinding(
        claims=lambda claim: replace(claim, attributes_class=""),
        volumes=lambda volume: replace(volume, attributes_class=""),
    ),
    "access modes do not matter": BlindBinding(claims=lambda claim: replace(claim, access_modes=frozenset())),
    "pending volumes are available": BlindBinding(volumes=lambda volume: replace(volume, available=True)),
    "volumes being deleted are taken": BlindBinding(volumes=lambda volume: replace(volume, deleting=False)),
    "volumes kept for others are free": BlindBinding(volumes=lambda volume: replace(volume, claim=None)),
    "all nodes reach all volumes": BlindBinding(volumes=lambda volume: replace(volume, affinity=EVERYWHERE)),
    "drivers that took over have no labels": BlindBinding(volumes=lambda volume: replace(volume, migrated=None)),
    "selected nodes do not matter": BlindBinding(claims=lambda claim: replace(claim, selected_node=None)),
    "allowed topologies do not matter": BlindBinding(classes=lambda entry: replace(entry, topologies=())),
    "nobody makes volumes": BlindBinding(classes=lambda entry: replace(entry, provisioner="")),
    "every class provisions": BlindBinding(classes=lambda entry: replace(entry, provisioner="p")),
    "no class waits for a consumer": BlindBinding(classes=lambda entry: replace(entry, waits_for_consumer=False)),
    "room is not looked at": BlindBinding(csi_drivers=lambda driver: replace(driver, tracks_capacity=False)),
    "all drivers tell of room": BlindBinding(csi_drivers=lambda driver: replace(driver, tracks_capacity=True)),
    "the largest volume is as large as the room": BlindBinding(
        _capacities=lambda capacity: replace(capacity, largest=None)
    ),
    "small volumes will do": BlindBinding(claims=lambda claim: replace(claim, request=0)),
    "lost claims are found": BlindBinding(claims=lambda claim: replace(claim, lost=False)),
    "claims being deleted stay": BlindBinding(claims=lambda claim: replace(claim, deleting=False)),
    "claims are everybody's": BlindBinding(claims=lambda claim: replace(claim, controller_uid="candidate-1")),
    "the fullest volumes are best": TheFullestVolumesAreBest(),
    "room is found when pods go": RoomIsFoundWhenPodsGo(),
    "only the first zone counts": BlindZone(volumes=_first_zone),
    "old labels of volumes do not count": BlindZone(volumes=_new_labels_only),
    "nodes without a zone are nowhere": NodesWithoutAZoneAreNowhere(),
    "readers keep each other away": ReadersKeepEachOtherAway(),
    "disks do not matter": DisksDoNotMatter(),
    "claims of one pod are shared": ClaimsOfOnePodAreShared(),
    "disks stay taken": DisksStayTaken(),
    "nothing is ever too much": NothingIsEverTooMuch(),
    "attachments do not count": BlindLimits(_attachments_by_node=lambda attachments: None),
    "volumes to come do not count": BlindLimits(classes=lambda entry: None),
    "in-tree volumes stay in the tree": BlindLimits(volumes=lambda volume: replace(volume, migrated=None)),
    "drivers need not be there": BlindLimits(csi_drivers=lambda driver: replace(driver, must_be_on_node=False)),
    "all drivers must be there": BlindLimits(csi_drivers=lambda driver: replace(driver, must_be_on_node=True)),
}


@pytest.mark.parametrize("broken", _BROKEN.values(), ids=_BROKEN.keys())
def test_a_volume_plugin_that_passes_one_thing_over_is_caught_in_a_small_case(
    find_disagreement: FindDisagreement, with_broken: Callable[[Any], Profile], broken: Any
) -> None:
    found = find_disagreement(restricted(with_broken(broken), (broken.name,)))
    assert found is not None
    assert {difference.plugin for difference in found.differences} <= {broken.name, ""}
    assert len(found.case.nodes) <= 2
    assert len(found.case.candidates) == 1
