"""What is left of every device, and which pod holds what of which.

The table follows the core's own cluster: `refresh` reads from its change logs which rows changed and counts just their
pods anew. So nothing has to be told when a pod is placed or leaves, and a placement that the core takes back is
taken back here. Plugins call `refresh` before they read. Invariant: what is left of a device is what it has minus
what the pods hold of it that the core counts on its node.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN
from hydatis.simulations.gpu_sharing.demands import GPU_MILLI, MOST_DEVICES, WHOLE, GpuDemand, demand_of


class DeviceChoice(Protocol):
    """Chooses the device for a pod that takes a part of one."""

    def choose(self, row: int, left: Int64Array, demand: GpuDemand, cpu_left: int, cpu_request: int) -> int | None:
        """Return the device, None when it fits on none. `left` and `cpu_left` are as they were before this pod."""
        ...


class Fullest:
    """The device with the least left that still suffices, the first of equals: open-gpu-share's `best`."""

    def choose(self, row: int, left: Int64Array, demand: GpuDemand, cpu_left: int, cpu_request: int) -> int | None:
        """Return the device."""
        fitting = np.where(left >= demand.milli, left, WHOLE + 1)
        device = int(fitting.argmin())
        return device if fitting[device] <= WHOLE else None


class AnyDevice:
    """Any device that suffices, at random: open-gpu-share's `random`."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random

    def choose(self, row: int, left: Int64Array, demand: GpuDemand, cpu_left: int, cpu_request: int) -> int | None:
        """Return the device."""
        fitting = np.flatnonzero(left >= demand.milli)
        return int(fitting[self._random.integers(len(fitting))]) if len(fitting) else None


@dataclass(frozen=True, slots=True)
class _Held:
    requirements: Requirements
    demand: GpuDemand
    devices: tuple[int, ...]
    cpu_millicores: int


class GpuDevices:
    """The devices of one scheduler's cluster. Readers do not write."""

    def __init__(self, choice: DeviceChoice) -> None:
        self.choice = choice
        self.left: Int64Array = np.zeros((0, MOST_DEVICES), dtype=np.int64)
        """By row and device: thousandths left; 0 where the node has no such device."""
        self.count: Int64Array = np.zeros(0, dtype=np.int64)
        """By row: devices the node has."""
        self.pods_by_devices: Int64Array = np.zeros((0, MOST_DEVICES + 1), dtype=np.int64)
        """By row: pods that share a device (column 0), that hold one, two, ... whole devices (columns 1, 2, ...)."""
        self.version = 0
        """Rises with every change."""
        self._cpu_held: Int64Array = np.zeros(0, dtype=np.int64)
        self._held: list[dict[str, _Held]] = []
        """By row and uid; none where there are no devices."""
        self._node_position = -1
        self._placement_position = -1

    def refresh(self, cluster: Cluster) -> Rows:
        """Bring the table up to date with the cluster; return the rows that were counted anew."""
        nodes, placements = cluster.node_changes, cluster.placement_changes
        if nodes.position == self._node_position and placements.position == self._placement_position:
            return np.empty(0, dtype=np.intp)
        changed = (nodes.since(self._node_position), placements.since(self._placement_position))
        if len(self.count) < cluster.capacity:
            self._grow(cluster.capacity)
        if changed[0] is None or changed[1] is None:
            rows = np.arange(cluster.capacity, dtype=np.intp)
        else:
            rows = np.union1d(changed[0], changed[1]) if len(changed[0]) else np.sort(changed[1])
        self._node_position, self._placement_position = nodes.position, placements.position
        for row in rows.tolist():
            self._recount(cluster, row)
        self.version += 1
        return rows

    def _recount(self, cluster: Cluster, row: int) -> None:
        column = cluster.columns.find(GPU_MILLI)
        devices = 0 if column is None else int(cluster.allocatable[column, row]) // WHOLE
        if devices != self.count[row]:
            self.count[row] = devices
            self.left[row] = np.where(np.arange(MOST_DEVICES) < devices, WHOLE, 0)
            self.pods_by_devices[row] = 0
            self._cpu_held[row] = 0
            self._held[row] = {}
        if not devices:
            return
        held, pods = self._held[row], cluster.pods_on(row)
        for uid in [
            uid for uid, one in held.items() if uid not in pods or pods[uid].requirements is not one.requirements
        ]:
            self._count(row, held.pop(uid), -1)
        for uid, pod in pods.items():
            if uid not in held:
                held[uid] = self._hold(cluster, row, pod.requirements)
                self._count(row, held[uid], 1)

    def _hold(self, cluster: Cluster, row: int, requirements: Requirements) -> _Held:
        demand = demand_of(requirements, cluster)
        cpu = requirements.request(CPU_COLUMN)
        left = self.left[row]
        devices: tuple[int, ...] = ()
        if demand.shares:
            cpu_left = int(cluster.allocatable[CPU_COLUMN, row] - self._cpu_held[row])
            device = self.choice.choose(row, left, demand, cpu_left, cpu)
            devices = () if device is None else (device,)
        elif demand.devices:
            devices = tuple(np.flatnonzero(left == WHOLE)[: demand.devices].tolist())
        return _Held(requirements, demand, devices, cpu)

    def _count(self, row: int, held: _Held, sign: int) -> None:
        self._cpu_held[row] += sign * held.cpu_millicores
        if held.devices:
            self.left[row, list(held.devices)] -= sign * held.demand.milli
            self.pods_by_devices[row, 0 if held.demand.shares else held.demand.devices] += sign

    def _grow(self, capacity: int) -> None:
        added = capacity - len(self.count)
        self.left = np.pad(self.left, ((0, added), (0, 0)))
        self.count = np.pad(self.count, (0, added))
        self.pods_by_devices = np.pad(self.pods_by_devices, ((0, added), (0, 0)))
        self._cpu_held = np.pad(self._cpu_held, (0, added))
        self._held += [{} for _ in range(added)]
