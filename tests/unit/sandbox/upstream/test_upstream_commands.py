from pathlib import Path

import pytest
from typer.testing import CliRunner

from hydatis.sandbox.commands import sandbox


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ["--scheduler", "kube-scheduler", "--naming", "injected"],
            "error: --naming injected needs --scheduler hydatis",
        ),
        (["--json", "nowhere/at/all.json"], "error: --json nowhere/at/all.json: name a file in a folder that exists."),
        (["--json", "."], "error: --json .: name a file in a folder that exists."),
    ],
)
def test_bad_input_is_one_sentence_before_anything_starts(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(sandbox, ["e2e", *arguments])
    assert result.exit_code == 1
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["--nodes", "3"], "--nodes"), (["--scheduler", "yunikorn"], "yunikorn"), (["--rigs", "0"], "--rigs")],
)
def test_values_out_of_range_are_named(arguments: list[str], named: str) -> None:
    result = CliRunner().invoke(sandbox, ["e2e", *arguments])
    assert result.exit_code == 2
    assert named in result.stderr
