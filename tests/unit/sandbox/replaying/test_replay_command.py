from pathlib import Path

import pytest
from typer.testing import CliRunner

from hydatis.sandbox.commands import sandbox


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--scenario", "seven"], "error: the scenario seven is unknown"),
        (["--scenario", "six-faults"], "leave -faults out of the name"),
        (["--scenario", "large"], "choose six, study or day"),
        (["--json", "nowhere/at/all.json"], "error: --json nowhere/at/all.json: name a file in a folder that exists."),
    ],
)
def test_bad_input_is_one_sentence_before_anything_starts(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDATIS_DATA", raising=False)
    result = CliRunner().invoke(sandbox, ["replay", *arguments])
    assert result.exit_code == 1
    assert problem in result.stderr
    assert "Traceback" not in result.stderr


def test_values_out_of_range_are_named() -> None:
    result = CliRunner().invoke(sandbox, ["replay", "--pods", "0"])
    assert result.exit_code == 2
    assert "--pods" in result.stderr
