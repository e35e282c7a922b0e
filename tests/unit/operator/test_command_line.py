"""The `hydatis` command: finding subcommands, and one sentence for whatever is wrong."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from hydatis.operator import commands, options
from hydatis.operator.errors import Misconfigured
from hydatis.operator.policy_files import check_file


def hydatis(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hydatis.operator", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        input=stdin,
    )


def test_an_unknown_command_is_one_sentence_that_names_the_known_ones() -> None:
    done = hydatis("shcedule")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "'shcedule' is not a command" in done.stderr
    assert "policy, run, sandbox" in done.stderr


def test_help_lists_every_command_and_the_version_is_shown() -> None:
    shown = hydatis("--help")
    assert shown.returncode == 0
    for name in ("run", "policy", "sandbox", "bench", "demo"):
        assert name in shown.stdout
    assert hydatis("--version").stdout.startswith("hydatis ")


def test_a_command_imports_only_what_it_needs() -> None:
    code = (
        "import sys; sys.argv = ['hydatis', 'policy', 'validate', '--help']\n"
        "from hydatis.operator.command_line import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'kopf', 'aiohttp', 'numpy', 'hydatis.sandbox'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    """`run` sets up logging for the whole process."""
    loggers = [logging.getLogger(name) for name in (None, "kopf", "asyncio", "aiohttp", "kubernetes_asyncio")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.mark.usefixtures("_logging_as_before")
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"kubeconfig": Path("/nonexistent/config")}, "/nonexistent/config does not exist"),
        ({"listen": "nowhere"}, "--listen 'nowhere' is not an address and port"),
        ({"bind_concurrency": 0}, "--bind-concurrency 0 is out of range"),
        ({"scheduler_name": ["Not A Name"]}, "--scheduler-name 'Not A Name' cannot be"),
        ({"watch_silence": 0.0}, "--watch-silence 0 is out of range"),
        ({"volume_bind_timeout": 0.0}, "--volume-bind-timeout 0 is out of range"),
        ({"seed": -1}, "--seed -1 is negative"),
    ],
)
def test_run_says_what_is_wrong_in_one_sentence_with_the_remedy(
    arguments: dict[str, Any], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        commands.run(**arguments)
    said = capsys.readouterr().err
    assert ended.value.exit_code == 1
    assert said.startswith("error: ")
    assert part in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:0", ("::1", 0)), ("localhost:65535", ("localhost", 65535))],
)
def test_an_address_is_read(text: str, expected: tuple[str, int]) -> None:
    assert options.listen_address(text) == expected


@pytest.mark.parametrize("text", ["", ":", "8080", ":8080", "host:", "host:-1", "host:65536", "host:x", "host:٣"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match="--listen"):
        options.listen_address(text)


@pytest.mark.parametrize("name", ["", "A", "a.b", "-a", "a" * 64])
def test_a_namespace_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match="--namespace"):
        options.namespace(name)
    assert options.namespace("hydatis-system") == "hydatis-system"


GOOD = """
apiVersion: hydatis.io/v1alpha1
kind: MLSchedulerPolicy
metadata: {name: gold}
spec: {priority: 5}
"""


def test_valid_policies_are_told_and_exit_is_zero(tmp_path: Path) -> None:
    path = tmp_path / "policies.yaml"
    path.write_text(f"{GOOD}---{GOOD}")
    done = hydatis("policy", "validate", str(path))
    assert (done.returncode, done.stdout) == (0, f"{path}: 2 policies are valid\n")


def test_every_error_of_every_file_is_told_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD.replace("priority: 5", "priority: high, pluginWeights: {Nothing: 3}"))
    done = hydatis("policy", "validate", str(path), str(tmp_path / "missing"))
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert any("spec.priority" in line for line in lines)
    assert any("spec.pluginWeights" in line for line in lines)
    assert any("missing: it cannot be read" in line for line in lines)
    assert all(line.startswith("error: ") for line in lines)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("a: [", "not YAML"),
        ("", "holds no policy"),
        ("- 1", "must be an object"),
        ("[" * 5000, "nested too deeply"),
        ("a: !!timestamp 2001-99-99", "cannot be read as YAML"),
    ],
)
def test_a_file_that_holds_no_policy_is_one_sentence(content: str, part: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(content)
    problem, *_ = check_file(path).problems
    assert part in problem
    assert "\n" not in problem


def test_a_policy_may_come_from_stdin() -> None:
    done = hydatis("policy", "validate", "-", stdin=GOOD)
    assert (done.returncode, done.stdout) == (0, "-: 1 policy is valid\n")
