"""The meter against real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from hydatis.benchmarks.measuring import ProcessMeter

BUSY = "import time\nwhile time.process_time() < {seconds} + 0.05: pass\ntime.sleep(60)"
"""Uses a little more than it is asked to: the kernel tells user and system time in ticks of 10 ms, rounded down."""
WITH_CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


@contextmanager
def process(*arguments: str) -> Iterator[int]:
    child = subprocess.Popen([sys.executable, "-c", *arguments], start_new_session=True)
    try:
        yield child.pid
    finally:
        child.kill()
        child.wait()


def wait_for_cpu(pid: int, seconds: float) -> None:
    """Wait until the process and its children have used that much, however busy the machine is."""
    deadline = time.monotonic() + 30
    root = psutil.Process(pid)
    used = 0.0
    while used < seconds and time.monotonic() < deadline:
        time.sleep(0.05)
        times = [member.cpu_times() for member in (root, *root.children())]
        used = sum(each.user + each.system for each in times)
    assert used >= seconds
    # The meter looks five times a second, for children once a second.
    time.sleep(1.5)


def test_cpu_is_what_the_process_used_between_two_moments() -> None:
    with process(BUSY.format(seconds=0.5)) as pid:
        with ProcessMeter({"busy": pid}) as meter:
            start = time.perf_counter() - 60
            wait_for_cpu(pid, 0.5)
            end = time.perf_counter()
        # A meter takes its last sample when it is left, however late the machine lets its thread run.
        assert meter.cpu_seconds("busy", start, end) == pytest.approx(0.6, abs=0.2)
        assert meter.cpu_seconds("busy", end, end + 0.3) < 0.1
        assert 3 < meter.peak_rss_mib("busy") < 100


def test_the_cpu_of_a_process_that_came_later_counts_from_its_start() -> None:
    with ExitStack() as stack:
        with ProcessMeter({}) as meter:
            start = time.perf_counter()
            pid = stack.enter_context(process(BUSY.format(seconds=0.4)))
            wait_for_cpu(pid, 0.4)
            meter.add("late", pid)
        assert meter.cpu_seconds("late", start, time.perf_counter()) >= 0.4


def test_children_are_included() -> None:
    with process(WITH_CHILD, BUSY.format(seconds=0.4)) as pid, ProcessMeter({"parent": pid}) as meter:
        wait_for_cpu(pid, 0.4)
        assert meter.cpu_seconds("parent", 0.0, time.perf_counter()) >= 0.35
        # Two interpreters, not one.
        assert meter.peak_rss_mib("parent") > 12


def test_a_process_that_ended_keeps_its_last_sample() -> None:
    with process(BUSY.format(seconds=0.3)) as pid, ProcessMeter({"gone": pid}) as meter:
        wait_for_cpu(pid, 0.3)
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        assert meter.last_rss_mib("gone") > 3
        assert meter.cpu_seconds("gone", 0.0, time.perf_counter()) >= 0.3


def test_what_is_not_metered_counts_as_others() -> None:
    with ProcessMeter({}) as meter:
        start = time.perf_counter()
        with process(BUSY.format(seconds=0.6)) as pid:
            wait_for_cpu(pid, 0.6)
        end = time.perf_counter()
    assert meter.other_cpu_seconds(start, end) >= 0.5
    assert meter.own_cpu_seconds(start, end) < 0.5
