"""An oracle that fails is told in one sentence; stand-ins are shell scripts."""

from pathlib import Path

import pytest

from hydatis.sandbox.verifying import oracle as module
from hydatis.sandbox.verifying.errors import VerifyError
from hydatis.sandbox.verifying.oracle import Oracle, kubernetes_version


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
