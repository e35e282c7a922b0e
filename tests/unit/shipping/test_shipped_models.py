"""The models that ship are what this version of HYDATIS takes, and the policy names just them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import parse_model
from hydatis.scheduler.models.onnx_model import OnnxModel
from hydatis.scheduler.models.weights import decode_base64, unpack
from hydatis.scheduler.policy import parse_policy

MODELS = Path(__file__).resolve().parents[3] / "models"
ROWS = 5_000


def manifest(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((MODELS / f"{name}.yaml").read_text(encoding="utf-8"))
    return read


@pytest.mark.parametrize("kind", ModelKind)
def test_a_cluster_takes_the_model_and_it_scores_5000_nodes(kind: ModelKind) -> None:
    spec, schema = parse_model(manifest(kind.lower())), SCHEMAS[kind]
    assert spec.kind is kind
    assert spec.schema_hash == schema.hash, (
        f"the features of {kind} have changed since models/{kind.lower()}.yaml was trained: "
        "train the models on those of today with `make models`"
    )
    packed = decode_base64(spec.inline, "spec.weights.inline")
    loaded = OnnxModel.load(
        unpack((packed,), spec.sha256, "spec.weights.inline"),
        kind=kind,
        name=spec.name,
        version=spec.version,
        schema_hash=spec.schema_hash,
        width=schema.width,
    )
    random = np.random.default_rng(1)
    low, high = (np.array([getattr(feature, end) for feature in schema.features]) for end in ("low", "high"))
    rows = random.uniform(low, high, (ROWS, schema.width)).astype(np.float32)
    scores = loaded.predict(rows)
    assert scores.shape == (ROWS,)
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) > 1, "it tells no nodes apart"


def test_the_policy_is_valid_names_the_models_that_ship_and_comes_after_every_other() -> None:
    read = manifest("policy")
    policy = parse_policy(read)
    assert policy.priority == -(2**31)
    named = {part: entry["model"] for part, entry in read["spec"]["ensemble"].items() if "model" in entry}
    assert named == {kind.lower(): manifest(kind.lower())["metadata"]["name"] for kind in ModelKind}
