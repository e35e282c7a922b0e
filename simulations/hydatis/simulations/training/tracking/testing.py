"""A trained model for tests of what is done with one; nothing is trained.

Called by tests alone.
"""

from datetime import UTC, datetime
from typing import Any

from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.models.kind import ModelKind
from hydatis.simulations.training.tracking.trained_model import TrainedModel


def made_model(kind: ModelKind = ModelKind.LOAD, **changes: Any) -> TrainedModel:
    """Return one with `changes` to its fields."""
    fields: dict[str, Any] = {
        "kind": kind,
        "onnx": b"weights",
        "schema_hash": SCHEMAS[kind].hash,
        "seed": 1,
        "data": "made-up days",
        "parameters": {"depth": 6, "rate": 0.1},
        "metrics": {"error": 0.25, "error_mean": 0.5},
        "card": "# Card\n",
        "started": datetime(2026, 1, 17, 12, tzinfo=UTC),
    }
    return TrainedModel(**(fields | changes))
