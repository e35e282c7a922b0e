"""CPU and memory of processes, by process id, sampled while a run goes on.

Called by a run. A sampler thread reads the operating system's own counters five times a second; CPU is looked up
afterwards at the moments that matter (the last bind, the last Event), so that waiting for them to be noticed is not
charged to anyone.
"""

import bisect
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil

SAMPLE_SECONDS = 0.2
_CHILDREN_EVERY = 5
"""Samples between two looks for child processes: that look reads every process of the machine."""
_MIB = 2**20


class ProcessMeter:
    """Samples named processes, children included, this program, and the whole machine, between `__enter__` and
    `__exit__`.
    """

    def __init__(self, process_ids: Mapping[str, int]) -> None:
        self._trees = {name: _ProcessTree(pid) for name, pid in process_ids.items()}
        self._own = _OwnProcess()
        self._machine = _Machine()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_stopped, name="process-meter", daemon=True)

    def __enter__(self) -> Self:
        self._sample()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self._sample()

    def add(self, name: str, pid: int) -> None:
        """Take in a process that started later."""
        self._trees = {**self._trees, name: _ProcessTree(pid)}

    def cpu_seconds(self, name: str, since: float, until: float) -> float:
        """User and system time between two moments of `time.perf_counter`, as exact as the samples are dense.

        For a process that was not yet there at `since`, all it used from its own start.
        """
        return self._trees[name].cpu_seconds(since, until)

    def own_cpu_seconds(self, since: float, until: float) -> float:
        """User and system time of this program without its children."""
        return self._own.cpu_seconds(since, until)

    def other_cpu_seconds(self, since: float, until: float) -> float:
        """CPU time of the whole machine less that of the metered processes and of this program; 0 at least."""
        metered = sum(tree.cpu_seconds(since, until) for tree in self._trees.values())
        return max(0.0, self._machine.cpu_seconds(since, until) - metered - self.own_cpu_seconds(since, until))

    def peak_rss_mib(self, name: str) -> float:
        """Largest resident set of the sampled ones, MiB, children included."""
        return max((sample.rss_mib for sample in self._trees[name].samples), default=0.0)

    def last_rss_mib(self, name: str) -> float:
        """Resident set of the last sample, MiB, children included."""
        return self._trees[name].samples[-1].rss_mib if self._trees[name].samples else 0.0

    def _sample_until_stopped(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self._sample()

    def _sample(self) -> None:
        for source in (*self._trees.values(), self._own, self._machine):
            use = source.read()
            if use is not None:
                source.samples.append(use)


@dataclass(frozen=True, slots=True)
class _Use:
    at: float
    cpu_seconds: float
    """Since the process, or the machine, started."""
    rss_mib: float = 0.0


class _Source(ABC):
    """Something whose use is sampled; a subclass says how one sample is read, None when it cannot be read any more."""

    def __init__(self) -> None:
        self.samples: list[_Use] = []

    @abstractmethod
    def read(self) -> _Use | None: ...

    def cpu_seconds(self, since: float, until: float) -> float:
        if not self.samples:
            return 0.0
        before = bisect.bisect_right(self.samples, since, key=lambda sample: sample.at)
        after = bisect.bisect_left(self.samples, until, key=lambda sample: sample.at)
        used_before = self.samples[before - 1].cpu_seconds if before else 0.0
        return self.samples[min(after, len(self.samples) - 1)].cpu_seconds - used_before


class _OwnProcess(_Source):
    def read(self) -> _Use:
        return _Use(time.perf_counter(), time.process_time())


class _Machine(_Source):
    def read(self) -> _Use:
        times = psutil.cpu_times()
        # Linux counts a guest's time within user; iowait is idle time by another name.
        idle = (
            times.idle
            + getattr(times, "iowait", 0.0)
            + getattr(times, "guest", 0.0)
            + getattr(times, "guest_nice", 0.0)
        )
        return _Use(time.perf_counter(), sum(times) - idle)


class _ProcessTree(_Source):
    def __init__(self, pid: int) -> None:
        super().__init__()
        self._root = psutil.Process(pid)
        self._members: list[psutil.Process] = []
        self._looks = 0

    def read(self) -> _Use | None:
        cpu = rss = 0.0
        try:
            if self._looks % _CHILDREN_EVERY == 0:
                self._members = [self._root, *self._root.children(recursive=True)]
            self._looks += 1
            now = time.perf_counter()
            for process in self._members:
                with process.oneshot():
                    times = process.cpu_times()
                    rss += process.memory_info().rss / _MIB
                # The system adds a child's time to its parent's `children_*` only once the child has ended.
                cpu += times.user + times.system + times.children_user + times.children_system
        except psutil.NoSuchProcess:
            self._looks = 0
            return None
        # One that has ended and was not yet waited for has no memory. It keeps its last sample as one that is gone
        # does;
        # that it died is the run's to notice.
        return _Use(now, cpu, rss) if rss else None
