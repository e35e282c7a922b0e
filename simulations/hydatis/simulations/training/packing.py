"""Writes trained models as the manifests that ship: an MLModel each, and the policy that puts them to use.

Called by `hydatis train pack` and `hydatis train all`. What ships lies in `models/`, and the chart installs it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.field_errors import FieldsInvalid
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import inline_manifest, parse_model
from hydatis.scheduler.models.onnx_model import OnnxModel
from hydatis.scheduler.models.refusal import ModelRefused
from hydatis.scheduler.policy import API_VERSION, parse_policy
from hydatis.scheduler.policy import KIND as POLICY_KIND
from hydatis.simulations.errors import SimulationError

POLICY_NAME = "default"
POLICY_FILE = "policy.yaml"
WEIGHTS: Mapping[str, int] = {"expectedOverload": 1, "load": 0, "placement": 0, "anomaly": 0}
"""Of the parts of the ensemble, relative to each other. The only place where they are chosen: by whole days that were
played with them, which `hydatis evaluate` tells.
"""
FACTS_SUFFIX = ".facts.json"
"""Ends the name of the file beside an ONNX file that tells what is known of its training."""
_PRIORITY = -(2**31)
"""The lowest there is: every other policy comes first for the pods that it selects."""
_HEADER = "# Written by `make models`; not to be edited by hand. See docs/mlmodels.md.\n"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a training, as an MLModel holds it."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, str | int] = field(default_factory=dict)
    """trainedAt, data, seed, codeVersion and note, all of them optional."""

    @classmethod
    def beside(cls, onnx: Path) -> "Facts":
        """Read `NAME.facts.json` beside `NAME.onnx`; empty where there is none.

        Raises:
            SimulationError: it is no JSON object of metrics and provenance.
            OSError: it cannot be read.

        """
        path = facts_path(onnx)
        if not path.exists():
            return cls()
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise SimulationError(f"{path} is no JSON: {error}; correct it or remove it.") from None
        if not isinstance(document, dict) or not set(document) <= {"metrics", "provenance"}:
            raise SimulationError(f"{path} has to be an object of metrics and provenance, and nothing else.")
        if not all(isinstance(part, dict) for part in document.values()):
            raise SimulationError(f"{path}: metrics and provenance have to be objects of names to values.")
        return cls(**document)

    def write_beside(self, onnx: Path) -> None:
        """Write them where `beside` finds them. Raises OSError."""
        document = {"metrics": dict(self.metrics), "provenance": dict(self.provenance)}
        facts_path(onnx).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def facts_path(onnx: Path) -> Path:
    """Return where the facts of this ONNX file are."""
    return onnx.with_suffix(FACTS_SUFFIX)


def pack_models(files: Mapping[ModelKind, Path], folder: Path, *, version: str) -> list[Path]:
    """Write a manifest for each ONNX file into the folder, and the policy, which names one of every kind.

    Each is what a cluster would take: it is loaded and tried here as the operator does it. Nothing is written before
    all of them have passed.

    Raises:
        SimulationError: a kind is missing, a file would be refused, or the version is none.
        OSError: a file cannot be read or written.

    """
    missing = [kind.lower() for kind in ModelKind if kind not in files]
    if missing:
        raise SimulationError(f"the policy needs a model of every kind; give {' and '.join(missing)} as well.")
    models = {kind: _manifest(kind, files[kind], version) for kind in ModelKind}
    policy = default_policy({kind: str(model["metadata"]["name"]) for kind, model in models.items()})
    parse_policy(policy)
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(model, folder / f"{kind.lower()}.yaml") for kind, model in models.items()]
    return [*written, _write(policy, folder / POLICY_FILE)]


def default_policy(names: Mapping[ModelKind, str]) -> dict[str, Any]:
    """Return the policy of all pods that no other selects; `names` are those of the MLModels."""
    ensemble: dict[str, dict[str, str | int]] = {"expectedOverload": {"weight": WEIGHTS["expectedOverload"]}}
    for kind, name in names.items():
        ensemble[kind.lower()] = {"model": name, "weight": WEIGHTS[kind.lower()]}
    return {
        "apiVersion": API_VERSION,
        "kind": POLICY_KIND,
        "metadata": {"name": POLICY_NAME},
        "spec": {"priority": _PRIORITY, "mode": "Auto", "ensemble": ensemble},
    }


def _manifest(kind: ModelKind, path: Path, version: str) -> dict[str, Any]:
    data, facts, schema = path.read_bytes(), Facts.beside(path), SCHEMAS[kind]
    name = f"{kind.lower()}-{version}"
    try:
        OnnxModel.load(data, kind=kind, name=name, version=version, schema_hash=schema.hash, width=schema.width)
        manifest = inline_manifest(
            data,
            name=name,
            kind=kind,
            version=version,
            schema_hash=schema.hash,
            metrics=facts.metrics,
            provenance=facts.provenance,
        )
        parse_model(manifest)
    except (ModelRefused, FieldsInvalid, ValueError) as error:
        raise SimulationError(f"{path} cannot be shipped: {error}") from error
    return manifest


def _write(manifest: Mapping[str, Any], path: Path) -> Path:
    # Weights stay in one line, which differs as a whole or not at all.
    text = yaml.safe_dump(manifest, sort_keys=False, width=2**31 - 1, allow_unicode=True)
    path.write_text(_HEADER + text, encoding="utf-8")
    return path
