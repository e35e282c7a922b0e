"""A loaded model, as the core sees it: whatever computes it."""

from typing import Protocol

from hydatis.scheduler.arrays import Float32Array, Float64Array
from hydatis.scheduler.models.kind import ModelKind


class Model(Protocol):
    """One model that is ready to predict. It never changes: other weights are another object."""

    @property
    def kind(self) -> ModelKind:
        """What it predicts."""

    @property
    def name(self) -> str:
        """The name of its MLModel; policies name it by this."""

    @property
    def version(self) -> str:
        """`spec.version` of the MLModel: free text for people."""

    @property
    def digest(self) -> str:
        """SHA-256 of its ONNX bytes, 64 lower-case hexadecimal digits."""

    @property
    def schema_hash(self) -> str:
        """Which feature schema its columns follow."""

    def predict(self, features: Float32Array) -> Float64Array:
        """Return one number for each row: (rows, features) to (rows,)."""
