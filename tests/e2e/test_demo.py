"""`hydatis demo` as a user runs it: a real control plane, real pods, real kubectl."""

import gzip
import json
import os
import re
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

DEMO = [sys.executable, "-m", "hydatis.operator", "demo"]
_SECONDS = 240
"""Far more than the demo takes with built binaries, on a machine that may be busy."""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """All temporary files go below `folder`, so that what is left behind can be found by it."""
    folder.mkdir(exist_ok=True)
    return {**os.environ, "TMPDIR": str(folder), **more}


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    """Build what is missing first: that takes minutes once, which no test's time limit has room for."""
    provide(list(Program), lambda message: print(message, file=sys.__stderr__, flush=True))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    """One small demo without a terminal: its JSON, what it printed, and where its temporary files were."""
    folder = tmp_path_factory.mktemp("demo")
    command = [*DEMO, "--nodes", "14", "--pods", "80", "--json", str(folder / "demo.json")]
    ended = subprocess.run(
        command,
        env=environment(folder / "tmp"),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads((folder / "demo.json").read_text()), ended.stdout, folder / "tmp"


def test_every_pod_but_the_one_that_fits_nowhere_is_bound(played: tuple[dict[str, Any], str, Path]) -> None:
    outcome, _, _ = played
    assert (outcome["pods"], outcome["bound"], outcome["unschedulable"], outcome["gated"]) == (80, 79, 1, 0)
    assert outcome["released"] == 1
    assert outcome["overcommitted_nodes"] == 0
    assert outcome["broken_expectations"] == []


def test_the_daemon_set_has_a_pod_on_every_node(played: tuple[dict[str, Any], str, Path]) -> None:
    outcome, _, _ = played
    assert len(outcome["pods_by_node"]) == 14
    assert all(pods >= 1 for pods in outcome["pods_by_node"].values())
    assert sum(outcome["pods_by_node"].values()) == outcome["bound"]


def test_latencies_are_measured_and_in_order(played: tuple[dict[str, Any], str, Path]) -> None:
    latency = played[0]["latency_ms"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] < 60_000


def test_kubectl_says_why(played: tuple[dict[str, Any], str, Path]) -> None:
    _, printed, _ = played
    policies = printed.partition("$ kubectl get mlsp")[2].splitlines()
    assert policies[2].split()[:3] == ["default", "True", "Ensemble"]
    assert "Successfully assigned demo/" in printed
    assert "FailedScheduling" in printed
    assert "0/14 nodes are available: " in printed


def test_a_placement_is_explained(played: tuple[dict[str, Any], str, Path]) -> None:
    explained = played[1].partition("$ hydatis explain pod demo/")[2]
    assert ": Bound on " in explained
    assert "policy default of generation 1, scheduler name hydatis" in explained
    assert "NODE" in explained


def test_a_fresh_install_scores_by_the_models_that_ship(played: tuple[dict[str, Any], str, Path]) -> None:
    _, printed, _ = played
    models = printed.partition("$ kubectl get mlmodels")[2].partition("$ ")[0].splitlines()[2:]
    kinds = {line.split()[1]: line.split()[3] for line in models if line}
    assert kinds == {"Load": "True", "Placement": "True", "Anomaly": "True"}
    (scheduled,) = re.findall(r"Successfully assigned demo/.*", printed)
    assert "policy default, mode Ensemble" in scheduled
    assert re.search(r"\(expectedOverload \d", scheduled)


def test_without_a_terminal_lines_are_plain(played: tuple[dict[str, Any], str, Path]) -> None:
    _, printed, _ = played
    assert "\x1b" not in printed
    assert "bound 79 (" in printed


def test_nothing_is_left_behind(
    played: tuple[dict[str, Any], str, Path], left_running: Callable[[Path], list[str]]
) -> None:
    _, _, folder = played
    assert left_running(folder) == []
    assert list(folder.iterdir()) == []


def test_a_trace_can_be_played_instead(tmp_path: Path) -> None:
    rows = "".join(f"p{i},{2000 + i % 5 * 2000},{8192},{i % 2},{460 * (i % 2)}\n" for i in range(60))
    path = tmp_path / "data" / "openb" / "openb_pod_list_default.csv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(("name,cpu_milli,memory_mib,num_gpu,gpu_milli\n" + rows).encode()))
    command = [*DEMO, "--trace", "--nodes", "8", "--pods", "60", "--json", str(tmp_path / "demo.json")]
    variables = environment(tmp_path / "tmp", HYDATIS_DATA=str(tmp_path / "data"))
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    outcome = json.loads((tmp_path / "demo.json").read_text())
    assert outcome["trace"] is True
    assert outcome["bound"] + outcome["unschedulable"] == outcome["pods"] == 60 - outcome["left_out"]
    assert outcome["overcommitted_nodes"] == 0


@pytest.mark.parametrize("moment", ["starting kube-apiserver", "operator ready"])
def test_an_interrupt_leaves_nothing_running(
    tmp_path: Path, moment: str, left_running: Callable[[Path], list[str]]
) -> None:
    folder = tmp_path / "tmp"
    log = tmp_path / "demo.log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            DEMO, env=environment(folder, PYTHONUNBUFFERED="1"), stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + _SECONDS
        while moment not in log.read_text() and demo.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left_running(folder)
        # As a terminal does it: to the whole foreground process group.
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.wait(60) == 130, log.read_text()
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()
    assert "error: interrupted; every process of the demo has been stopped" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert left_running(folder) == []
    assert list(folder.iterdir()) == []
