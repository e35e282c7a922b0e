"""The anomaly model of one machine: features, a detector, smoothing over time and calibration to 0 to 100."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.training.anomaly.calibrating import Calibration, score_of
from hydatis.simulations.training.anomaly.detectors import DEFAULT
from hydatis.simulations.training.anomaly.features import RECENT_SAMPLES, Features, Values
from hydatis.simulations.training.anomaly.row_detector import NEIGHBOUR_ROWS, RowDetector
from hydatis.simulations.training.anomaly.smoothing import SPAN, smoothed


@dataclass(frozen=True, slots=True)
class WindowedDetector:
    """Fitted on a training part without labels; the same seed and samples give the same scores."""

    features: Features
    detector: RowDetector
    calibration: Calibration
    span: int
    last_rows: Values
    """The end of the training part, for the recent mean of what follows."""
    last_number: float

    @classmethod
    def fit(
        cls,
        train: Values,
        detector: str = DEFAULT,
        seed: int = 1,
        *,
        span: int = SPAN,
        neighbour_rows: int = NEIGHBOUR_ROWS,
        differences: bool = True,
    ) -> Self:
        """Learn from (samples, metrics); with `span` 1 nothing is smoothed, without `differences` levels alone are
        features.

        Raises:
            SimulationError: there is no such detector, no metric varies, or a value is not finite.

        """
        features = Features.fit(train, differences)
        rows = features.of(train)
        fitted = RowDetector.fit(detector, rows, seed, neighbour_rows)
        numbers = smoothed(fitted.numbers(rows), span=span)
        last_rows: Values = np.array(train[-RECENT_SAMPLES:], dtype=np.float64)
        return cls(features, fitted, Calibration.fit(numbers), span, last_rows, float(numbers[-1]))

    def surprises(self, values: Values) -> Float64Array:
        """(samples,) Of the (samples, metrics) that follow the training part: see `calibrating`."""
        numbers = self.detector.numbers(self.features.of(values, self.last_rows))
        return self.calibration.surprise(smoothed(numbers, self.last_number, self.span))

    def scores(self, values: Values) -> Float64Array:
        """(samples,) The same as 0 to 100."""
        return score_of(self.surprises(values))
