import json
import sys
from pathlib import Path

import onnx
import pytest
from typer.testing import CliRunner

from hydatis.simulations.training.commands import train

pytestmark = pytest.mark.usefixtures("made_up_traces")


def test_it_measures_reports_draws_and_exports(tmp_path: Path) -> None:
    written, drawn = tmp_path / "out.json", tmp_path / "out.png"
    arguments = ["forecast", "--seed", "3", "--rounds", "3", "--json", str(written), "--onnx", str(tmp_path)]
    result = CliRunner().invoke(train, [*arguments, "--figure", str(drawn)])
    assert result.exit_code == 0, result.output
    document = json.loads(written.read_text())
    assert document["seed"] == 3
    assert {one["minutes"] for one in document["horizons"]} == {5, 15, 60}
    assert "block 4, 60 min: upper" in result.output
    assert drawn.read_bytes().startswith(b"\x89PNG")
    for minutes in (5, 15, 60):
        onnx.checker.check_model(str(tmp_path / f"forecast-{minutes}.onnx"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--json", "/no/such/folder/out.json"], "--json /no/such/folder/out.json cannot be written"),
        (["--figure", "/no/such/folder/out.png"], "--figure /no/such/folder/out.png cannot be written"),
        (["--onnx", "/no/such/folder"], "--onnx /no/such/folder is no folder that can be written to"),
        (["--others", "/no/such/folder"], "HYDATIS_DATA names /no/such/folder, which is not a folder"),
    ],
)
def test_bad_input_gets_one_sentence_before_anything_is_fitted(arguments: list[str], problem: str) -> None:
    result = CliRunner().invoke(train, ["forecast", *arguments])
    assert result.exit_code == 1
    assert f"error: {problem}" in " ".join(result.output.split())
    assert "block" not in result.output


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("hydatis.simulations.training.forecasting.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    result = CliRunner().invoke(train, ["forecast"])
    assert result.exit_code == 1
    assert "needs the Python package lightgbm" in result.output
