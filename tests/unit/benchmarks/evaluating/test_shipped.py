import json
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.evaluating.commands import evaluate
from hydatis.benchmarks.evaluating.shipped import read_shipped
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.models.weights import digest_of, pack
from hydatis.scheduler.testing_onnx import linear

ONNX = linear([0.01] * PLACEMENT_SCHEMA.width)


def write(folder: Path, **changes: object) -> None:
    spec = {
        "kind": "Load",
        "version": "1",
        "schemaHash": PLACEMENT_SCHEMA.hash,
        "sha256": digest_of(ONNX),
        "weights": {"inline": pack(ONNX)},
        **changes,
    }
    model = {"apiVersion": "hydatis.io/v1alpha1", "kind": "MLModel", "metadata": {"name": "load-1"}, "spec": spec}
    ensemble = {"expectedOverload": {"weight": 1}, "load": {"model": "load-1", "weight": 2}}
    policy = {
        "apiVersion": "hydatis.io/v1alpha1",
        "kind": "MLSchedulerPolicy",
        "metadata": {"name": "default"},
        "spec": {"ensemble": ensemble},
    }
    (folder / "load.yaml").write_text(yaml.safe_dump(model))
    (folder / "policy.yaml").write_text(yaml.safe_dump(policy))


def test_weights_and_models_are_those_of_the_manifests(tmp_path: Path) -> None:
    write(tmp_path)
    models = read_shipped(tmp_path)
    assert (models.weights.expected_overload, models.weights.load) == (1, 2)
    assert models.onnx == {"load-1": ONNX}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"schemaHash": "0123456789abcdef"}, "train it anew"),
        ({"sha256": "0" * 64}, "spec.sha256"),
        ({"kind": "Weather"}, "spec.kind"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(changes: dict[str, object], told: str, tmp_path: Path) -> None:
    write(tmp_path, **changes)
    with pytest.raises(BenchError, match=told):
        read_shipped(tmp_path)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "load.yaml").unlink()
    with pytest.raises(BenchError, match="load-1"):
        read_shipped(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--section", "weather"], "--section weather is unknown"),
        (["--models", "nowhere"], "has 0 policies"),
        (["--json", "missing/folder/file.json"], "--json"),
    ],
)
def test_what_cannot_be_is_told_at_once(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    application = typer.Typer()
    application.command()(evaluate)
    done = CliRunner().invoke(application, arguments)
    assert done.exit_code == 1
    assert told in done.stderr


def test_latency_is_measured_of_the_models_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr("hydatis.benchmarks.evaluating.sections.LATENCY_NODES", 50)
    application = typer.Typer()
    application.command()(evaluate)
    target = tmp_path / "figures.json"
    arguments = ["--section", "latency", "--models", str(tmp_path), "--json", str(target)]
    done = CliRunner().invoke(application, arguments)
    assert done.exit_code == 0, done.output
    measured = json.loads(target.read_text())["latency"]
    assert measured["nodes"] == 50
    assert {"features", "load model load-1", "next like pod"} <= {each["what"] for each in measured["milliseconds"]}
