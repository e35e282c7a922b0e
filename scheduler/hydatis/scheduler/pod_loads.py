"""The ledger of what placed pods use: who is placed where since when, what was last measured of each, and who is not,
or no longer rightly, in the last sample of its node.

A node's sample averages over a window. A pod that was placed within the window, or after it, is in the sample in part
or not at all; one that has left since is still in it. `Reservations` tells of placements, `MeasuredLoad` of samples.
Invariants, whatever the order of placements, samples and removals:

- a pod is on one row, once, from when it was placed until it is removed;
- `unmeasured` holds just the placed pods that were placed less than a window before the end of their row's last sample;
- `departed` holds just the pods that left less than a window before that, or later: they are still in the sample, or
  may be in the next.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import numpy as np

from hydatis.scheduler.arrays import NO_ROWS, Float64Array, Rows
from hydatis.scheduler.owner_history import HistorySettings, OwnerHistory
from hydatis.scheduler.pod_class import PodClass

_SMALLEST_CAPACITY = 64

LATEST_SAMPLE_SECONDS: Final = 600.0
"""A sample is expected within so long after what it tells of; who left longer ago is in none that is still to come."""


@dataclass(slots=True)
class PodLoad:
    """One placed pod."""

    uid: str
    row: int
    pod: PodClass
    since: float
    """When it was placed, by the driver's clock."""
    slot: int
    """Its place in the arrays of `PodLoads`."""
    owner: int
    """Its owner's number in the history."""


@dataclass(frozen=True, slots=True)
class DepartedPod:
    """One that has left its node and is still in the node's last sample, or may be in the next."""

    since: float
    left: float
    cpu_millicores: float
    memory_bytes: float


_NO_PODS: Mapping[str, PodLoad] = {}


