"""The objects that hold a version in a cluster: an MLModel, and ConfigMaps where one object is too small."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hydatis.registry.versions import RegisteredVersion
from hydatis.scheduler.models.model_spec import DEFAULT_KEY, INLINE_MAX, model_manifest
from hydatis.scheduler.models.weights import pack

CHUNK_BYTES = 700 * 2**10
"""Of one ConfigMap: below the 1 MiB that it may hold."""


@dataclass(frozen=True, slots=True)
class Manifests:
    """What is to be created: the pieces, if there are any, and the model that names them."""

    model: Mapping[str, Any]
    config_maps: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """Of the MLModel."""
        return str(self.model["metadata"]["name"])

    def documents(self) -> list[Mapping[str, Any]]:
        """Return all of them, as a file for kubectl has them."""
        return [*self.config_maps, self.model]


def holding(version: RegisteredVersion, data: bytes, namespace: Callable[[], str]) -> Manifests:
    """Return the objects that hold the weights themselves; `namespace` tells that of HYDATIS, for ConfigMaps."""
    packed = pack(data)
    if len(packed) <= INLINE_MAX:
        return Manifests(_model(version, {"inline": packed}))
    file = base64.b64decode(packed)
    pieces = [file[start : start + CHUNK_BYTES] for start in range(0, len(file), CHUNK_BYTES)]
    place = namespace()
    config_maps = tuple(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"{version.mlmodel}-{number}", "namespace": place},
            "binaryData": {DEFAULT_KEY: base64.b64encode(piece).decode("ascii")},
        }
        for number, piece in enumerate(pieces)
    )
    keys = [{"name": each["metadata"]["name"], "key": DEFAULT_KEY} for each in config_maps]  # type: ignore[index]
    return Manifests(_model(version, {"configMaps": keys}), config_maps)


def referring(version: RegisteredVersion, url: str) -> Manifests:
    """Return the MLModel whose weights HYDATIS fetches from there."""
    return Manifests(_model(version, {"url": url}))


def _model(version: RegisteredVersion, weights: Mapping[str, Any]) -> dict[str, Any]:
    return model_manifest(
        name=version.mlmodel,
        kind=version.kind,
        version=version.version,
        schema_hash=version.schema_hash,
        sha256=version.sha256,
        weights=weights,
        metrics=version.metrics,
        provenance={**version.provenance, "note": f"{version} of the registry"},
    )
