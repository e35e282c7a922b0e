"""A model for tests of what is done with models; it needs no weights.

Called by tests alone.
"""

from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Float32Array, Float64Array
from hydatis.scheduler.models.kind import ModelKind


@dataclass(frozen=True, slots=True)
class ConstantModel:
    """Predicts the same for every row."""

    name: str
    kind: ModelKind
    value: float = 0.0
    version: str = "1"
    digest: str = "0" * 64
    schema_hash: str = "1" * 64

    def predict(self, features: Float32Array) -> Float64Array:
        """Return the value for each row: (rows, features) to (rows,)."""
        return np.full(len(features), self.value)