class PodLoads:
    """All placed pods. Readers do not write."""

    def __init__(self, owners: OwnerHistory, window_seconds: float) -> None:
        self._owners = owners
        self._window = window_seconds
        self._pods: dict[str, PodLoad] = {}
        self._slots: dict[str, int] = {}
        self._on: dict[int, dict[str, PodLoad]] = {}
        self.unmeasured: dict[int, dict[str, PodLoad]] = {}
        """By row and uid."""
        self.departed: dict[int, list[DepartedPod]] = {}
        """By row."""
        self.rows: Rows = np.full(_SMALLEST_CAPACITY, -1, dtype=np.intp)
        """By slot: where the pod is; -1: the slot is free."""
        self.owners: Rows = np.zeros(_SMALLEST_CAPACITY, dtype=np.intp)
        """By slot: the owner's number."""
        self.requests: Float64Array = np.ones((2, _SMALLEST_CAPACITY))
        """By slot: millicores and bytes that shares are taken of."""
        self.since: Float64Array = np.zeros(_SMALLEST_CAPACITY)
        self.used: Float64Array = np.full((2, _SMALLEST_CAPACITY), np.nan)
        """By slot: millicores and bytes in the pod's own last sample; NaN: unknown."""
        self.sampled_at: Float64Array = np.full(_SMALLEST_CAPACITY, -np.inf)
        """By slot: the end of the pod's own last sample."""
        self._sum: Float64Array = np.zeros((2, _SMALLEST_CAPACITY))
        """By slot: of the pod's own samples of CPU and memory, the older the less they weigh."""
        self._weight: Float64Array = np.zeros((2, _SMALLEST_CAPACITY))
        self._observations: Float64Array = np.zeros((2, _SMALLEST_CAPACITY))
        self._free = list(range(_SMALLEST_CAPACITY - 1, -1, -1))

    def __len__(self) -> int:
        return len(self._pods)

    def get(self, uid: str) -> PodLoad | None:
        """Return a placed pod."""
        return self._pods.get(uid)

    def every(self) -> Iterable[PodLoad]:
        """Return all placed pods."""
        return self._pods.values()

    def on(self, row: int) -> Mapping[str, PodLoad]:
        """Return the pods on a row, by uid."""
        return self._on.get(row, _NO_PODS)

    def inhabited(self) -> set[int]:
        """Return the rows that have pods."""
        return set(self._on)

    # Placements

    def place(self, uid: str, row: int, pod: PodClass, now: float) -> None:
        """A pod begins to count on a row."""
        assert uid not in self._pods, f"pod {uid} is placed already"  # noqa: S101  a fault of the core itself
        if not self._free:
            self._grow()
        slot = self._free.pop()
        placed = PodLoad(uid, row, pod, now, slot, self._owners.hold(pod.owner))
        self._pods[uid] = placed
        self._slots[uid] = slot
        self._on.setdefault(row, {})[uid] = placed
        self.unmeasured.setdefault(row, {})[uid] = placed
        self.rows[slot] = row
        self.since[slot] = now
        self._describe(placed)

    def reclassify(self, uid: str, pod: PodClass) -> None:
        """A pod that stays where it is was given other labels or another size."""
        placed = self._pods[uid]
        if placed.pod.owner != pod.owner:
            self._owners.release(placed.owner, placed.pod.owner)
            placed.owner = self._owners.hold(pod.owner)
        placed.pod = pod
        self._describe(placed)

    def remove(self, uid: str, now: float, *, ran: bool, sampled_at: float) -> int:
        """A pod stops counting; return its row. `ran`: it has used anything; `sampled_at`: the end of the last sample
        of its row.
        """
        placed = self._pods.pop(uid)
        del self._slots[uid]
        row, slot = placed.row, placed.slot
        if ran:
            departed = DepartedPod(placed.since, now, *self.expected(placed))
            oldest = now - LATEST_SAMPLE_SECONDS
            before = self.departed.get(row, ())
            self.departed[row] = [pod for pod in before if pod.since < sampled_at or pod.left > oldest] + [departed]
        for table in (self._on, self.unmeasured):
            pods = table.get(row)
            if pods is not None and pods.pop(uid, None) is not None and not pods:
                del table[row]
        self.rows[slot] = -1
        self.used[:, slot] = np.nan
        self.sampled_at[slot] = -np.inf
        for values in (self._sum, self._weight, self._observations):
            values[:, slot] = 0.0
        self._free.append(slot)
        self._owners.release(placed.owner, placed.pod.owner)
        return row

    # Samples

    def node_sampled(self, row: int, sampled_at: float) -> None:
        """A row has a new last sample: those who are wholly in it, or no longer in it at all, need no account."""
        begins = sampled_at - self._window
        pods = self.unmeasured.get(row)
        if pods is not None:
            for uid in [uid for uid, placed in pods.items() if placed.since <= begins]:
                del pods[uid]
            if not pods:
                del self.unmeasured[row]
        departed = self.departed.get(row)
        if departed is not None:
            departed = [pod for pod in departed if pod.left > begins]
            if departed:
                self.departed[row] = departed
            else:
                del self.departed[row]

    def node_forgotten(self, row: int) -> None:
        """What was measured of a row is forgotten, so nobody is in it any more."""
        self.departed.pop(row, None)
        if row in self._on:
            self.unmeasured[row] = dict(self._on[row])

    def pods_sampled(
        self, uids: Sequence[str], sampled_at: Float64Array, used: Float64Array, settings: HistorySettings
    ) -> Rows:
        """Keep each pod's latest sample, and let owners learn from those whose window holds nothing but the pod's life;
        return the rows whose unmeasured pods have new samples. `used` is (2, pods).
        """
        slots = np.fromiter(map(self._slots.get, uids, repeat(-1)), dtype=np.intp, count=len(uids))
        told = (slots >= 0) & np.isfinite(sampled_at) & ~np.isnan(used).all(axis=0)
        slots, sampled_at, used = slots[told], sampled_at[told], used[:, told]
        later = sampled_at > self.sampled_at[slots]
        slots, sampled_at, used = slots[later], sampled_at[later], used[:, later]
        if not len(slots):
            return NO_ROWS
        passed = sampled_at - self.sampled_at[slots]
        observations = np.minimum(1.0, passed / settings.correlation_seconds)
        self.sampled_at[slots] = sampled_at
        self.used[:, slots] = used
        whole = self.since[slots] <= sampled_at - self._window
        who = slots[whole]
        if len(who):
            kept = 0.5 ** (passed[whole] / settings.pod_half_life_seconds)
            told = ~np.isnan(used[:, whole])
            for table, new in (
                (self._sum, np.nan_to_num(used[:, whole])),
                (self._weight, told),
                (self._observations, told * observations[whole]),
            ):
                table[:, who] = table[:, who] * kept + new
            shares = used[:, whole] / self.requests[:, who]
            self._owners.learn(self.owners[who], shares, sampled_at[whole], observations[whole])
        rows = set(self.rows[slots].tolist()) & self.unmeasured.keys()
        return np.array(sorted(rows), dtype=np.intp)

    # What follows from both

    def expected(self, placed: PodLoad) -> tuple[float, float]:
        """Return what a pod is taken to use, millicores and bytes: its own last sample, or its owner's mean."""
        cpu, memory = self.used[:, placed.slot].tolist()
        if math.isnan(cpu) or math.isnan(memory):
            mean_cpu, mean_memory = (self._owners.means[:, placed.owner] * self.requests[:, placed.slot]).tolist()
            cpu = mean_cpu if math.isnan(cpu) else cpu
            memory = mean_memory if math.isnan(memory) else memory
        return cpu, memory

    def means(self, slots: Rows, own_counts_from: float) -> Float64Array:
        """Return (2, slots), millicores and bytes: what pods are expected to use on average. With n observations of a
        pod of its own, its own mean counts by n / (n + own_counts_from), its owner's for the rest.
        """
        owners = self._owners.means[:, self.owners[slots]] * self.requests[:, slots]
        weight, seen = self._weight[:, slots], self._observations[:, slots]
        own = self._sum[:, slots] / np.where(weight > 0.0, weight, 1.0)
        share = seen / (seen + own_counts_from)
        return np.asarray(share * own + (1.0 - share) * owners, dtype=np.float64)

    def assumed(self, row: int, sampled_at: float) -> tuple[float, float]:
        """Return the millicores and bytes to add to a row's last sample: what the pods that are not wholly in it add,
        less what those add that have left since. The sum is made anew each time, so nothing is left of a pod that went.
        """
        cpu = memory = 0.0
        for placed in self.unmeasured.get(row, _NO_PODS).values():
            share = 1.0 - self.share_of_sample(placed.since, np.inf, sampled_at)
            own_cpu, own_memory = self.expected(placed)
            cpu += share * own_cpu
            memory += share * own_memory
        for pod in self.departed.get(row, ()):
            share = self.share_of_sample(pod.since, pod.left, sampled_at)
            cpu -= share * pod.cpu_millicores
            memory -= share * pod.memory_bytes
        return cpu, memory

    def share_of_sample(self, since: float, left: float, sampled_at: float) -> float:
        """Return during which share (0 to 1) of a sample's window a pod was there."""
        inside = min(left, sampled_at) - max(since, sampled_at - self._window)
        return min(1.0, max(0.0, inside / self._window))

    def _describe(self, placed: PodLoad) -> None:
        requirements = placed.pod.requirements
        self.owners[placed.slot] = placed.owner
        self.requests[:, placed.slot] = (max(1, requirements.nonzero_cpu), max(1, requirements.nonzero_memory))

    def _grow(self) -> None:
        added = len(self.rows)
        self._free.extend(range(2 * added - 1, added - 1, -1))
        self.rows = np.pad(self.rows, (0, added), constant_values=-1)
        self.owners = np.pad(self.owners, (0, added))
        self.requests = np.pad(self.requests, ((0, 0), (0, added)), constant_values=1.0)
        self.since = np.pad(self.since, (0, added))
        self.used = np.pad(self.used, ((0, 0), (0, added)), constant_values=np.nan)
        self.sampled_at = np.pad(self.sampled_at, (0, added), constant_values=-np.inf)
        self._sum = np.pad(self._sum, ((0, 0), (0, added)))
        self._weight = np.pad(self._weight, ((0, 0), (0, added)))
        self._observations = np.pad(self._observations, ((0, 0), (0, added)))
