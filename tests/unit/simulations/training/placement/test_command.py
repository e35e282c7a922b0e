import sys
from pathlib import Path

import onnx
import pytest
from typer.testing import CliRunner

from hydatis.simulations.training.commands import train

pytestmark = pytest.mark.usefixtures("made_up_traces")


def test_it_trains_and_writes_the_model_that_is_served(tmp_path: Path) -> None:
    model = tmp_path / "placement.onnx"
    arguments = ["placement", "--scenario", "six", "--steps", "140", "--runs", "0", "--seed", "2", "--onnx", str(model)]
    result = CliRunner().invoke(train, arguments)
    assert result.exit_code == 0, result.output
    assert "seed 2: 140/140 decisions" in result.output
    onnx.checker.check_model(str(model))


def test_it_registers_the_agent_with_its_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    arguments = ["placement", "--scenario", "six", "--steps", "140", "--runs", "0", "--seed", "2", "--register"]
    result = CliRunner().invoke(train, arguments)
    assert result.exit_code == 0, result.output
    assert "registered hydatis-placement version 1" in result.output
    (weights,) = tmp_path.glob("mlruns/**/model.onnx")
    onnx.checker.check_model(str(weights))
    card = weights.with_name("card.md").read_text()
    assert "# Placement agent, seed 2" in card
    assert "hydatis train placement --seed 2 --steps 140 --start closed-form --scenario six" in card


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--scenario", "seven"], "the scenario seven is unknown"),
        (["--start", "anywhere"], "--start anywhere is unknown; choose from closed-form, nothing."),
        (["--setting", "elsewhere"], "--setting elsewhere is unknown; choose from as in training"),
        (["--json", "/no/such/folder/out.json"], "--json /no/such/folder/out.json cannot be written"),
        (["--onnx", "a.onnx", "--seed", "1", "--seed", "2"], "--onnx takes one agent; give one --seed."),
        (["--register", "--seed", "1", "--seed", "2"], "--register takes one agent; give one --seed."),
    ],
)
def test_bad_input_gets_one_sentence_before_anything_is_learnt(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(train, ["placement", *arguments])
    assert result.exit_code == 1
    assert f"error: {problem}" in result.output
    assert "decisions" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("hydatis.simulations.training.placement.")]:
        if not name.endswith("commands"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    result = CliRunner().invoke(train, ["placement"])
    assert result.exit_code == 1
    assert "needs the Python package stable_baselines3" in result.output
    assert "pip install 'hydatis[training]'" in result.output
