import json
import sys
from pathlib import Path

import onnx
import pytest
from typer.testing import CliRunner

from hydatis.scheduler.models.weights import digest_of
from hydatis.simulations.training.commands import train

SIMULATED = ["--scenario", "six", "--hours", "2.5"]


pytestmark = pytest.mark.usefixtures("made_up_traces")


def test_it_measures_reports_and_exports(tmp_path: Path) -> None:
    written, model = tmp_path / "out.json", tmp_path / "anomaly.onnx"
    arguments = ["anomaly", "--detector", "principal", "--seed", "3", "--json", str(written), "--onnx", str(model)]
    result = CliRunner().invoke(train, [*arguments, *SIMULATED])
    assert result.exit_code == 0, result.output
    document = json.loads(written.read_text())
    assert document["seed"] == 3
    assert {group["detector"] for group in document["groups"]} == {"plain iforest", "principal"}
    assert "16/16 synthetic-8 principal: AUC-PR" in result.output
    onnx.checker.check_model(str(model))


def test_it_registers_what_it_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow", reason="registering needs the extra `models`")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    arguments = ["anomaly", "--detector", "principal", "--onnx", "anomaly.onnx", "--register"]
    result = CliRunner().invoke(train, [*arguments, *SIMULATED])
    assert result.exit_code == 0, result.output
    exported = Path("anomaly.onnx").read_bytes()
    assert f"registered hydatis-anomaly version 1, {digest_of(exported)[:12]}" in result.output
    (weights,) = tmp_path.glob("mlruns/**/model.onnx")
    assert weights.read_bytes() == exported
    card = weights.with_name("card.md").read_text()
    assert "# Anomaly model: principal, seed 1" in card
    assert "| synthetic, validation (4) | principal |" in card
    assert "hydatis train anomaly --detector principal --seed 1 --onnx anomaly.onnx" in card


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--detector", "all", "--register"], "--register takes one detector"),
        (["--detector", "forest"], "there is no detector forest"),
        (["--json", "/no/such/folder/out.json"], "--json /no/such/folder/out.json cannot be written"),
        (["--detector", "iforest", "--onnx", "model.onnx"], "the detector iforest cannot be exported"),
        (["--detector", "all", "--onnx", "model.onnx"], "--onnx takes one detector"),
        (["--onnx", "model.onnx", "--scenario", "seven"], "the scenario seven is unknown"),
        (["--onnx", "model.onnx", "--hours", "1"], "1 hours are within the warm-up of study-light"),
    ],
)
def test_bad_input_gets_one_sentence_before_anything_is_fitted(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(train, ["anomaly", *arguments])
    assert result.exit_code == 1
    assert f"error: {problem}" in result.output
    assert "AUC-PR" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("hydatis.simulations.training.anomaly.detectors")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyod.models.copod", None)
    result = CliRunner().invoke(train, ["anomaly"])
    assert result.exit_code == 1
    assert "needs the Python package pyod" in result.output
    assert "pip install 'hydatis[models]'" in result.output
