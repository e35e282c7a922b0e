"""`hydatis run` on a command line, kubeconfig or cluster that cannot work: one sentence with the remedy."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.installing import install_chart

CRD = "mlschedulerpolicies.hydatis.io"
SECONDS = 15.0
"""An unreachable server is tried for five seconds; the rest is a busy machine's share."""


def run(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
    return subprocess.run(
        [sys.executable, "-m", "hydatis.operator", "run", "--listen", "127.0.0.1:0", *arguments],
        env={**kept, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_one_sentence(ended: subprocess.CompletedProcess[str], problem: str, remedy: str) -> None:
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    assert problem in line
    assert line.endswith(remedy)


@pytest.fixture
def changed_kubeconfig(kubeconfig: str, tmp_path: Path) -> Callable[..., str]:
    """The kubeconfig that works, with something else in its cluster or user, or without it (None)."""

    def change(*, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> str:
        config = yaml.safe_load(Path(kubeconfig).read_text(encoding="utf-8"))
        for part, changes in ((config["clusters"][0]["cluster"], cluster), (config["users"][0]["user"], user)):
            for name, value in (changes or {}).items():
                if value is None:
                    del part[name]
                else:
                    part[name] = value
        path = tmp_path / "changed.yaml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return str(path)

    return change


@pytest.mark.parametrize(
    ("content", "problem", "remedy"),
    [
        (None, "does not exist", "Pass an existing file with --kubeconfig or set KUBECONFIG."),
        ("", "is empty", "Pass a valid one with --kubeconfig."),
        (": : :", "is not a valid kubeconfig", "Pass a valid one with --kubeconfig."),
        ("[1, 2]", "is not a valid kubeconfig", "Pass a valid one with --kubeconfig."),
        ("apiVersion: v1\nkind: Config\n", "cannot be used", "name another with --context."),
    ],
    ids=["absent", "empty", "not YAML", "a list", "without clusters"],
)
def test_a_kubeconfig_that_cannot_be_used_is_named(
    content: str | None, problem: str, remedy: str, tmp_path: Path
) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    ended = run("--kubeconfig", str(path), home=tmp_path)
    assert_one_sentence(ended, problem, remedy)
    assert str(path) in ended.stderr


def test_without_any_kubeconfig_the_default_one_is_named(tmp_path: Path) -> None:
    ended = run(home=tmp_path)
    assert_one_sentence(ended, f"{tmp_path}/.kube/config does not exist", "or set KUBECONFIG.")


def test_an_unknown_context_is_named(kubeconfig: str, tmp_path: Path) -> None:
    ended = run("--kubeconfig", kubeconfig, "--context", "elsewhere", home=tmp_path)
    assert_one_sentence(ended, "elsewhere", "name another with --context.")


def test_a_server_that_nobody_listens_on_is_named_within_seconds(
    changed_kubeconfig: Callable[..., str], tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{unused.getsockname()[1]}"
        started = time.monotonic()
        ended = run("--kubeconfig", changed_kubeconfig(cluster={"server": server}), home=tmp_path)
    assert_one_sentence(ended, f"The API server {server} cannot be reached", "Check its address and that it is up.")
    assert time.monotonic() - started < SECONDS


def test_a_server_whose_certificate_does_not_verify_is_refused(
    changed_kubeconfig: Callable[..., str], tmp_path: Path
) -> None:
    path = changed_kubeconfig(cluster={"certificate-authority-data": None})
    ended = run("--kubeconfig", path, home=tmp_path)
    assert_one_sentence(ended, "does not verify", "Check certificate-authority of the cluster in the kubeconfig.")


def test_a_token_that_the_server_does_not_know_is_refused(
    changed_kubeconfig: Callable[..., str], tmp_path: Path
) -> None:
    ended = run("--kubeconfig", changed_kubeconfig(user={"token": "unknown"}), home=tmp_path)
    assert_one_sentence(ended, "does not accept the credentials", "that the kubeconfig names.")


@contextmanager
def without_definition(control_plane: ControlPlane, scene: Scene) -> Iterator[None]:
    control_plane.kubectl("delete", "crd", CRD, "--timeout=60s")
    try:
        yield
    finally:
        install_chart(control_plane)
        # Discovery follows a moment after the definition.
        path = "/apis/hydatis.io/v1alpha1/mlschedulerpolicies"
        scene.wait_until(
            lambda: control_plane.api.request("GET", path).status == 200, "policies are served again", 30.0
        )


def test_a_missing_definition_is_named(make_scene: Callable[[Shape], Scene], kubeconfig: str, tmp_path: Path) -> None:
    scene = make_scene(Shape(nodes=0))
    with without_definition(scene.control_plane, scene):
        ended = run("--kubeconfig", kubeconfig, home=tmp_path)
    assert_one_sentence(ended, CRD, "Install the chart, or apply the definitions in crds/.")


def test_a_port_in_use_is_named(kubeconfig: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run("--kubeconfig", kubeconfig, "--listen", address, home=tmp_path)
    assert_one_sentence(ended, f"--listen {address} cannot be used", "Pass another address or port.")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--bind-concurrency", "many"], ("--bind-concurrency", "valid integer")),
        (["--log-format", "xml"], ("--log-format", "xml", "text", "json")),
        (["--watch-silence", "long"], ("--watch-silence", "valid number")),
        (["--no-such-option"], ("No such option", "--no-such-option")),
        (["surplus"], ("unexpected extra argument", "surplus")),
        (["--kubeconfig"], ("--kubeconfig", "requires an argument")),
    ],
    ids=["bind concurrency", "log format", "watch silence", "unknown option", "surplus argument", "no value"],
)
def test_what_the_command_line_does_not_know_is_named(
    arguments: list[str], named: tuple[str, ...], tmp_path: Path
) -> None:
    ended = run(*arguments, home=tmp_path, COLUMNS="200", NO_COLOR="1")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert [text for text in named if text not in ended.stderr] == []


def test_a_pod_of_the_cluster_without_a_token_is_told_what_to_set(tmp_path: Path) -> None:
    ended = run(home=tmp_path, KUBERNETES_SERVICE_HOST="127.0.0.1", KUBERNETES_SERVICE_PORT="1")
    assert_one_sentence(ended, "The pod's service account cannot be used", "or pass --kubeconfig.")
