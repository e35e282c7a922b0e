"""The benchmark of models, on a cluster that takes a moment."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from hydatis.benchmarks.commands import bench
from hydatis.benchmarks.models.scene import NOW, build, of_owner
from hydatis.scheduler.decision import Mode
from hydatis.scheduler.events import PodSeen
from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.instructions import Bind
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import inline_manifest
from hydatis.scheduler.models.onnx_model import OnnxModel
from hydatis.scheduler.testing_onnx import linear

app = typer.Typer(pretty_exceptions_enable=False)
app.add_typer(bench, name="bench")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["bench", "models", *arguments])


def weights(kind: ModelKind) -> bytes:
    return linear([0.01] * SCHEMAS[kind].width)


def manifest(kind: ModelKind, **changes: Any) -> str:
    made = inline_manifest(weights(kind), name="from-manifest", kind=kind, version="1", schema_hash=SCHEMAS[kind].hash)
    made["spec"] |= changes
    return yaml.safe_dump(made)


def test_every_part_is_measured_as_often_as_asked_and_every_sample_kept(tmp_path: Path) -> None:
    load, anomaly = tmp_path / "load.onnx", tmp_path / "anomaly.yaml"
    load.write_bytes(weights(ModelKind.LOAD))
    anomaly.write_text(manifest(ModelKind.ANOMALY))
    written, table = tmp_path / "out.json", tmp_path / "out.md"
    sizes = ["--nodes", "30", "--repeat", "3"]
    outputs = ["--json", str(written), "--markdown", str(table)]
    result = call("--load", str(load), "--anomaly", str(anomaly), *sizes, *outputs)
    assert result.exit_code == 0, result.output
    document = json.loads(written.read_text())
    counts = {entry["what"]: len(entry["samples_milliseconds"]) for entry in document["results"]}
    assert counts == {
        "closed form": 3,
        "features": 3,
        "load model load": 3,
        "anomaly model from-manifest": 3,
        "first decision": 3,
        "next like pod": 60,
    }
    for entry in document["results"]:
        milliseconds = entry["milliseconds"]
        assert 0 < milliseconds["p50"] <= milliseconds["p95"] <= milliseconds["p99"] <= milliseconds["max"]
        assert milliseconds["max"] == max(entry["samples_milliseconds"])
    assert len(document["settings"]["models"]["Load"]) == 64
    assert "| next like pod |" in table.read_text()
    assert "next like pod" in result.output


def test_decisions_are_made_by_the_models_given() -> None:
    kind = ModelKind.LOAD
    schema = SCHEMAS[kind]
    model = OnnxModel.load(weights(kind), kind=kind, name="m", version="1", schema_hash=schema.hash, width=schema.width)
    scheduler = build(20, {kind: model}, seed=1)
    scheduler.handle(PodSeen(of_owner("new", 999).manifest()), NOW)
    instruction = scheduler.schedule_next(NOW)
    assert isinstance(instruction, Bind)
    assert instruction.decision.mode is Mode.ENSEMBLE
    assert scheduler.cluster.load.younger(scheduler.cluster.rows(), 1.0).all()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory; name an ONNX file."),
        ("kind: [", "is no manifest of an MLModel; name one, or an ONNX file."),
        ("- 1", "the manifest must be an object, not a list"),
        ("{}", "metadata.name"),
        (manifest(ModelKind.ANOMALY), "is of the kind Anomaly and the schema"),
        (manifest(ModelKind.LOAD, schemaHash="a" * 64), "is of the kind Load and the schema aaaaaaaaaaaa; name a"),
        (manifest(ModelKind.LOAD, weights={"url": "http://x/y"}), "holds no weights itself; name the ONNX file."),
        (manifest(ModelKind.LOAD, sha256="a" * 64), "WrongDigest: spec.sha256 is"),
    ],
)
def test_what_is_no_model_is_told_in_one_line(content: str | None, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    if content is not None:
        path.write_text(content)
    result = call("--load", str(path), "--nodes", "1")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: --load {path}")
    assert problem in line


def test_an_onnx_file_of_other_features_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(linear([1.0] * 3))
    result = call("--load", str(path), "--nodes", "1")
    assert result.exit_code == 1
    assert "WrongShape" in result.stderr
