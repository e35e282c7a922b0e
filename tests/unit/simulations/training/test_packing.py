import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import parse_model
from hydatis.scheduler.policy import parse_policy
from hydatis.scheduler.testing_onnx import linear
from hydatis.simulations.training.commands import train


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """Of a `pack` that works: models with one weight for each feature."""
    given = ["pack", "--output", str(tmp_path / "out")]
    for kind in ModelKind:
        path = tmp_path / f"{kind.lower()}.onnx"
        path.write_bytes(linear([1.0] * SCHEMAS[kind].width))
        given += [f"--{kind.lower()}", str(path)]
    return given


def test_every_model_and_the_policy_that_names_them_are_written(arguments: list[str], tmp_path: Path) -> None:
    facts = {"metrics": {"error": 0.25}, "provenance": {"seed": 7, "data": "made-up workloads"}}
    (tmp_path / "load.facts.json").write_text(json.dumps(facts))
    result = CliRunner().invoke(train, [*arguments, "--version", "7.1"])
    assert result.exit_code == 0, result.output
    written = {path.stem: yaml.safe_load(path.read_text()) for path in (tmp_path / "out").iterdir()}
    for kind in ModelKind:
        spec = parse_model(written[kind.lower()])
        assert (spec.name, spec.kind, spec.version) == (f"{kind.lower()}-7.1", kind, "7.1")
        assert spec.schema_hash == SCHEMAS[kind].hash
        assert written["policy"]["spec"]["ensemble"][kind.lower()]["model"] == spec.name
    assert {key: written["load"]["spec"][key] for key in facts} == facts
    assert parse_policy(written["policy"]).name == "default"


def test_the_same_files_give_the_same_manifests(arguments: list[str], tmp_path: Path) -> None:
    texts = []
    for _ in range(2):
        assert CliRunner().invoke(train, arguments).exit_code == 0
        texts.append({path.name: path.read_text() for path in (tmp_path / "out").iterdir()})
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (
            "load.onnx",
            linear([1.0] * 3),
            "load.onnx cannot be shipped: WrongShape: spec.weights has an input of the shape (any, 3)",
        ),
        ("anomaly.onnx", b"weights", "anomaly.onnx cannot be shipped: NotOnnx: spec.weights is no ONNX file"),
        ("load.facts.json", b"{", "load.facts.json is no JSON"),
        ("load.facts.json", b'{"metric": {}}', "load.facts.json has to be an object of metrics and provenance"),
        ("load.facts.json", b'{"metrics": 1}', "metrics and provenance have to be objects"),
    ],
)
def test_what_a_cluster_would_refuse_is_refused_and_nothing_is_written(
    arguments: list[str], tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = CliRunner().invoke(train, arguments)
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert problem in line
    assert not (tmp_path / "out").exists()


def test_a_version_that_makes_no_name_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(train, [*arguments, "--version", "A b"])
    assert result.exit_code == 1
    assert "no valid name" in result.output
