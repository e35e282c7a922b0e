"""MLModel: what a model is, and where its weights are.

Owns the meaning of the custom resource. The operator reads manifests here. Invariants: a `ModelSpec` is complete and
valid; `parse_model` returns one or raises ModelInvalid with every error, whatever it is given. The API server refuses
more: schema and rules are in crds/mlmodels.hydatis.io.yaml.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydatis.scheduler.field_errors import FieldReader, FieldsInvalid, described, quoted
from hydatis.scheduler.label_selectors import is_dns_subdomain
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.weights import digest_of, pack
from hydatis.scheduler.policy import API_VERSION

KIND = "MLModel"
PLURAL = "mlmodels"
FORMAT = "ONNX"
DEFAULT_KEY = "weights"
"""The key of a ConfigMap that holds weights, unless another is named."""

INLINE_MAX = 2**20
"""Most characters of weights in the object itself; the API server takes no object above 1.5 MiB."""
CONFIG_MAPS_MAX = 64
"""Most ConfigMaps of one model: 1 MiB each is more than `MOST_BYTES`."""
VERSION_MAX = 63
URL_MAX = 2048

VERSION = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.+]*[A-Za-z0-9])?")
SHA256 = re.compile(r"[0-9a-f]{64}")
SCHEMA_HASH = re.compile(r"[0-9a-f]{8,64}")
CONFIG_MAP_KEY = re.compile(r"[-._A-Za-z0-9]{1,253}")
URL = re.compile(r"https?://\S+")


class ModelInvalid(FieldsInvalid):
    """A manifest is no valid MLModel; `errors` holds every FieldError."""


@dataclass(frozen=True, slots=True)
class ConfigMapKey:
    """One chunk of weights: a key of a ConfigMap in the operator's namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One MLModel that is valid. Just one of `inline`, `config_maps` and `url` is given."""

    name: str
    kind: ModelKind
    version: str
    schema_hash: str
    sha256: str
    """Of the unpacked ONNX file."""
    inline: str = ""
    """base64 of gzip."""
    config_maps: tuple[ConfigMapKey, ...] = ()
    """The gzip file in pieces, in their order."""
    url: str = ""
    """Where the ONNX file is, packed or not."""


def inline_manifest(
    data: bytes,
    *,
    name: str,
    kind: ModelKind,
    version: str,
    schema_hash: str,
    metrics: Mapping[str, float] | None = None,
    provenance: Mapping[str, str | int] | None = None,
) -> dict[str, Any]:
    """Return the MLModel that holds this ONNX file.

    `provenance` may have trainedAt (RFC 3339), data, seed, codeVersion and note. Raises ValueError for a file that is
    too large for one object; it goes into ConfigMaps or behind a URL.
    """
    packed = pack(data)
    if len(packed) > INLINE_MAX:
        raise ValueError(f"{len(packed)} characters of weights are more than the {INLINE_MAX} that one object holds")
    return model_manifest(
        name=name,
        kind=kind,
        version=version,
        schema_hash=schema_hash,
        sha256=digest_of(data),
        weights={"inline": packed},
        metrics=metrics,
        provenance=provenance,
    )


def model_manifest(
    *,
    name: str,
    kind: ModelKind,
    version: str,
    schema_hash: str,
    sha256: str,
    weights: Mapping[str, Any],
    metrics: Mapping[str, float] | None = None,
    provenance: Mapping[str, str | int] | None = None,
) -> dict[str, Any]:
    """Return the MLModel whose weights are there: `weights` is as in the spec, `sha256` of the unpacked file, the rest
    as in `inline_manifest`.
    """
    spec: dict[str, Any] = {
        "kind": kind.value,
        "version": version,
        "format": FORMAT,
        "schemaHash": schema_hash,
        "sha256": sha256,
        "weights": dict(weights),
    }
    if metrics:
        spec["metrics"] = dict(metrics)
    if provenance:
        spec["provenance"] = dict(provenance)
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec}


