"""FGD, fragmentation gradient descent: the node, and the device, on which the pod makes fragments grow least
(fgd_score.go).

The score is 100 x sigmoid(fragments before - fragments after, in GPUs), cut to an integer; of a node's devices, the one
with the highest score, the first of equals, stands for the node, and the pod gets it.
"""

from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN
from hydatis.simulations.baselines.fragmentation import Fragmentation
from hydatis.simulations.baselines.gpu_score import GpuScore
from hydatis.simulations.gpu_sharing.demands import MOST_DEVICES, WHOLE, GpuDemand
from hydatis.simulations.gpu_sharing.devices import GpuDevices


class FgdScore(GpuScore):
    """Score by what the pod does to the fragments."""

    name: ClassVar[str] = "FGDScore"

    def __init__(self, fragmentation: Fragmentation) -> None:
        super().__init__(GpuDevices(self))
        self._fragmentation = fragmentation
        self._cluster: Cluster | None = None

    def rate(self, requirements: Requirements, demand: GpuDemand, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100; 0 also where the pod does not fit."""
        self._cluster = cluster
        cpu_left = cluster.allocatable[CPU_COLUMN, rows] - cluster.requested[CPU_COLUMN, rows]
        left = self.devices.left[rows]
        before = self._fragmentation.amounts(cluster, rows, cpu_left, left)
        cpu_after = cpu_left - requirements.request(CPU_COLUMN)
        if not demand.shares:
            after = self._fragmentation.amounts(cluster, rows, cpu_after, _without(left, demand.devices))
            fits = np.count_nonzero(left == WHOLE, axis=1) >= demand.devices
            return np.asarray(np.where(fits, _scores(before, after), 0), dtype=np.int64)
        best = np.zeros(len(rows), dtype=np.int64)
        states, devices = np.nonzero(_worth_a_look(left, demand.milli))
        changed = left[states]
        changed[np.arange(len(states)), devices] -= demand.milli
        after = self._fragmentation.amounts(cluster, rows[states], cpu_after[states], changed)
        np.maximum.at(best, states, _scores(before[states], after))
        return best

    def choose(self, row: int, left: Int64Array, demand: GpuDemand, cpu_left: int, cpu_request: int) -> int | None:
        """Return the device for which the node got its score (`DeviceChoice`)."""
        if self._cluster is None:
            raise RuntimeError("a device is chosen after a node has been scored")
        devices = np.flatnonzero(left >= demand.milli)
        if not len(devices):
            return None
        changed = np.repeat(left[np.newaxis, :], len(devices) + 1, axis=0)
        changed[np.arange(len(devices)), devices] -= demand.milli
        cpu = np.append(np.full(len(devices), cpu_left - cpu_request), cpu_left)
        amounts = self._fragmentation.amounts(self._cluster, np.full(len(cpu), row, dtype=np.intp), cpu, changed)
        return int(devices[_scores(amounts[-1:], amounts[:-1]).argmax()])


def _scores(before: Float64Array, after: Float64Array) -> Int64Array:
    # Rounded, so that a pod that changes nothing scores 50 on every machine, whatever the order of the sums was.
    descent = np.round((before - after) / WHOLE, 9)
    return np.asarray(MAX_NODE_SCORE / (1.0 + np.exp(-descent)), dtype=np.float64).astype(np.int64)


def _without(left: Int64Array, devices: int) -> Int64Array:
    """Take the first so many untouched devices away."""
    untouched = left == WHOLE
    taken = untouched & (np.cumsum(untouched, axis=1) <= devices)
    return np.where(taken, 0, left)


def _worth_a_look(left: Int64Array, milli: int) -> BoolArray:
    """Tell the devices that suffice, but for those that have as much left as one before: they score the same."""
    chosen = left >= milli
    for device in range(1, MOST_DEVICES):
        chosen[:, device] &= ~(left[:, :device] == left[:, device : device + 1]).any(axis=1)
    return np.asarray(chosen, dtype=np.bool_)
