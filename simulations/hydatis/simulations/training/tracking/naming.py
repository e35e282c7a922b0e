"""Under which names models, their files and what is known of them stand in MLflow. Written here, read by the registry.

Needs neither MLflow nor a store.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from hydatis.scheduler.models.kind import ModelKind

REGISTERED_NAMES: Mapping[ModelKind, str] = MappingProxyType(
    {ModelKind.LOAD: "hydatis-load", ModelKind.PLACEMENT: "hydatis-placement", ModelKind.ANOMALY: "hydatis-anomaly"}
)
"""By kind, the registered model of MLflow, which is also the name of the experiment that holds its trainings."""
MODEL_FOLDER = "model"
"""Of a run's artifacts, what a version's source is."""
WEIGHTS_FILE = "model.onnx"
"""In that folder, byte for byte what was exported."""
CARD_FILE = "card.md"
FIGURES_FOLDER = "figures"
METRIC_PREFIX = "hydatis.metrics."
"""Begins the tags of a version that hold its metrics, one each."""
METRIC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
"""What MLflow and an MLModel both take for a metric's name."""


class Tag(StrEnum):
    """Tags of a version."""

    KIND = "hydatis.kind"
    SCHEMA_HASH = "hydatis.schema_hash"
    SHA256 = "hydatis.sha256"
    SEED = "hydatis.seed"
    DATA = "hydatis.data"
    CODE_VERSION = "hydatis.code_version"
    TRAINED_AT = "hydatis.trained_at"


class Alias(StrEnum):
    """Aliases of versions that are put and moved by commands."""

    CHAMPION = "champion"
    """The version that was promoted last."""
    PREVIOUS = "previous"
    """The one before it: where a rollback leads."""


def mlmodel_name(registered: str, version: str) -> str:
    """Return the name of the MLModel that holds this version."""
    return f"{registered}-{version}"
