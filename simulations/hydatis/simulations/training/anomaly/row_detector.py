"""One detector, or several as one, fitted on rows of features."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.training.anomaly.calibrating import TAIL_SHARE
from hydatis.simulations.training.anomaly.detectors import DETECTORS, members_of

NEIGHBOUR_ROWS = 3000
"""So many training rows, drawn by seed, are kept for KNN: a row is compared with each of them."""
_LEAST_SCALE = 1e-9


@dataclass(frozen=True, slots=True)
class RowDetector:
    """Says how unusual a row is, without regard to other rows or to time."""

    name: str
    members: tuple[tuple[str, Any], ...]
    """Name and fitted PyOD detector."""
    scales: tuple[float, ...]
    """What each member's numbers are divided by when there are several; 1 for one alone."""

    @classmethod
    def fit(cls, name: str, rows: Float64Array, seed: int, neighbour_rows: int = NEIGHBOUR_ROWS) -> Self:
        """Learn from (rows, features).

        Raises:
            SimulationError: there is no such detector.

        """
        members, scales = [], []
        names = members_of(name)
        for number, member in enumerate(names):
            random = np.random.default_rng([seed, number])
            detector = DETECTORS[member](int(random.integers(2**31)))
            sample = rows
            if member == "knn" and len(rows) > neighbour_rows:
                sample = rows[np.sort(random.choice(len(rows), neighbour_rows, replace=False))]
            detector.fit(sample)
            members.append((member, detector))
            high = np.quantile(detector.decision_scores_, 1 - TAIL_SHARE) if len(names) > 1 else 1.0
            scales.append(max(float(high), _LEAST_SCALE))
        return cls(name, tuple(members), tuple(scales))

    def numbers(self, rows: Float64Array) -> Float64Array:
        """(rows,) Larger the less usual a row is; no unit."""
        parts = [
            np.asarray(detector.decision_function(rows), dtype=np.float64) / scale
            for (_, detector), scale in zip(self.members, self.scales, strict=True)
        ]
        return np.asarray(np.mean(parts, axis=0))
