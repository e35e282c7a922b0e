"""What nodes and pods are measured to use, and what to make of it between two samples: a table with one row a node.

`Cluster` owns it, rows as in its other tables; the scheduler writes what arrives, `Reservations` who is placed, and
plugins of scope LOAD read. Units are millicores and bytes, times seconds of the driver's clock. Invariants:

- a row's values are those of its latest sample; NaN is unknown, and samples older than what is held change nothing;
- what the sample does not tell (pods placed since, pods gone since) is known from the ledger of pods, added once and
  handed over to the sample as its window comes to cover the pod;
- every row that may be judged otherwise than before, by new samples, placements or the mere passing of time, is in
  `changes`, or `owners.version` has grown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array, Rows
from hydatis.scheduler.change_log import ChangeLog
from hydatis.scheduler.expected_use import ExpectedUse
from hydatis.scheduler.load_ages import PlacementAges, SampleAges
from hydatis.scheduler.load_peaks import HighestOver
from hydatis.scheduler.load_windows import LoadWindows, WindowStatistics
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.owner_history import HistorySettings, OwnerHistory
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.pod_loads import PodLoads
from hydatis.scheduler.requirements import Requirements

PEAK_OF_SECONDS = 300.0
"""Peaks are those of the mean over so long."""
FRESH_SECONDS = 180.0
"""Samples that are older do not count in what all nodes are like now."""
_HOUR_SECONDS = 3600.0
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How measurements are taken."""

    window_seconds: float = 60.0
    """Over how long a sample averages, up to its `sampled_at`."""
    history: HistorySettings = field(default_factory=HistorySettings)
    """How owners are learned about."""


class Peaks:
    """The highest mean over five minutes, of CPU and memory, by row, within the last hour and the last day."""

    def __init__(self, capacity: int) -> None:
        self.hour = [HighestOver(_HOUR_SECONDS, 12, capacity) for _ in range(2)]
        """CPU in millicores, memory in bytes."""
        self.day = [HighestOver(_DAY_SECONDS, 24, capacity) for _ in range(2)]

    def every(self) -> list[HighestOver]:
        """Return all of them."""
        return [*self.hour, *self.day]


