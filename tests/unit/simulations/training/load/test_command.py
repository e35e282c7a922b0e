from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("lightgbm")
pytest.importorskip("onnxmltools")
pytest.importorskip("mlflow")

from hydatis.scheduler.models.kind import ModelKind
from hydatis.simulations.baselines.ensembles import onnx_model
from hydatis.simulations.training.commands import train

pytestmark = pytest.mark.usefixtures("made_up_traces")


def test_two_rounds_leave_a_model_that_a_cluster_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    path = tmp_path / "load.onnx"
    arguments = ["load", "--scenario", "six", "--runs", "1", "--runs", "1", "--questions", "50", "--jobs", "1"]
    arguments += ["--assume", "length_seconds=3600", "--assume", "history_seconds=0"]
    done = CliRunner().invoke(train, [*arguments, "--onnx", str(path), "--register"])
    assert done.exit_code == 0, done.output
    assert "round 2: fitting" in done.stderr
    assert onnx_model(path.read_bytes(), ModelKind.LOAD, "load").kind is ModelKind.LOAD
    (weights,) = tmp_path.glob("mlruns/**/model.onnx")
    assert weights.read_bytes() == path.read_bytes()
    assert "hydatis train load --scenario six --runs 1 --runs 1" in weights.with_name("card.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--onnx", "missing/folder/load.onnx"], "--onnx missing/folder/load.onnx cannot be written"),
        (["--assume", "history_seconds=1,2", "--jobs", "1"], "history_seconds=1,2 has several values"),
        (["--scenario", "nowhere", "--jobs", "1"], "the scenario nowhere is unknown"),
        (["--jobs", "2", "--dask-scheduler", "tcp://127.0.0.1:1"], "exclude each other"),
    ],
)
def test_what_cannot_be_is_told_at_once(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(train, ["load", *arguments])
    assert done.exit_code == 1
    assert told in done.stderr
    assert not list(tmp_path.iterdir())
