"""An oracle that fails is told in one sentence; stand-ins are shell scripts."""

import shutil
from pathlib import Path

import pytest

from hydatis.sandbox.bundled import oracle_module
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.verifying import oracle as module
from hydatis.sandbox.verifying.errors import VerifyError
from hydatis.sandbox.verifying.oracle import Oracle, kubernetes_version, provide_oracle


def stand_in(folder: Path, script: str) -> Path:
    program = folder / "oracle"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_answers_come_in_the_order_of_the_questions(tmp_path: Path) -> None:
    with Oracle(stand_in(tmp_path, "cat")) as oracle:
        oracle.ask([b'{"id":1}\n', b'{"id":2}\n'])
        assert oracle.answers(2) == [{"id": 1}, {"id": 2}]


def test_an_oracle_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    with Oracle(stand_in(tmp_path, "read line; echo out of luck >&2; exit 3")) as oracle:
        oracle.ask([b"{}\n"])
        with pytest.raises(VerifyError, match=r"the oracle ended before it answered.*out of luck"):
            oracle.answers(1)


def test_an_oracle_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.2)
    with Oracle(stand_in(tmp_path, "exec sleep 60")) as oracle:
        oracle.ask([b"{}\n"])
        with pytest.raises(VerifyError, match="gave no answer within"):
            oracle.answers(1)


def test_a_cluster_that_cannot_be_judged_is_named(tmp_path: Path) -> None:
    with Oracle(stand_in(tmp_path, "cat")) as oracle:
        oracle.ask([b'{"id":7,"error":"no such kind"}\n'])
        with pytest.raises(VerifyError, match="could not judge cluster 7: no such kind"):
            oracle.answers(1)


def test_an_oracle_ends_with_its_session(tmp_path: Path) -> None:
    with Oracle(stand_in(tmp_path, "exec cat")) as oracle:
        process = oracle._process
    assert process.returncode == 0


def test_the_version_is_that_of_the_module() -> None:
    assert kubernetes_version().startswith("v1.")


GO = """#!/bin/sh
if [ "$1" = env ]; then echo go1.99.0; exit 0; fi
echo "$PWD $@" >> "$STAND_IN_LOG"
if [ -n "$STAND_IN_ERROR" ]; then echo "$STAND_IN_ERROR" >&2; exit 1; fi
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\n' > "$2"; chmod 755 "$2"
"""


@pytest.fixture
def go_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the stand-in for the Go toolchain was asked to do, one line each; the cache is empty."""
    path = tmp_path / "path"
    path.mkdir()
    for name in ("sh", "chmod"):
        (path / name).symlink_to(f"/bin/{name}")
    (path / "go").write_text(GO)
    (path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("STAND_IN_LOG", str(tmp_path / "go.log"))
    return tmp_path / "go.log"


def test_the_oracle_is_built_once_from_its_sources(go_log: Path, tmp_path: Path) -> None:
    first = provide_oracle()
    assert first.is_relative_to(tmp_path / "cache")
    assert provide_oracle() == first
    (line,) = go_log.read_text().splitlines()
    assert line.startswith(f"{oracle_module()} build ")


def test_other_sources_make_another_binary(go_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = provide_oracle()
    changed = tmp_path / "changed"
    shutil.copytree(oracle_module(), changed)
    (changed / "main.go").write_text("package main\n")
    monkeypatch.setattr(module, "oracle_module", lambda: changed)
    assert provide_oracle() != first
    assert len(go_log.read_text().splitlines()) == 2


def test_a_build_that_fails_is_told_and_leaves_nothing(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_ERROR", "no space left on device")
    with pytest.raises(SandboxError, match=r"building oracle failed(.|\n)*no space left on device"):
        provide_oracle()
    monkeypatch.delenv("STAND_IN_ERROR")
    assert provide_oracle().exists()
