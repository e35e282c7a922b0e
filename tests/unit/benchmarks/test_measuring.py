"""The meter against real processes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hydatis.benchmarks.measuring import ProcessMeter

BUSY = "import time; start = time.process_time()\nwhile time.process_time() - start < {seconds}: pass\ntime.sleep(60)"
WITH_CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


@contextmanager
def process(*arguments: str) -> Iterator[int]:
    child = subprocess.Popen([sys.executable, "-c", *arguments], start_new_session=True)
    try:
        yield child.pid
    finally:
        child.kill()
        child.wait()


def test_cpu_is_what_the_process_used_between_two_moments() -> None:
    with process(BUSY.format(seconds=0.5)) as pid, ProcessMeter({"busy": pid}) as meter:
        start = time.perf_counter()
        time.sleep(2.5)
        end = time.perf_counter()
        time.sleep(0.5)
        assert meter.cpu_seconds("busy", start, end) == pytest.approx(0.5, abs=0.2)
        assert meter.cpu_seconds("busy", end, end + 0.3) < 0.1
        assert 3 < meter.peak_rss_mib("busy") < 100


def test_the_cpu_of_a_process_that_came_later_counts_from_its_start() -> None:
    with ProcessMeter({}) as meter:
        start = time.perf_counter()
        with process(BUSY.format(seconds=0.4)) as pid:
            time.sleep(2.0)
            meter.add("late", pid)
            time.sleep(0.5)
            assert meter.cpu_seconds("late", start, time.perf_counter()) >= 0.35


def test_children_are_included() -> None:
    with process(WITH_CHILD, BUSY.format(seconds=0.4)) as pid, ProcessMeter({"parent": pid}) as meter:
        start = time.perf_counter()
        time.sleep(3.0)
        assert meter.cpu_seconds("parent", start - 60, time.perf_counter()) >= 0.3
        # Two interpreters, not one.
        assert meter.peak_rss_mib("parent") > 12


def test_a_process_that_ended_keeps_its_last_sample() -> None:
    with process(BUSY.format(seconds=0.3)) as pid, ProcessMeter({"gone": pid}) as meter:
        time.sleep(1.5)
        subprocess.run(["kill", "-KILL", str(pid)], check=True)
        time.sleep(0.5)
        assert meter.last_rss_mib("gone") > 3
        assert meter.cpu_seconds("gone", time.perf_counter() - 60, time.perf_counter()) >= 0.25
