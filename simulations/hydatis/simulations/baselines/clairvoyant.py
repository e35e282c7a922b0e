"""Clairvoyant: the node on which the pod will add least overload, known in advance.

It sees what every pod will use over its life, and when it will end if it is not throttled, and takes the node where the
pod's cost, summed over the horizon, rises least:

    cost(u) = size * (max(0, u - threshold)^2 + evenness * u^2),   u the node's wanted CPU, or used memory, as a share

It is greedy: it knows the use of what runs, not which pods are still to come. So it is no true bound, but what regret
is told against.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.virtual_time.choosing import ChoosingProfile, Outlook


@dataclass(slots=True)
class _Future:
    """What the pods of each node will use at each time, from a step of the run on."""

    settled: float = -1.0
    times: Float64Array = field(default_factory=lambda: np.zeros(0))
    """(times,) seconds, rising."""
    cpu: Float64Array = field(default_factory=lambda: np.zeros((0, 0)))
    """(nodes, times) millicores."""
    memory: Float64Array = field(default_factory=lambda: np.zeros((0, 0)))
    """(nodes, times) MiB."""


@dataclass(frozen=True)
class Clairvoyant(ChoosingProfile):
    """The policy. Holds what it foresaw at the last step of the run, so that each run needs one of its own."""

    horizon_seconds: float = 12 * 3600.0
    """How far it looks ahead."""
    stride_seconds: float = 300.0
    """How far apart the times are that it looks at."""
    threshold: float = 0.6
    """Share of a node above which load hurts."""
    memory_weight: float = 1.0
    """What overload of memory counts beside that of CPU."""
    memory_threshold: float = 0.9
    """The same threshold of memory."""
    size_exponent: float = 1.0
    """How a node's size weighs: with 1 what counts is cores above the threshold, so that large and small nodes are
    filled alike; with 0 each node counts the same, and large ones, where a pod is a smaller share, are filled first.
    """
    evenness: float = 0.01
    """What load counts where it hurts nobody, so that of nodes without overload the emptiest is taken."""
    _future: _Future = field(default_factory=_Future, compare=False, repr=False)

    def choose(self, pod: int, seconds_left: float, nodes: Sequence[int], outlook: Outlook) -> int:
        """Return the node with the least rise; of equals the first."""
        future, running = self._foreseen(outlook), outlook.running
        rows = np.asarray(nodes, dtype=np.int64)
        alive = future.times < outlook.now + seconds_left
        alive[0] = True
        cpu = running.cpu_of(pod, future.times) * alive
        memory = running.memory_of(pod, future.times) * alive
        machines = outlook.machines
        rise = self._rise(future.cpu[rows], cpu, machines.cpu_millicores[rows], self.threshold)
        full = self._rise(future.memory[rows], memory, machines.memory_mib[rows], self.memory_threshold)
        chosen = int(rows[np.argmin(rise + self.memory_weight * full)])
        future.cpu[chosen] += cpu
        future.memory[chosen] += memory
        return chosen

    def _foreseen(self, outlook: Outlook) -> _Future:
        """Look into the future anew at each step of the run; in between its own choices are added."""
        future, running = self._future, outlook.running
        if future.settled != outlook.settled or len(future.cpu) != len(outlook.machines):
            future.settled = outlook.settled
            count = max(1, int(np.ceil(self.horizon_seconds / self.stride_seconds)))
            future.times = outlook.settled + np.arange(count, dtype=np.float64) * self.stride_seconds
            future.cpu, future.memory = running.foreseen(future.times)
        return future

    def _rise(self, before: Float64Array, added: Float64Array, size: Float64Array, threshold: float) -> Float64Array:
        whole = np.maximum(size, 1.0)[:, np.newaxis]
        risen = self._cost((before + added) / whole, threshold) - self._cost(before / whole, threshold)
        # One time after the other: the same sums on every machine.
        weight = (whole[:, 0] / whole.max()) ** self.size_exponent
        return np.asarray(np.cumsum(risen, axis=1)[:, -1] * weight, dtype=np.float64)

    def _cost(self, share: Float64Array, threshold: float) -> Float64Array:
        over = np.maximum(share - threshold, 0.0)
        return over * over + self.evenness * share * share
