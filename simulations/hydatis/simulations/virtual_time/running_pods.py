"""The pods that run: what they want, what they get, how far they are.

Called by the run, which steps it: settle what has been done since the last step, look at what pods want now, share CPU
out. All of it is arrays over slots; a pod takes a free slot when it starts and gives it back when it stops, so that a
step costs as much as there are pods running, however many have been before. A free slot wants nothing.

Between steps what pods want and get is constant. A pod that starts in between wants nothing until the next step and
runs undisturbed.
"""

import numpy as np
from numpy.typing import NDArray

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.contention import cpu_weights, granted_cpu
from hydatis.simulations.virtual_time.memory_kills import victims
from hydatis.simulations.virtual_time.workload import Usage, Workload

_FEWEST_SLOTS = 64
NOWHERE = -1


class RunningPods:
    """One slot a running pod. Arrays are shared with readers, who do not write; only the first `top` entries count."""

    def __init__(self, workload: Workload, cpu_capacity: Float64Array, memory_capacity: Float64Array) -> None:
        self._workload = workload
        self._usage: Usage = workload.usage
        self._cpu_capacity = cpu_capacity
        self._memory_capacity = memory_capacity
        self._cpu_of_owner = [float(owner.cpu_millicores) for owner in workload.owners]
        self._memory_of_owner = [float(owner.memory_mib) for owner in workload.owners]
        self._gpus_of_owner = [float(owner.gpus) for owner in workload.owners]
        self._best_effort_of_owner = [owner.best_effort for owner in workload.owners]
        requests = np.array([owner.cpu_millicores for owner in workload.owners], dtype=np.int64)
        self._weight_of_owner: list[float] = cpu_weights(requests).tolist()
        self.slot_of_pod: Int64Array = np.full(len(workload), NOWHERE, dtype=np.int64)
        self.top = 0
        self._free: list[int] = []
        size = _FEWEST_SLOTS
        self.pod: Int64Array = np.full(size, NOWHERE, dtype=np.int64)
        self.node: Int64Array = np.zeros(size, dtype=np.int64)
        self.taken: BoolArray = np.zeros(size, dtype=np.bool_)
        self.cpu_request: Float64Array = np.zeros(size)
        """Millicores; as the next two, 0 in free slots."""
        self.memory_request: Float64Array = np.zeros(size)
        """MiB."""
        self.gpus: Float64Array = np.zeros(size)
        self.cpu_wanted: Float64Array = np.zeros(size)
        """Millicores, from the last step on."""
        self.cpu_given: Float64Array = np.zeros(size)
        """Millicores, from the last step on."""
        self.memory_used: Float64Array = np.zeros(size)
        """MiB, from the last step on."""
        self.steps: Int64Array = np.zeros(size, dtype=np.int64)
        """How many steps the pod has been looked at."""
        self._weight: Float64Array = np.ones(size)
        self._best_effort: BoolArray = np.zeros(size, dtype=np.bool_)
        self._series: Int64Array = np.zeros(size, dtype=np.int64)
        self._offset: Float64Array = np.zeros(size)
        self._left: Float64Array = np.full(size, np.inf)
        self._since: Float64Array = np.zeros(size)
        self._speed: Float64Array = np.ones(size)
        self._stretched: Float64Array = np.zeros(size)

    # Pods come and go

    def start(self, pod: int, node: int, now: float, seconds_left: float) -> None:
        """Let a pod run that has so much to do."""
        if self._free:
            slot = self._free.pop()
        else:
            slot, self.top = self.top, self.top + 1
            if slot == len(self.pod):
                self._grow()
        owner = int(self._workload.owner_of_pod[pod])
        self.slot_of_pod[pod] = slot
        self.pod[slot] = pod
        self.node[slot] = node
        self.taken[slot] = True
        self.cpu_request[slot] = self._cpu_of_owner[owner]
        self.memory_request[slot] = self._memory_of_owner[owner]
        self.gpus[slot] = self._gpus_of_owner[owner]
        self._weight[slot] = self._weight_of_owner[owner]
        self._best_effort[slot] = self._best_effort_of_owner[owner]
        self._series[slot] = self._workload.series[pod]
        self._offset[slot] = self._workload.offset_seconds[pod]
        self._left[slot] = seconds_left
        self._since[slot] = now
        self._speed[slot] = 1.0
        self._stretched[slot] = 0.0
        self.steps[slot] = 0

    def stop(self, pod: int, now: float) -> tuple[float, float]:
        """Take a pod off its node; return what it had left to do and by how much it was stretched, in seconds."""
        slot = int(self.slot_of_pod[pod])
        passed, speed = now - float(self._since[slot]), float(self._speed[slot])
        left = max(0.0, float(self._left[slot]) - passed * speed)
        stretched = float(self._stretched[slot]) + passed * (1.0 - speed)
        self.slot_of_pod[pod] = NOWHERE
        self.pod[slot] = NOWHERE
        self.taken[slot] = False
        self.node[slot] = 0
        for amounts in (self.cpu_request, self.memory_request, self.gpus):
            amounts[slot] = 0.0
        for amounts in (self.cpu_wanted, self.cpu_given, self.memory_used):
            amounts[slot] = 0.0
        self._left[slot] = np.inf
        self._free.append(slot)
        return left, stretched

    def is_running(self, pod: int) -> bool:
        """Tell whether the pod is on a node that works."""
        return bool(self.slot_of_pod[pod] != NOWHERE)

    def on_node(self, node: int) -> list[int]:
        """Return the pods of a node, in the order of their numbers."""
        top = self.top
        here = np.flatnonzero(self.taken[:top] & (self.node[:top] == node))
        return sorted(self.pod[here].tolist())

    # A step

    def settle(self, now: float) -> None:
        """Count what pods have done since the last step or their start."""
        top = self.top
        passed, speed = now - self._since[:top], self._speed[:top]
        self._left[:top] -= passed * speed
        self._stretched[:top] += passed * (1.0 - speed)
        self._since[:top] = now

    def look(self, now: float) -> None:
        """See what pods want and use from now on."""
        top = self.top
        step = self._steps_at(now)
        self.cpu_wanted[:top] = self.cpu_request[:top] * self._values(self._usage.cpu_percent, step) / 100.0
        self.memory_used[:top] = self.memory_request[:top] * self._values(self._usage.memory_percent, step) / 100.0
        self.steps[:top] += 1

    def over_memory(self, kill_share: float) -> list[int]:
        """Return the pods to be killed: of nodes whose pods use more than this share of the memory."""
        killed: list[int] = []
        limit = kill_share * self._memory_capacity
        for node in np.flatnonzero(self.by_node(self.memory_used) > limit).tolist():
            pods = self.on_node(node)
            slots = self.slot_of_pod[pods]
            owners = [self._workload.owners[owner] for owner in self._workload.owner_of_pod[pods].tolist()]
            used = self.memory_used[slots].tolist()
            chosen = victims(owners, used, float(self._memory_capacity[node]), float(limit[node]))
            killed += [pods[position] for position in chosen]
        return killed

    def share_cpu(self, best_effort_least: float, stretch: float) -> None:
        """Share each node's CPU out; what pods do not get slows them down."""
        top = self.top
        wanted = self.cpu_wanted[:top]
        given = granted_cpu(
            wanted,
            self._weight[:top],
            self._best_effort[:top],
            self.node[:top],
            capacity=self._cpu_capacity,
            best_effort_least=best_effort_least,
        )
        self.cpu_given[:top] = given
        denied = np.divide(wanted - given, wanted, out=np.zeros(top), where=wanted > 0)
        self._speed[:top] = 1.0 - stretch * denied

    def ending_by(self, now: float, until: float) -> list[tuple[float, int]]:
        """Return which pods end by then if nothing changes, and when, in order of time."""
        top = self.top
        speed = self._speed[:top]
        seconds = np.divide(self._left[:top], speed, out=np.full(top, np.inf), where=speed > 0)
        slots = np.flatnonzero(seconds <= until - now)
        ends = np.maximum(now + seconds[slots], now)
        return sorted(zip(ends.tolist(), self.pod[slots].tolist(), strict=True))

    # What is to come

    def cpu_of(self, pod: int, times: Float64Array) -> Float64Array:
        """Return the millicores that a pod wants at these times, if it runs."""
        request = self._cpu_of_owner[int(self._workload.owner_of_pod[pod])]
        return request * self._values_of(pod, self._usage.cpu_percent, times) / 100.0

    def memory_of(self, pod: int, times: Float64Array) -> Float64Array:
        """Return the MiB that a pod uses at these times, if it runs."""
        request = self._memory_of_owner[int(self._workload.owner_of_pod[pod])]
        return request * self._values_of(pod, self._usage.memory_percent, times) / 100.0

    def foreseen(self, times: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return the millicores and MiB, (nodes, times), that the pods that run now will want of their nodes, each
        until it ends if it is not throttled.
        """
        return (
            self._foreseen(self.cpu_request, self._usage.cpu_percent, times),
            self._foreseen(self.memory_request, self._usage.memory_percent, times),
        )

    def _foreseen(self, request: Float64Array, percent: Float32Array, times: Float64Array) -> Float64Array:
        top, shape = self.top, (len(self._cpu_capacity), len(times))
        runs = (self._since[:top] + self._left[:top])[:, np.newaxis] > times
        steps = ((self._offset[:top, np.newaxis] + times) / self._usage.step_seconds).astype(np.int64)
        values = percent[self._series[:top, np.newaxis], steps % percent.shape[1]].astype(np.float64)
        amounts = request[:top, np.newaxis] * values / 100.0 * runs
        places = self.node[:top, np.newaxis] * len(times) + np.arange(len(times))
        sums = np.bincount(places.ravel(), weights=amounts.ravel(), minlength=shape[0] * shape[1])
        return np.asarray(sums, dtype=np.float64).reshape(shape)

    def _values_of(self, pod: int, table: Float32Array, times: Float64Array) -> Float64Array:
        steps = (self._workload.offset_seconds[pod] + times) / self._usage.step_seconds
        row = table[self._workload.series[pod]]
        return np.asarray(row[steps.astype(np.int64) % len(row)], dtype=np.float64)

    # Sums over the pods of each node

    def by_node(self, amounts: Float64Array) -> Float64Array:
        """Add an array over slots up by node."""
        return self._added_up(amounts[: self.top])

    def count_by_node(self) -> Int64Array:
        """Return how many pods run on each node."""
        top = self.top
        return np.bincount(self.node[:top][self.taken[:top]], minlength=len(self._cpu_capacity))

    def gpus_used(self, now: float) -> Float64Array:
        """Return how many GPUs' worth of duty each node's pods have."""
        duty = self._values(self._usage.gpu_percent, self._steps_at(now))
        return self._added_up(self.gpus[: self.top] * duty / 100.0)

    def network_kib_s(self, now: float) -> Float64Array:
        """Return each node's network traffic."""
        return self._added_up(self.taken[: self.top] * self._values(self._usage.network_kib_s, self._steps_at(now)))

    def disk_kib_s(self, now: float) -> Float64Array:
        """Return each node's disk traffic."""
        return self._added_up(self.taken[: self.top] * self._values(self._usage.disk_kib_s, self._steps_at(now)))

    def _added_up(self, amounts: Float64Array) -> Float64Array:
        # One after the other, in the order of slots: the same on every machine.
        sums = np.bincount(self.node[: self.top], weights=amounts, minlength=len(self._cpu_capacity))
        return np.asarray(sums, dtype=np.float64)

    def _steps_at(self, now: float) -> Int64Array:
        elapsed = (self._offset[: self.top] + now) / self._usage.step_seconds
        return elapsed.astype(np.int64)

    def _values(self, table: Float32Array, step: Int64Array) -> Float64Array:
        series = self._series[: self.top]
        length = table.shape[1]
        values = table[series, 0] if length == 1 else table[series, step % length]
        return np.asarray(values, dtype=np.float64)

    def _grow(self) -> None:
        for name, blank in _SLOT_ARRAYS.items():
            value: NDArray[np.generic] = getattr(self, name)
            setattr(self, name, np.concatenate([value, np.full(len(value), blank, dtype=value.dtype)]))


_SLOT_ARRAYS = {
    "pod": NOWHERE,
    "node": 0,
    "taken": False,
    "cpu_request": 0.0,
    "memory_request": 0.0,
    "gpus": 0.0,
    "cpu_wanted": 0.0,
    "cpu_given": 0.0,
    "memory_used": 0.0,
    "steps": 0,
    "_weight": 1.0,
    "_best_effort": False,
    "_series": 0,
    "_offset": 0.0,
    "_left": np.inf,
    "_since": 0.0,
    "_speed": 1.0,
    "_stretched": 0.0,
}
"""The arrays that have an entry a slot, with what free slots hold that were never taken."""
