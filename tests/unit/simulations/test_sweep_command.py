"""`hydatis simulate` for scenarios in virtual time, on the smallest cluster for an hour."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hydatis.simulations.commands import simulate
from hydatis.simulations.measures.catalogue import BY_NAME
from hydatis.simulations.traces.folder import DATA_VARIABLE

APP = typer.Typer()
APP.command()(simulate)

HOUR = ["--scenario", "six", "--assume", "length_seconds=3600", "--assume", "warm_up_seconds=600", "--jobs", "1"]
TWO = [*HOUR, "--policies", "KubeScheduler,MostAllocated"]
PATIENCE_SECONDS = 600
"""A process that is starved of processors ends late, but it ends."""


@pytest.fixture(autouse=True)
def _made_up_workloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(APP, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


@contextmanager
def started(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The command as a process of its own, so that it can be ended from outside."""
    # A process that a shell put into the background ignores Ctrl-C, and so would those that it starts.
    program = (
        "import signal, typer; from hydatis.simulations.commands import simulate; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); typer.run(simulate)"
    )
    environment = {name: value for name, value in os.environ.items() if name != DATA_VARIABLE}
    command = [sys.executable, "-c", program, *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_runs(folder: Path, least: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while len(list(folder.glob("*.json"))) < least:
        assert time.monotonic() < end, "no run was kept"
        time.sleep(0.02)


def test_the_report_compares_policies_with_the_same_seeds(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    output = run(*TWO, "--seeds", "2", "--json", str(path))
    report = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert report["scenario"] == "six-full length_seconds=3600 warm_up_seconds=600"
    assert report["complete"] is True
    assert list(report["policies"]) == ["KubeScheduler", "MostAllocated"]
    assert set(report["policies"]["MostAllocated"]) <= set(BY_NAME)
    assert [one["seed"] for one in report["runs"]["MostAllocated"]] == [1, 2]
    assert report["configuration"]["reference"] == "KubeScheduler"
    assert report["configuration"]["assumptions"]["scrape_seconds"] == 30
    assert report["differences"].keys() == {"MostAllocated"}
    for seed in (0, 1):
        pods = {runs[seed]["pods"] for runs in report["runs"].values()}
        assert len(pods) == 1, "policies with the same seed have other pods"
    assert "MostAllocated" in output


def test_the_same_seed_gives_the_same_numbers_alone_and_among_others(tmp_path: Path) -> None:
    both, alone = tmp_path / "both.json", tmp_path / "alone.json"
    run(*TWO, "--seeds", "2", "--json", str(both))
    run(*HOUR, "--policies", "MostAllocated", "--first-seed", "2", "--seeds", "1", "--json", str(alone))
    (second,) = json.loads(alone.read_text())["runs"]["MostAllocated"]
    assert second == json.loads(both.read_text())["runs"]["MostAllocated"][1]


def test_values_of_an_assumption_are_swept_one_study_each(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    arguments = ["--policies", "LeastAllocated", "--seeds", "1", "--assume", "missing_share=0,0.3"]
    run(*HOUR, *arguments, "--json", str(path))
    scenarios = json.loads(path.read_text())["scenarios"]
    shares = [of["configuration"]["assumptions"]["missing_share"] for of in scenarios.values()]
    assert shares == [0, 0.3]


def test_the_page_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "report.html"
    run(*TWO, "--seeds", "1", "--html", str(path))
    page = path.read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "MostAllocated" in page


def test_kept_runs_are_taken_and_others_made(tmp_path: Path) -> None:
    keep = ["--keep", str(tmp_path / "runs")]
    run(*TWO, *keep, "--seeds", "1")
    output = run(*TWO, *keep, "--seeds", "2")
    assert output.count(": kept") == 2
    assert len(list((tmp_path / "runs").iterdir())) == 4


def test_a_sweep_that_is_killed_goes_on_from_what_it_kept(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    arguments = [*TWO, "--seeds", "4", "--keep", str(folder)]
    with started(*arguments) as process:
        wait_for_runs(folder, least=2)
        process.kill()
        process.wait()
        there = len(list(folder.glob("*.json")))
    assert run(*arguments).count(": kept") == there
    assert len(list(folder.glob("*.json"))) == 8


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_with_a_report_of_what_is_there(tmp_path: Path, number: signal.Signals) -> None:
    folder, path = tmp_path / "runs", tmp_path / "out.json"
    with started(*TWO, "--seeds", "200", "--keep", str(folder), "--json", str(path)) as process:
        wait_for_runs(folder, least=3)
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert errors.rstrip().endswith("error: interrupted")
    report = json.loads(path.read_text())
    assert report["complete"] is False
    done = sum(len(runs) for runs in report["runs"].values())
    # The last one may have been kept without having been counted.
    assert done >= 2
    assert done + len(report["missing"]) == 400


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--scenario", "seven"], "the scenario seven is unknown"),
        (["--scenario", "six,fgd-static"], "--scenario fgd-static cannot stand beside others"),
        (["--scenario", "six,six-full"], "names the same runs twice"),
        (["--scenario", "six", "--policies", "Best"], "--policies Best is unknown; choose from Random"),
        (["--scenario", "six", "--policies", "Random", "--reference", "BestFit"], "--reference BestFit is not among"),
        (["--scenario", "six", "--assume", "lod=1"], "--assume lod is no assumption of six-full"),
        (["--scenario", "six", "--pod-list", "multigpu20"], "--pod-list is for fgd-static alone"),
        (["--scenario", "six", "--html", "/nowhere/out.html"], "--html /nowhere/out.html cannot be written"),
        (["--scenario", "six", "--jobs", "2", "--dask-scheduler", "tcp://x:1"], "exclude each other"),
        (["--scenario", "fgd-static", "--keep", "runs"], "--keep is for scenarios in time, not for fgd-static"),
    ],
)
def test_a_bad_argument_is_told_before_anything_runs(arguments: list[str], problem: str) -> None:
    assert problem in run(*arguments, code=1)
