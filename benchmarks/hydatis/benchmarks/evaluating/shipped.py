"""Reads an ensemble as it ships: a folder with the manifest of a policy and those of the models that it names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.models.reading import read_weights
from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.models.model_spec import ModelInvalid, parse_model
from hydatis.scheduler.models.refusal import ModelRefused
from hydatis.scheduler.policy import PolicyInvalid, parse_policy
from hydatis.simulations.evaluating.contenders import Models


def read_shipped(folder: Path) -> Models:
    """Return the ensemble of the one policy in the folder, with all models that it names.

    Raises:
        BenchError: a manifest cannot be read or is wrong, or a model is missing or of another kind or schema.

    """
    policies, manifests = [], {}
    for path in sorted(folder.glob("*.yaml")):
        manifest = _manifest(path)
        if manifest.get("kind") == "MLModel":
            manifests[str(manifest["metadata"]["name"])] = (path, manifest)
        else:
            policies.append((path, manifest))
    if len(policies) != 1:
        raise BenchError(f"{folder} has {len(policies)} policies beside its models; name a folder with one.")
    path, manifest = policies[0]
    try:
        weights = parse_policy(manifest).ensemble
    except PolicyInvalid as invalid:
        raise BenchError(f"{path}: {invalid}.") from invalid
    if weights is None:
        raise BenchError(f"{path} has no spec.ensemble; add one.")
    onnx = {}
    for part in weights.model_parts():
        if part.model not in manifests:
            raise BenchError(f"{path} names the model {part.model}, which is not in {folder}; add its manifest.")
        onnx[part.model] = _weights(*manifests[part.model], SCHEMAS[part.kind].hash)
    return Models(weights, onnx)


def _manifest(path: Path) -> Mapping[str, Any]:
    try:
        manifest = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise BenchError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BenchError(f"{path} is no YAML; mend it.") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("metadata"), dict):
        raise BenchError(f"{path} is no manifest of a policy or a model; leave it out.")
    return manifest


def _weights(path: Path, manifest: Mapping[str, Any], schema_hash: str) -> bytes:
    try:
        spec = parse_model(manifest)
        if spec.schema_hash != schema_hash:
            raise BenchError(
                f"{path} is of the schema {spec.schema_hash[:12]}, and rows follow {schema_hash[:12]} now; train it "
                "anew with `make models`."
            )
        return read_weights(spec, str(path))
    except ModelInvalid as invalid:
        raise BenchError(f"{path}: {invalid.errors[0]}.") from invalid
    except ModelRefused as refused:
        raise BenchError(f"{path}: {refused}.") from refused