def parse_model(manifest: Mapping[str, Any]) -> ModelSpec:
    """Read a decoded MLModel. Raises ModelInvalid, with every error and its path, and nothing else."""
    reader = FieldReader()
    fields = reader.fields(manifest, "", ("apiVersion", "kind", "metadata", "spec", "status"))
    name = reader.entries(fields.get("metadata"), "metadata").get("name")
    if not isinstance(name, str) or not is_dns_subdomain(name):
        reader.refuse("metadata.name", f"is {described(name)}, which is no valid name", "name the model")
    known = ("kind", "version", "format", "schemaHash", "sha256", "weights", "metrics", "provenance")
    spec = reader.fields(fields.get("spec"), "spec", known)
    kind = spec.get("kind")
    if not isinstance(kind, str) or kind not in ModelKind.__members__.values():
        reader.refuse("spec.kind", f"is {described(kind)}, which is no kind", f"use one of {', '.join(ModelKind)}")
        kind = ModelKind.LOAD
    if spec.get("format", FORMAT) != FORMAT:
        reader.refuse("spec.format", f"is {described(spec['format'])}, which is no format", f"write format: {FORMAT}")
    version = _matching(reader, spec, "version", VERSION, "use at most 63 letters, digits, '-', '_', '.' and '+'")
    schema_hash = _matching(reader, spec, "schemaHash", SCHEMA_HASH, "give the hash of the feature schema")
    sha256 = _matching(reader, spec, "sha256", SHA256, "give the 64 digits that sha256sum prints for the ONNX file")
    if len(version) > VERSION_MAX:
        reader.refuse("spec.version", "is too long", f"use at most {VERSION_MAX} characters")
    weights = reader.fields(spec.get("weights"), "spec.weights", ("inline", "configMaps", "url"))
    if len(weights) != 1:
        problem = f"has {' and '.join(weights)}" if weights else "is missing"
        reader.refuse("spec.weights", problem, "give just one of inline, configMaps and url")
    inline = reader.text(weights.get("inline", ""), "spec.weights.inline") or ""
    if len(inline) > INLINE_MAX:
        reader.refuse("spec.weights.inline", "is too long", "put the weights into ConfigMaps, or behind a URL")
    url = reader.text(weights.get("url", ""), "spec.weights.url") or ""
    if "url" in weights and not (URL.fullmatch(url) and len(url) <= URL_MAX):
        reader.refuse("spec.weights.url", f"is {quoted(url)}, which is no URL", "begin it with https:// or http://")
    config_maps = _read_config_maps(reader, weights.get("configMaps"), "spec.weights.configMaps")
    if reader.errors:
        raise ModelInvalid(reader.errors)
    assert isinstance(name, str)  # noqa: S101 - for the type checker: it was refused otherwise
    return ModelSpec(name, ModelKind(kind), version, schema_hash, sha256, inline, config_maps, url)


def _matching(
    reader: FieldReader, spec: Mapping[str, object], field: str, pattern: re.Pattern[str], remedy: str
) -> str:
    path = f"spec.{field}"
    if field not in spec:
        reader.refuse(path, "is missing", remedy)
        return ""
    text = reader.text(spec[field], path)
    if text is not None and not pattern.fullmatch(text):
        reader.refuse(path, f"is {quoted(text)}", remedy)
    return text or ""


def _read_config_maps(reader: FieldReader, value: object, path: str) -> tuple[ConfigMapKey, ...]:
    chunks = []
    for index, item in enumerate(reader.items(value, path, max_items=CONFIG_MAPS_MAX)):
        fields = reader.fields(item, f"{path}[{index}]", ("name", "key"))
        name, key = fields.get("name"), fields.get("key", DEFAULT_KEY)
        if not isinstance(name, str) or not is_dns_subdomain(name):
            reader.refuse(f"{path}[{index}].name", f"is {described(name)}", "name a ConfigMap")
        elif not isinstance(key, str) or not CONFIG_MAP_KEY.fullmatch(key):
            reader.refuse(f"{path}[{index}].key", f"is {described(key)}", "name a key of the ConfigMap")
        else:
            chunks.append(ConfigMapKey(name, key))
    if isinstance(value, list | tuple) and not value:
        reader.refuse(path, "is empty", "list at least one ConfigMap")
    return tuple(chunks)
