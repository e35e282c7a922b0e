"""Names, units and bounds of the features that a model reads, and the hash that tells one set from another."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import orjson

from hydatis.scheduler.arrays import Float32Array, Float64Array


@dataclass(frozen=True, slots=True)
class Feature:
    """One column."""

    name: str
    unit: str
    low: float
    """Values below are taken for this."""
    high: float
    """Values above are taken for this."""
    missing: float
    """What stands in where nothing is known."""
    meaning: str


@dataclass(frozen=True)
class FeatureSchema:
    """The columns of one kind of model, in order. A model carries the hash, and is refused where it is another."""

    name: str
    version: int
    features: tuple[Feature, ...]

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that decides a value, as 64 hexadecimal digits; meanings are for people."""
        decisive = [[one.name, one.unit, one.low, one.high, one.missing] for one in self.features]
        return hashlib.sha256(orjson.dumps([self.name, self.version, decisive])).hexdigest()

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.features)

    def index(self, name: str) -> int:
        """Return the column of a feature. Raises KeyError when there is none of the name."""
        for number, one in enumerate(self.features):
            if one.name == name:
                return number
        raise KeyError(f"{self.name} has no feature {name}")

    def table(self, columns: Sequence[Float64Array | float], rows: int) -> Float32Array:
        """Return (rows, features) of columns in the schema's order, each (rows,) or one number for all, within bounds;
        NaN becomes what stands in.
        """
        found = np.empty((rows, self.width), dtype=np.float32)
        for number, (feature, values) in enumerate(zip(self.features, columns, strict=True)):
            column = np.asarray(values, dtype=np.float64)
            found[:, number] = np.clip(np.where(np.isnan(column), feature.missing, column), feature.low, feature.high)
        return found

    def markdown(self) -> str:
        """Return the table of the documentation."""
        lines = ["| Feature | Unit | Bounds | If unknown | What it is |", "| --- | --- | --- | ---: | --- |"]
        lines += [
            f"| `{one.name}` | {one.unit} | {one.low:g} to {one.high:g} | {one.missing:g} | {one.meaning} |"
            for one in self.features
        ]
        return "\n".join(lines) + "\n"
