"""`hydatis bench` as a user runs it, at sizes that take seconds."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hydatis.sandbox.building import provide
from hydatis.sandbox.go_module import Program

BENCH = [sys.executable, "-m", "hydatis.operator", "bench"]
_SECONDS = 400


def environment(folder: Path) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    return {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*BENCH, *arguments]
    variables = environment(folder / "tmp")
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=_SECONDS, check=False)


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    """Build what is missing first: that takes minutes once, which no test's time limit has room for."""
    provide(list(Program), lambda message: print(message, file=sys.__stderr__, flush=True))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    """Both schedulers once in a burst and once with a full queue: the report, what was printed, the folder."""
    folder = tmp_path_factory.mktemp("bench")
    ended = bench(
        folder,
        *("--nodes", "20", "--pods", "150", "--repeat", "1", "--mode", "burst", "--mode", "queued"),
        *("--workload", "mixed", "--json", str(folder / "bench.json"), "--figure", str(folder / "bench.png")),
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads((folder / "bench.json").read_text()), ended.stdout, folder


def test_every_measure_is_there_for_both_with_a_ratio(measured: tuple[dict[str, Any], str, Path]) -> None:
    report, _, _ = measured
    assert [(row["nodes"], row["mode"]) for row in report["results"]] == [(20, "burst"), (20, "queued")]
    for row in report["results"]:
        for side in ("hydatis", "kube_scheduler", "ratio"):
            assert row[side]["pods_per_second"] > 0
            assert set(row[side]["latency_ms"]) >= {"p50", "p90", "p99"}
            assert set(row[side]["cpu_ms_per_pod"]) >= {"scheduler", "apiserver", "etcd"}
            assert all(number > 0 for number in row[side]["cpu_ms_per_pod"].values())
            assert row[side]["rss_mib"] > 0
            assert row[side]["ready_seconds"] > 0
        expected = row["hydatis"]["pods_per_second"] / row["kube_scheduler"]["pods_per_second"]
        assert row["ratio"]["pods_per_second"] == pytest.approx(expected)


def test_every_run_bound_every_pod_and_stored_an_event_for_each(measured: tuple[dict[str, Any], str, Path]) -> None:
    report, _, _ = measured
    assert len(report["runs"]) == 4
    for run in report["runs"]:
        assert run["valid"], run["problems"]
        assert run["bound"] == run["pods"] == len(run["latency_samples_ms"]) == 150
        assert run["events_stored"] == 150


def test_the_report_says_what_it_ran_on_and_what_its_numbers_mean(measured: tuple[dict[str, Any], str, Path]) -> None:
    report, _, _ = measured
    assert report["machine"]["cores"] >= 1
    assert {"hydatis", "python", "etcd", "kube-apiserver", "kube-scheduler"} <= set(report["versions"])
    assert report["settings"]["workloads"] == ["mixed"]
    assert "spec.nodeName" in report["definitions"]["bound"]


def test_the_table_and_the_figure_are_made(measured: tuple[dict[str, Any], str, Path]) -> None:
    _, printed, folder = measured
    assert "kube-scheduler" in printed
    assert "latency p99, ms" in printed
    assert "\x1b" not in printed
    assert (folder / "bench.png").stat().st_size > 10_000


def test_nothing_is_left_behind(
    measured: tuple[dict[str, Any], str, Path], left_running: Callable[[Path], list[str]]
) -> None:
    _, _, folder = measured
    assert left_running(folder / "tmp") == []
    assert list((folder / "tmp").iterdir()) == []


def test_a_workload_of_upstreams_places_its_initial_pods_first_and_churns_while_it_measures(tmp_path: Path) -> None:
    files = ("--json", str(tmp_path / "bench.json"), "--markdown", str(tmp_path / "bench.md"))
    ended = bench(tmp_path, "--workload", "Unschedulable", "--nodes", "25", "--repeat", "1", "--mode", "queued", *files)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (row,) = json.loads((tmp_path / "bench.json").read_text())["results"]
    assert (row["workload"], row["nodes"], row["pods"]) == ("Unschedulable", 25, 50)
    assert "| Unschedulable | 25 | queued | 50 |" in (tmp_path / "bench.md").read_text()


def test_a_run_that_misses_its_deadline_says_how_far_it_came_and_fails(tmp_path: Path) -> None:
    size = ("--nodes", "20", "--pods", "2500", "--repeat", "1", "--mode", "queued", "--deadline", "1")
    ended = bench(tmp_path, *size, "--json", str(tmp_path / "bench.json"))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    runs = json.loads((tmp_path / "bench.json").read_text())["runs"]
    assert [run["valid"] for run in runs] == [False, False]
    for run in runs:
        assert run["bound"] < 2500
        assert any("of 2500 pods were bound within 1 s" in problem for problem in run["problems"])
    assert "not valid: HYDATIS, uniform, 20 nodes, queued, repeat 1: only " in ended.stdout


def test_an_interrupt_leaves_nothing_running(tmp_path: Path, left_running: Callable[[Path], list[str]]) -> None:
    folder = tmp_path / "tmp"
    log = tmp_path / "bench.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*BENCH, "--nodes", "20", "--pods", "400", "--mode", "paced-20", "--repeat", "1"],
            env=environment(folder),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 120
        while (
            not any("hydatis.operator run" in command for command in left_running(folder))
            and process.poll() is None
            and time.monotonic() < deadline
        ):
            time.sleep(0.1)
        # The scheduler runs now, and the load needs 20 s: this is the middle of the run.
        time.sleep(3)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 130, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert "error: interrupted; every process of the benchmark has been stopped" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert left_running(folder) == []
    assert list(folder.iterdir()) == []
