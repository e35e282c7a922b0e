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
        found = np.empty((rows, self.width))
        for number, (_, values) in enumerate(zip(self.features, columns, strict=True)):
            found[:, number] = values
        # All columns at once: for the one row of the next like pod, calls by column cost more than all the rest.
        np.copyto(found, self._missing, where=np.isnan(found))
        return np.clip(found, self._low, self._high, out=found).astype(np.float32)

    @cached_property
    def _missing(self) -> Float64Array:
        return np.array([one.missing for one in self.features])

    @cached_property
    def _low(self) -> Float64Array:
        return np.array([one.low for one in self.features])

    @cached_property
    def _high(self) -> Float64Array:
        return np.array([one.high for one in self.features])

    def markdown(self) -> str:
        """Return the table of the documentation."""
        lines = ["| Feature | Unit | Bounds | If unknown | What it is |", "| --- | --- | --- | ---: | --- |"]
        lines += [
            f"| `{one.name}` | {one.unit} | {one.low:g} to {one.high:g} | {one.missing:g} | {one.meaning} |"
            for one in self.features
        ]
        return "\n".join(lines) + "\n"
