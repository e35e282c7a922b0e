"""CPU and memory of processes, by process id, sampled while a run goes on.

Called by a run. A sampler thread reads the operating system's own counters five times a second; CPU is looked up
afterwards at the moments that matter (the last bind, the last Event), so that waiting for them to be noticed is not
charged to anyone.
"""

import bisect
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import psutil

SAMPLE_SECONDS = 0.2
_CHILDREN_EVERY = 5
"""Samples between two looks for child processes: that look reads every process of the machine."""
_MIB = 2**20


class ProcessMeter:
    """Samples named processes, their children included, between `__enter__` and `__exit__`."""

    def __init__(self, process_ids: Mapping[str, int]) -> None:
        self._trees = {name: _ProcessTree(pid) for name, pid in process_ids.items()}
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

    def peak_rss_mib(self, name: str) -> float:
        """Largest resident set of the sampled ones, MiB, children included."""
        return max((rss for _, _, rss in self._trees[name].samples), default=0.0)

    def last_rss_mib(self, name: str) -> float:
        """Resident set of the last sample, MiB, children included."""
        return self._trees[name].samples[-1][2] if self._trees[name].samples else 0.0

    def _sample_until_stopped(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self._sample()

    def _sample(self) -> None:
        for tree in self._trees.values():
            tree.sample()


class _ProcessTree:
    def __init__(self, pid: int) -> None:
        self.samples: list[tuple[float, float, float]] = []
        """(time, CPU seconds since the process's own start, RSS in MiB)"""
        self._root = psutil.Process(pid)
        self._members: list[psutil.Process] = []
        self._looks = 0

    def sample(self) -> None:
        try:
            if self._looks % _CHILDREN_EVERY == 0:
                self._members = [self._root, *self._root.children(recursive=True)]
            self._looks += 1
            now = time.perf_counter()
            cpu = rss = 0.0
            for process in self._members:
                with process.oneshot():
                    times = process.cpu_times()
                    rss += process.memory_info().rss / _MIB
                # The system adds a child's time to its parent's `children_*` only once the child has ended.
                cpu += times.user + times.system + times.children_user + times.children_system
        except psutil.NoSuchProcess:
            self._looks = 0
            return
        # One that has ended and was not yet waited for has no memory. It keeps its last sample as one that is gone
        # does; that it
        # died is the run's to notice.
        if rss == 0.0:
            return
        self.samples.append((now, cpu, rss))

    def cpu_seconds(self, since: float, until: float) -> float:
        if not self.samples:
            return 0.0
        before = bisect.bisect_right(self.samples, since, key=lambda sample: sample[0])
        after = bisect.bisect_left(self.samples, until, key=lambda sample: sample[0])
        used_before = self.samples[before - 1][1] if before else 0.0
        return self.samples[min(after, len(self.samples) - 1)][1] - used_before