class MeasuredLoad:
    """Load of all nodes. Arrays are shared with readers, who must not write; each is (rows,)."""

    def __init__(self, capacity: int, settings: LoadSettings | None = None) -> None:
        self.settings = settings or LoadSettings()
        self.now = -np.inf
        """When the scheduler was last told anything."""
        self.cpu_millicores: Float64Array = np.full(capacity, np.nan)
        self.memory_bytes: Float64Array = np.full(capacity, np.nan)
        self.sampled_at: Float64Array = np.full(capacity, -np.inf)
        """The end of the window that the last sample averages over; -inf: there is none."""
        self.changes = ChangeLog()
        """Rows of which something changed here."""
        self.owners = OwnerHistory(self.settings.history)
        self.pods = PodLoads(self.owners, self.settings.window_seconds)
        counts_from = self.settings.history.pod_counts_from
        self.expected = ExpectedUse(self.pods, self.owners, self.changes, counts_from, capacity)
        self.peaks = Peaks(capacity)
        self._assumed: Float64Array = np.zeros((2, capacity))
        self._assumed_version = (-1, -1)
        self._level: Float64Array | None = None
        """(2,): how the nodes that are measured now compare with what they are expected to use; None: to be found."""
        self._level_asked = False
        self._windows = LoadWindows(capacity)
        self._sample_ages = SampleAges()
        self._placement_ages = PlacementAges()

    @property
    def version(self) -> tuple[int, int]:
        """Another whenever any row may be judged otherwise."""
        return self.changes.position, self.owners.version

    # What arrives

    def advance(self, now: float) -> bool:
        """Note that time has passed; tell whether it made any row too old for somebody."""
        if now <= self.now:
            return False
        self.now = now
        stale = self._sample_ages.outgrown(now, self.sampled_at)
        rows = stale + self._placement_ages.outgrown(now)
        for row in rows:
            self.changes.append(row)
        if stale:
            self._level_changed()
        return bool(rows)

    def measure_nodes(self, rows: Rows, sampled_at: Float64Array, cpu: Float64Array, memory: Float64Array) -> bool:
        """Take in samples of some rows, each at most once; tell whether any was news."""
        news = (sampled_at > self.sampled_at[rows]) & np.isfinite(sampled_at) & ~(np.isnan(cpu) & np.isnan(memory))
        rows, sampled_at, cpu, memory = rows[news], sampled_at[news], cpu[news], memory[news]
        if not len(rows):
            return False
        self.cpu_millicores[rows] = cpu
        self.memory_bytes[rows] = memory
        self.sampled_at[rows] = sampled_at
        self._windows.add(rows, sampled_at, cpu, memory)
        self._sample_ages.sampled(rows, self.sampled_at)
        window = self._windows.over(PEAK_OF_SECONDS)
        for highest in (self.peaks.hour, self.peaks.day):
            highest[0].add(rows, sampled_at, window.cpu_mean_millicores[rows])
            highest[1].add(rows, sampled_at, window.memory_mean_bytes[rows])
        if self.pods.unmeasured or self.pods.departed:
            for row, at in zip(rows.tolist(), sampled_at.tolist(), strict=True):
                self.pods.node_sampled(row, at)
        self.changes.extend(rows)
        self._level_changed()
        return True

    def measure_pods(
        self, uids: Sequence[str], sampled_at: Float64Array, cpu: Float64Array, memory: Float64Array
    ) -> None:
        """Take in samples of some placed pods; others are left out."""
        used = np.stack([cpu, memory])
        self.changes.extend(self.pods.pods_sampled(uids, sampled_at, used, self.settings.history))

    # Who is placed

    def place(self, uid: str, row: int, pod: PodClass) -> None:
        """A pod begins to count on a row."""
        self.pods.place(uid, row, pod, self.now)
        self._placement_ages.placed(self.now, row, uid)
        self.changes.append(row)

    def reclassify(self, uid: str, pod: PodClass) -> None:
        """A pod that stays where it is was given other labels or another size."""
        self.pods.reclassify(uid, pod)
        placed = self.pods.get(uid)
        if placed is not None:
            self.changes.append(placed.row)

    def remove(self, uid: str, *, ran: bool) -> None:
        """A pod stops counting; `ran` is False for a placement that was taken back before anything of it could run."""
        placed = self.pods.get(uid)
        if placed is None:
            return
        row = placed.row
        self.pods.remove(uid, self.now, ran=ran, sampled_at=float(self.sampled_at[row]))
        if not ran:
            self._placement_ages.taken_back(row, uid)
        self.changes.append(row)

    # What plugins ask

    def younger(self, rows: Rows, seconds: float) -> BoolArray:
        """Tell for each row whether its last sample is younger. When a row outgrows an age that was asked about once,
        `changes` tells.
        """
        self._sample_ages.know(seconds, self.sampled_at)
        verdicts: BoolArray = self.sampled_at[rows] + seconds > self.now
        return verdicts

    def placed_within(self, rows: Rows, seconds: float) -> Int64Array:
        """Count the pods placed on each row within the last `seconds`, those included that have left since. When one
        outgrows an age that was asked about once, `changes` tells.
        """
        if not self._placement_ages.knows(seconds):
            self._placement_ages.know(seconds, ((pod.since, pod.row, pod.uid) for pod in self.pods.every()), self.now)
        return np.array([self._placement_ages.within(seconds, row) for row in rows.tolist()], dtype=np.int64)

    def over(self, seconds: float) -> WindowStatistics:
        """Return mean and deviation of each row's samples in the window that ends with its last one."""
        return self._windows.over(seconds)

    def assumed(self, rows: Rows) -> Float64Array:
        """Return (2, rows), millicores and bytes: what to add to the last samples for the pods that they do not, or
        still, hold. It can be below 0.
        """
        if self._assumed_version != self.version:
            self._assume()
        return self._assumed[:, rows]

    def stand_in(self, rows: Rows) -> Float64Array:
        """Return (2, rows), millicores and bytes: what to take rows to use now that no sample tells of.

        That is what their pods are expected to use on average, times the ratio of what the nodes with fresh samples use
        to what is expected of those. Without it, nodes that are not measured would look idle whenever all are busy.
        """
        self._level_asked = True
        self._sample_ages.know(FRESH_SECONDS, self.sampled_at)
        if self._level is None:
            self._level = self._found_level()
        level: Float64Array = self.expected.mean(rows) * self._level[:, np.newaxis]
        return level

    def in_use(self, rows: Rows) -> Float64Array:
        """Return (2, rows), millicores and bytes: what rows use now, by their last sample and what is assumed on top of
        it, or by what stands in where no sample is fresh.
        """
        told = np.stack([self.cpu_millicores[rows], self.memory_bytes[rows]]) + self.assumed(rows)
        known = self.younger(rows, FRESH_SECONDS) & ~np.isnan(told)
        return np.where(known, np.maximum(0.0, told), self.stand_in(rows))

    def expected_of(self, owner: Owner, requirements: Requirements) -> tuple[float, float]:
        """Return the millicores and bytes that a pod of the owner is expected to use."""
        use = self.owners.use_of(owner)
        return requirements.nonzero_cpu * use.cpu_mean, requirements.nonzero_memory * use.memory_mean

    # Rows

    def forget_node(self, row: int) -> None:
        """The node is gone, and with it what was measured of it; its pods may stay."""
        self.cpu_millicores[row] = self.memory_bytes[row] = np.nan
        self.sampled_at[row] = -np.inf
        self.pods.node_forgotten(row)
        self._windows.clear(row)
        for highest in self.peaks.every():
            highest.clear(row)
        self.changes.append(row)

    def free(self, row: int) -> None:
        """The row will be another node's."""
        self.forget_node(row)
        self._placement_ages.forget(row)

    def grow(self, added: int) -> None:
        """Make room for more rows."""
        self.cpu_millicores = np.pad(self.cpu_millicores, (0, added), constant_values=np.nan)
        self.memory_bytes = np.pad(self.memory_bytes, (0, added), constant_values=np.nan)
        self.sampled_at = np.pad(self.sampled_at, (0, added), constant_values=-np.inf)
        self._assumed = np.pad(self._assumed, ((0, 0), (0, added)))
        self.expected.grow(added)
        self._windows.grow(added)
        self._sample_ages.grow(added)
        for highest in self.peaks.every():
            highest.grow(added)

    def _level_changed(self) -> None:
        self._level = None
        if self._level_asked:
            # Rows that no sample tells of are judged by what samples say of the others.
            self.changes.extend(np.array(sorted(self.pods.inhabited()), dtype=np.intp))

    def _found_level(self) -> Float64Array:
        fresh = np.flatnonzero(self.sampled_at + FRESH_SECONDS > self.now)
        told = np.stack([self.cpu_millicores[fresh], self.memory_bytes[fresh]]) + self.assumed(fresh)
        expected = self.expected.mean(fresh)
        known = ~np.isnan(told)
        used, average = np.sum(told, axis=1, where=known), np.sum(expected, axis=1, where=known)
        return np.where(average > 0.0, np.maximum(0.0, used) / np.where(average > 0.0, average, 1.0), 1.0)

    def _assume(self) -> None:
        """Bring what is assumed of each row up to date."""
        changed, learned = self._assumed_version
        rows = self.changes.since(changed) if learned == self.owners.version else None
        self._assumed_version = self.version
        if rows is None:
            self._assumed[:] = 0.0
        else:
            self._assumed[:, rows] = 0.0
        touched = self.pods.unmeasured.keys() | self.pods.departed.keys()
        for row in touched if rows is None else touched & set(rows.tolist()):
            self._assumed[:, row] = self.pods.assumed(row, float(self.sampled_at[row]))
