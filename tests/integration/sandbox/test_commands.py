"""`hydatis sandbox` as a user runs it: one process a command."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from hydatis.sandbox.binaries import binary_folder
from hydatis.sandbox.processes import ProcessIdentity

HYDATIS_SANDBOX = (str(Path(sys.executable).with_name("hydatis")), "sandbox")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs `hydatis sandbox …` with a state folder of its own, and takes down what a failed test leaves."""
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path), "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*HYDATIS_SANDBOX, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    yield command
    for folder in (tmp_path / "hydatis" / "sandboxes" / "named").glob("*"):
        command("down", "--name", folder.name)


def _refused(answer: subprocess.CompletedProcess[str], text: str) -> None:
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ")
    assert text in answer.stderr
    assert "Traceback" not in answer.stderr + answer.stdout


def test_a_sandbox_goes_up_outlives_its_command_and_goes_down(run: Run, tmp_path: Path) -> None:
    up = run("up", "--nodes", "3")
    assert up.returncode == 0, up.stderr
    assert "starting kube-apiserver" in up.stderr

    status = run("status")
    assert status.returncode == 0
    assert [line.split()[0] for line in status.stdout.splitlines()[1:]] == [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kwok",
    ]
    assert status.stdout.count(" ready") == 5  # the heading too
    pids = [int(line.split()[1]) for line in status.stdout.splitlines()[1:]]

    kubeconfig = run("kubeconfig").stdout.strip()
    kubectl = [str(binary_folder() / "kubectl"), f"--kubeconfig={kubeconfig}", "get", "nodes", "-o", "name"]
    nodes = subprocess.run(kubectl, capture_output=True, text=True, timeout=60, check=True).stdout
    assert nodes.split() == ["node/node-0", "node/node-1", "node/node-2"]

    _refused(run("up"), "already up")

    account = run("kubeconfig", "--service-account", "kube-system/default", "--raw")
    assert yaml.safe_load(account.stdout)["users"][0]["name"] == "system:serviceaccount:kube-system:default"
    _refused(run("kubeconfig", "--service-account", "kube-system/nobody"), "not found")
    _refused(run("kubeconfig", "--service-account", "kube-system"), "NAMESPACE/NAME")

    down = run("down")
    assert (down.returncode, down.stdout) == (0, "sandbox default is down\n")
    assert not [pid for pid in pids if ProcessIdentity.of(pid)]
    assert not list((tmp_path / "hydatis" / "sandboxes" / "named").iterdir())
    _refused(run("down"), "no sandbox named default is up")


def test_two_sandboxes_stand_side_by_side_and_a_dead_component_shows(run: Run) -> None:
    assert run("up", "--component", "etcd").returncode == 0
    assert run("up", "--name", "other", "--component", "etcd").returncode == 0
    one, other = run("status"), run("status", "--name", "other")
    assert one.returncode == other.returncode == 0
    assert len(one.stdout.splitlines()) == 3
    apiserver = int(other.stdout.splitlines()[2].split()[1])
    os.kill(apiserver, 9)
    broken = run("status", "--name", "other")
    assert broken.returncode == 1
    assert broken.stdout.splitlines()[2].endswith("ended")
    assert run("status").returncode == 0
    assert run("down", "--name", "other").returncode == 0
    assert run("status").returncode == 0


def test_a_sandbox_whose_start_is_interrupted_leaves_nothing(run: Run, tmp_path: Path) -> None:
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
    starting = subprocess.Popen(
        [*HYDATIS_SANDBOX, "up"],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert starting.stderr is not None
    while "kube-apiserver" not in starting.stderr.readline():
        assert starting.poll() is None
    starting.kill()
    starting.wait()
    starting.stderr.close()
    assert run("up", "--component", "etcd").returncode == 0
    assert run("down").returncode == 0
    assert not list((tmp_path / "hydatis" / "sandboxes" / "records").iterdir())


@pytest.mark.parametrize("command", ["up", "down", "status", "kubeconfig"])
def test_every_command_refuses_a_hostile_name(run: Run, command: str) -> None:
    _refused(run(command, "--name=../x"), "is not a sandbox name")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("up", "--component", "kubelet"), "choose from etcd"),
        (("up", "--component", "etcd", "--nodes", "3"), "--component kwok"),
        (("build", "kubelet"), "choose from etcd"),
        (("status",), "hydatis sandbox up"),
        (("kubeconfig", "--name", "other"), "hydatis sandbox up --name other"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_with_the_remedy(run: Run, arguments: tuple[str, ...], text: str) -> None:
    _refused(run(*arguments), text)


def test_every_command_has_help_with_an_example(run: Run) -> None:
    for command in ("up", "down", "status", "kubeconfig", "build"):
        answer = run(command, "--help")
        assert answer.returncode == 0
        assert f"Example: hydatis sandbox {command}" in answer.stdout


def test_verbose_status_shows_every_binary_even_without_a_sandbox(run: Run) -> None:
    answer = run("status", "-v")
    assert answer.returncode == 1
    assert {line.split()[0] for line in answer.stdout.splitlines()[1:]} >= {"etcd", "kube-apiserver", "kwok", "helm"}


def test_build_says_where_each_program_is(run: Run) -> None:
    answer = run("build", "helm", "kubectl")
    assert answer.returncode == 0
    assert [Path(line).name for line in answer.stdout.splitlines()] == ["helm", "kubectl"]


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "file")}
    command = [*HYDATIS_SANDBOX, "up"]
    _refused(
        subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False),
        str(tmp_path / "file"),
    )


def test_a_missing_extra_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    # An empty stand-in on the path would import; one that raises as Python does is what a missing package looks like.
    (tmp_path / "psutil.py").write_text("raise ModuleNotFoundError(\"No module named 'psutil'\", name='psutil')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    answer = subprocess.run(
        [*HYDATIS_SANDBOX, "status"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    _refused(answer, "pip install 'hydatis[sandbox]'")
