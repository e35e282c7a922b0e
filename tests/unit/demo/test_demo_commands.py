from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hydatis.sandbox.demo.commands import demo

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(demo)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--nodes", "2"], "error: --nodes 2 are too few"),
        (["--pods", "10"], "error: --pods 10 are too few"),
        (["--trace"], "error: HYDATIS_DATA is not set; set it to the folder"),
        (["--json", "nowhere/at/all.json"], "does not exist; create it first"),
        (["--json", "."], "error: --json . is a folder; name a file."),
    ],
)
def test_bad_input_is_one_sentence_before_anything_starts(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDATIS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


def test_help_gives_an_example() -> None:
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"})
    assert result.exit_code == 0
    assert "hydatis demo --nodes 50 --pods 300 --json demo.json" in result.output
