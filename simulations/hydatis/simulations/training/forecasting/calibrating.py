"""Holds an upper bound to its promise on machines that it was not fitted on: conformalised quantile regression.

Source: Romano, Patterson, Candès, *Conformalized Quantile Regression*, NeurIPS 2019: the bound is moved by the quantile
of how far outcomes of a calibration set were above it. That quantile is taken apart in classes of how wide the forecast
is (Mondrian conformal prediction: Vovk, Gammerman, Shafer, *Algorithmic Learning in a Random World*, 2005, section
4.5), since busy and idle machines need different moves.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from hydatis.scheduler.arrays import Float64Array

_CLASSES = 8
_LEAST_IN_CLASS = 100


@dataclass(frozen=True, slots=True)
class Moves:
    """By how much the bound is moved, by the width of the forecast: bound less point."""

    edges: Float64Array
    """(classes - 1,) Rising; a width above so many edges is of that class."""
    moves: Float64Array
    """(classes,) Percentage points."""

    @classmethod
    def fit(cls, point: Float64Array, upper: Float64Array, outcome: Float64Array, level: float) -> Self:
        """Learn from forecasts of machines that were not trained on and what came; all (forecasts,), at least one."""
        width = upper - point
        classes = max(1, min(_CLASSES, len(width) // _LEAST_IN_CLASS))
        edges = np.unique(np.quantile(width, np.arange(1, classes) / classes))
        of_class = np.searchsorted(edges, width, side="left")
        everywhere = _move(outcome - upper, level)
        moves = [
            _move((outcome - upper)[of_class == number], level) if (of_class == number).any() else everywhere
            for number in range(len(edges) + 1)
        ]
        return cls(edges, np.array(moves))

    def of(self, point: Float64Array, upper: Float64Array) -> Float64Array:
        """(forecasts,) Return the moved bound, never below the point."""
        moved = upper + self.moves[np.searchsorted(self.edges, upper - point, side="left")]
        return np.asarray(np.maximum(moved, point))


def _move(above: Float64Array, level: float) -> float:
    """Return the ceil((n + 1) level)-th smallest of n, or the largest where there are too few."""
    place = int(np.ceil((len(above) + 1) * level)) - 1
    return float(np.sort(above)[min(place, len(above) - 1)])
