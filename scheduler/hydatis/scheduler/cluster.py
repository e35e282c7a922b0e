"""The state of the cluster as tables: one row a node, one column a resource, fed by events.

The scheduler is the only writer; plugins and the evaluation of classes read. Invariants:

- `requested` of a row is the sum over the pods placed there (bound or assumed), each counted once; a recount gives
  the same numbers;
- a row exists for every node object and for every node name that a placed pod mentions; `present` tells the first
  from the second;
- every change of a row is written to a change log, so that readers evaluate again just the rows that changed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int32Array, Int64Array, Rows
from hydatis.scheduler.attach_limits import AttachLimits
from hydatis.scheduler.change_log import ChangeLog
from hydatis.scheduler.cluster_events import ClusterEvent, EventLog
from hydatis.scheduler.cpu_in_use import CpuInUse
from hydatis.scheduler.declared_features import declared_features
from hydatis.scheduler.host_ports import HostPortsInUse
from hydatis.scheduler.measured_load import LoadSettings, MeasuredLoad
from hydatis.scheduler.node_images import NodeImages
from hydatis.scheduler.node_labels import NodeLabels
from hydatis.scheduler.placed_pods import PlacedPods
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.quantities import MAX_INT64, QuantityInvalid
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import (
    CPU_COLUMN,
    PODS,
    ResourceColumns,
    amount_of,
    counts_for_scheduling,
    parse_resource_list,
)
from hydatis.scheduler.storage.tables import Storage
from hydatis.scheduler.tolerations import Taint
from hydatis.scheduler.volume_reach import VolumeReach
from hydatis.scheduler.volumes_in_use import VolumesInUse
from hydatis.scheduler.workloads import Workloads

_SMALLEST_CAPACITY = 64


@dataclass(slots=True)
class _Node:
    """What a row was made from, to tell whether an update changes anything."""

    allocatable: Any
    taints: Any
    unschedulable: bool
    labels: Any
    images: Any
    declared_features: Any

    def happened_since(self, old: "_Node | None") -> ClusterEvent:
        """Say what changed that may interest a pod that waits (kubernetes framework/events.go,
        NodeSchedulingPropertiesChange).
        """
        if old is None:
            return ClusterEvent.NODE_ADDED
        what = ClusterEvent.NONE
        if self.allocatable != old.allocatable:
            what |= ClusterEvent.NODE_ALLOCATABLE
        if self.labels != old.labels:
            what |= ClusterEvent.NODE_LABELS
        if self.taints != old.taints or self.unschedulable != old.unschedulable:
            what |= ClusterEvent.NODE_TAINTS
        if self.declared_features != old.declared_features:
            what |= ClusterEvent.NODE_DECLARED_FEATURES
        return what


class Cluster:
    """All nodes and what is placed on them.

    Arrays are shared with readers, who must not write. Shapes: `allocatable` and `requested` are (resources, rows) in
    each resource's own unit (millicores, bytes, units), `nonzero_requested` is (2, rows), the rest (rows,).
    """

    def __init__(self, load: LoadSettings | None = None) -> None:
        self.columns = ResourceColumns()
        self.capacity = _SMALLEST_CAPACITY
        self.allocatable: Int64Array = np.zeros((len(self.columns), self.capacity), dtype=np.int64)
        self.requested: Int64Array = np.zeros_like(self.allocatable)
        self.nonzero_requested: Int64Array = np.zeros((2, self.capacity), dtype=np.int64)
        """Millicores and bytes, with Kubernetes' stand-ins for containers without a request."""
        self.present: BoolArray = np.zeros(self.capacity, dtype=np.bool_)
        """Whether the node object exists; the other rows hold pods of nodes not seen, or are free."""
        self.unschedulable: BoolArray = np.zeros(self.capacity, dtype=np.bool_)
        self.taint_set: Int32Array = np.zeros(self.capacity, dtype=np.int32)
        """The number of the row's set of taints, an index into `taint_sets`."""
        self.taint_sets: list[tuple[Taint, ...]] = [()]
        self.declared_features: Int64Array = np.zeros(self.capacity, dtype=np.int64)
        """What the row's node declares of the features that pods can need, one bit for each (`DeclaredFeatures`)."""
        self.labels = NodeLabels(self.capacity)
        self.images = NodeImages()
        self.placed = PlacedPods(self.capacity)
        """The placed pods as other pods' selectors see them."""
        self.workloads = Workloads()
        """Services and controllers, whose selectors say which pods belong together."""
        self.priorities: Counter[int] = Counter()
        """How many placed pods have each priority."""
        self.node_changes = ChangeLog()
        """Rows whose node object changed, came or went."""
        self.placement_changes = ChangeLog()
        """Rows on which a pod was placed or removed."""
        self.events = EventLog()
        """What happened that can make a pod feasible, here or, with no row to it, around the cluster."""
        self.storage = Storage(self.events)
        """Volumes, claims and what else says which volumes a node can reach."""
        self.volumes_in_use = VolumesInUse(self.capacity)
        self.attach_limits = AttachLimits(self.storage, self.row_of)
        self.volume_reach = VolumeReach()
        self.load = MeasuredLoad(self.capacity, load)
        """What is measured of nodes and pods."""
        self.of_nodes: dict[object, Any] = {}
        """What readers made of the node objects alone, by keys of theirs; emptied when any of these changes."""
        self._taint_set_numbers: dict[tuple[Taint, ...], int] = {(): 0}
        self._rows: dict[str, int] = {}
        self._names: list[str | None] = [None] * self.capacity
        self._nodes: list[_Node | None] = [None] * self.capacity
        self._pods: list[dict[str, PodClass]] = [{} for _ in range(self.capacity)]
        self._ports = HostPortsInUse()
        self._inexact_rows: set[int] = set()
        self._free_rows = list(range(self.capacity - 1, -1, -1))
        self._node_count = 0
        self._cpu_in_use = CpuInUse(self.load)

    @property
    def node_count(self) -> int:
        """How many node objects there are."""
        return self._node_count

    def rows(self) -> Rows:
        """Return the rows of all node objects."""
        return np.flatnonzero(self.present)

    def cpu_utilization(self) -> float:
        """Return the CPU in use now on all nodes together, as a share of what they can allocate; 0 without any node."""
        return self._cpu_in_use.share(self.allocatable[CPU_COLUMN], self.rows(), self.node_changes.position)

    def row_of(self, name: str) -> int | None:
        """Return the row of a node that exists."""
        row = self._rows.get(name)
        return row if row is not None and self.present[row] else None

    def node_name(self, row: int) -> str:
        """Return the name of the row's node."""
        name = self._names[row]
        assert name is not None, f"row {row} is free"  # noqa: S101  a fault of the core itself
        return name

    def pods_on(self, row: int) -> Mapping[str, PodClass]:
        """Return the pods placed on a row, by uid."""
        return self._pods[row]

    @property
    def inexact_rows(self) -> Set[int]:
        """Rows whose sums are held at 2^63 - 1, and so do not tell what is left when a pod goes."""
        return self._inexact_rows

    def holds_below(self, priority: int) -> bool:
        """Tell whether a pod of lower priority is placed anywhere."""
        return min(self.priorities, default=priority) < priority

    def order_pods(self, row: int, uids: Iterable[str]) -> None:
        """Put the pods of a row back into an order that they had before; they must be the same pods."""
        pods = self._pods[row]
        self._pods[row] = {uid: pods[uid] for uid in uids}

    def host_ports_conflict(self, requirements: Requirements, rows: Rows) -> BoolArray:
        """Tell for each row whether a host port the pod wants is taken there."""
        taken = np.zeros(self.capacity, dtype=np.bool_)
        taken[list(self._ports.conflicts(requirements.host_ports))] = True
        return taken[rows]

    def host_ports_contested(self, requirements: Requirements, row: int) -> bool:
        """Tell whether a pod that is placed on the row shares a host port that it wants with another one there."""
        return self._ports.contested(row, requirements.host_ports)

    # Nodes

    def set_node(self, manifest: Mapping[str, Any]) -> bool:
        """Add or update a node; tell whether anything that matters for scheduling changed.

        An allocatable quantity that is malformed counts as absent, that is as none of that resource.
        """
        spec = manifest.get("spec") or {}
        status = manifest.get("status") or {}
        metadata = manifest["metadata"]
        node = _Node(
            status.get("allocatable") or {},
            spec.get("taints") or (),
            bool(spec.get("unschedulable")),
            metadata.get("labels") or {},
            status.get("images") or (),
            status.get("declaredFeatures") or (),
        )
        name = metadata["name"]
        row = self._rows.get(name)
        if row is None:
            row = self._new_row(name)
        old = self._nodes[row]
        if old == node:
            return False
        if not self.present[row]:
            self.present[row] = True
            self._node_count += 1
        self._nodes[row] = node
        self._write_allocatable(row, node.allocatable)
        self.unschedulable[row] = node.unschedulable
        self.taint_set[row] = self._number_of_taints(tuple(map(Taint.parse, node.taints)))
        self.labels.set(row, node.labels)
        self.images.set(row, node.images)
        self.declared_features[row] = declared_features(node.declared_features)
        self._node_changed(row)
        happened = node.happened_since(old)
        if happened:
            self.events.append(row, happened)
        return True

    def remove_node(self, name: str) -> None:
        """Take the node object away; what is placed there stays counted until its pods go, in case the node comes
        back.
        """
        row = self.row_of(name)
        if row is None:
            return
        self.present[row] = False
        self._node_count -= 1
        self._nodes[row] = None
        self.allocatable[:, row] = 0
        self.unschedulable[row] = False
        self.taint_set[row] = 0
        self.labels.set(row, {})
        self.images.set(row, ())
        self.declared_features[row] = 0
        self.load.forget_node(row)
        self._node_changed(row)
        self.events.append(row, ClusterEvent.NODE_REMOVED)
        self._free_if_unused(row)

    # Pods

    def place(self, uid: str, node: str, pod: PodClass) -> int:
        """Count a pod on a node, whether the node is known or not; return its row. A pod is placed once."""
        row = self._rows.get(node)
        if row is None:
            row = self._new_row(node)
        pods = self._pods[row]
        assert uid not in pods, f"pod {uid} is placed on {node} already"  # noqa: S101  a fault of the core itself
        pods[uid] = pod
        requirements = pod.requirements
        self.priorities[pod.priority] += 1
        self.placed.place(row, pod.identity, pod.affinity)
        if requirements.huge:
            self._inexact_rows.add(row)
        if requirements.host_ports:
            self._ports.take(row, requirements.host_ports)
        if requirements.volumes:
            self.volumes_in_use.add(row, requirements.volumes)
            self.storage.use_changed(use.name for use in requirements.volumes.claims)
        self._count(row, requirements, 1)
        self.events.append(row, ClusterEvent.POD_PLACED)
        return row

    def remove(self, uid: str, node: str) -> None:
        """Stop counting a pod that was placed on the node."""
        row = self._rows[node]
        pod = self._pods[row].pop(uid)
        requirements = pod.requirements
        self.priorities[pod.priority] -= 1
        if not self.priorities[pod.priority]:
            del self.priorities[pod.priority]
        self.placed.remove(row, pod.identity, pod.affinity)
        if requirements.host_ports:
            self._ports.release(row, requirements.host_ports)
        if requirements.volumes:
            self.volumes_in_use.remove(row, requirements.volumes)
            self.storage.use_changed(use.name for use in requirements.volumes.claims)
        self._count(row, requirements, -1)
        self.events.append(row, ClusterEvent.POD_REMOVED)
        self._free_if_unused(row)

    def recounted(self) -> Iterator[tuple[str, dict[str, int]]]:
        """Yield each node's requested amounts, added up anew from its pods; zero amounts are left out. For checks."""
        for name, row in self._rows.items():
            totals: dict[str, int] = {}
            for pod in self._pods[row].values():
                added = zip(pod.requirements.columns.tolist(), pod.requirements.amounts.tolist(), strict=True)
                for column, amount in added:
                    resource = self.columns.name(column)
                    totals[resource] = totals.get(resource, 0) + amount
            yield name, totals

    def ensure_columns(self) -> None:
        """Make the tables as wide as there are resource names."""
        missing = len(self.columns) - len(self.allocatable)
        if missing > 0:
            more = np.zeros((missing, self.capacity), dtype=np.int64)
            self.allocatable = np.concatenate([self.allocatable, more])
            self.requested = np.concatenate([self.requested, more])

    def _count(self, row: int, requirements: Requirements, sign: int) -> None:
        self.ensure_columns()
        if row in self._inexact_rows:
            self._recount(row)
        else:
            self.requested[requirements.columns, row] += sign * requirements.amounts
            self.nonzero_requested[0, row] += sign * requirements.nonzero_cpu
            self.nonzero_requested[1, row] += sign * requirements.nonzero_memory
        self.placement_changes.append(row)

    def _recount(self, row: int) -> None:
        """Add a row up in exact integers, each total held at 2^63 - 1, so that absurd requests never wrap around to
        small ones.
        """
        totals = [0] * len(self.columns)
        nonzero = [0, 0]
        for requirements in (pod.requirements for pod in self._pods[row].values()):
            for column, amount in zip(requirements.columns.tolist(), requirements.amounts.tolist(), strict=True):
                totals[column] += amount
            nonzero[0] += requirements.nonzero_cpu
            nonzero[1] += requirements.nonzero_memory
        self.requested[:, row] = [min(total, MAX_INT64) for total in totals]
        self.nonzero_requested[:, row] = [min(total, MAX_INT64) for total in nonzero]
        if not any(pod.requirements.huge for pod in self._pods[row].values()):
            self._inexact_rows.discard(row)

    def _write_allocatable(self, row: int, resources: Mapping[str, Any]) -> None:
        amounts: dict[int, int] = {}
        for name in resources:
            if name == PODS or counts_for_scheduling(name):
                try:
                    nano = parse_resource_list({name: resources[name]})[name]
                except QuantityInvalid:
                    continue
                amounts[self.columns.column(name)] = amount_of(name, nano)
        self.ensure_columns()
        self.allocatable[:, row] = 0
        for column, amount in amounts.items():
            self.allocatable[column, row] = amount

    def _number_of_taints(self, taints: tuple[Taint, ...]) -> int:
        number = self._taint_set_numbers.get(taints)
        if number is None:
            if len(self.taint_sets) > 2 * self.capacity:
                self._forget_unused_taint_sets()
            number = self._taint_set_numbers[taints] = len(self.taint_sets)
            self.taint_sets.append(taints)
        return number

    def _forget_unused_taint_sets(self) -> None:
        """Number the sets in use anew, so that taints whose values keep changing do not fill the memory."""
        in_use, numbers = np.unique(np.append(0, self.taint_set), return_inverse=True)
        self.taint_set = numbers[1:].astype(np.int32)
        self.taint_sets = [self.taint_sets[number] for number in in_use.tolist()]
        self._taint_set_numbers = {taints: number for number, taints in enumerate(self.taint_sets)}

    # Rows

    def _node_changed(self, row: int) -> None:
        self.node_changes.append(row)
        self.of_nodes.clear()

    def _new_row(self, name: str) -> int:
        if not self._free_rows:
            self._grow()
        row = self._free_rows.pop()
        self._rows[name] = row
        self._names[row] = name
        self.labels.name(row, name)
        return row

    def _free_if_unused(self, row: int) -> None:
        if self.present[row] or self._pods[row]:
            return
        name = self.node_name(row)
        del self._rows[name]
        self._names[row] = None
        self.labels.name(row, None, previous=name)
        self.load.free(row)
        self._free_rows.append(row)

    def _grow(self) -> None:
        added = self.capacity
        self._free_rows.extend(range(self.capacity + added - 1, self.capacity - 1, -1))
        self.capacity += added
        self.of_nodes.clear()
        wider = ((0, 0), (0, added))
        self.allocatable = np.pad(self.allocatable, wider)
        self.requested = np.pad(self.requested, wider)
        self.nonzero_requested = np.pad(self.nonzero_requested, wider)
        self.present = np.pad(self.present, (0, added))
        self.unschedulable = np.pad(self.unschedulable, (0, added))
        self.taint_set = np.pad(self.taint_set, (0, added))
        self.declared_features = np.pad(self.declared_features, (0, added))
        self.labels.grow(self.capacity)
        self.placed.grow(self.capacity)
        self.volumes_in_use.grow(self.capacity)
        self.load.grow(added)
        self._names += [None] * added
        self._nodes += [None] * added
        self._pods += [{} for _ in range(added)]
