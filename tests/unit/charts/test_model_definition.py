"""The definition of MLModel says the same as the parser, in full, and docs/mlmodels.md shows what both accept."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hydatis.scheduler.models import model_spec
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import parse_model
from hydatis.scheduler.models.onnx_graph import ML_OPERATORS, OPERATORS
from hydatis.scheduler.models.refusal import Refusal
from hydatis.scheduler.policy import GROUP, VERSION

ROOT = Path(__file__).resolve().parents[3]
DEFINITION = ROOT / "crds" / f"{model_spec.PLURAL}.{GROUP}.yaml"
TEXT = (ROOT / "docs" / "mlmodels.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    definition = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    assert definition["spec"]["names"]["kind"] == model_spec.KIND
    (version,) = definition["spec"]["versions"]
    assert version["name"] == VERSION
    properties: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    return properties


def test_kinds_and_formats_are_those_of_the_parser(spec: dict[str, Any]) -> None:
    assert spec["kind"]["enum"] == list(ModelKind)
    assert spec["format"]["enum"] == [model_spec.FORMAT]


def test_bounds_and_patterns_are_those_of_the_parser(spec: dict[str, Any]) -> None:
    weights = spec["weights"]["properties"]
    assert weights["inline"]["maxLength"] == model_spec.INLINE_MAX
    assert weights["url"]["maxLength"] == model_spec.URL_MAX
    assert weights["configMaps"]["maxItems"] == model_spec.CONFIG_MAPS_MAX
    assert weights["configMaps"]["items"]["properties"]["key"]["default"] == model_spec.DEFAULT_KEY
    assert spec["version"]["maxLength"] == model_spec.VERSION_MAX
    for field, pattern in (("version", model_spec.VERSION), ("sha256", model_spec.SHA256)):
        assert spec[field]["pattern"] == f"^{pattern.pattern}$"
    assert spec["schemaHash"]["pattern"] == f"^{model_spec.SCHEMA_HASH.pattern}$"


def test_there_are_examples_to_test() -> None:
    assert {tuple(example["spec"]["weights"]) for example in EXAMPLES} == {("inline",), ("configMaps",), ("url",)}


@pytest.mark.parametrize("manifest", EXAMPLES, ids=lambda manifest: str(manifest["metadata"]["name"]))
def test_an_example_is_a_valid_model(manifest: dict[str, Any]) -> None:
    assert parse_model(manifest).name == manifest["metadata"]["name"]


def test_the_text_lists_every_reason_and_every_operator() -> None:
    missing = [reason for reason in Refusal if f"`{reason}`" not in TEXT]
    assert missing == []
    assert set(re.findall(r"`(\w+)`", TEXT)) >= OPERATORS | ML_OPERATORS
