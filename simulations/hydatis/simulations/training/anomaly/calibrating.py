"""From a detector's own number to how rare it is, and from that to 0 to 100.

Numbers are counted from the least of the training part, so that they may be negative. The surprise at a number is
-ln of the share of the training part's numbers that are as large or larger. Beyond the 99 % quantile u few are left to
count, and anomalies lie where none is: there the tail is taken to be a Pareto tail, P(x) = 0.01 (x / u)^-a, with Hill's
estimate of a (*A Simple General Approach to Inference About the Tail of a Distribution*, 1975): 1 / a is the mean of
ln(x / u) over the training numbers above u. So the surprise goes on rising with the number, with its logarithm, and
never saturates.

A surprise s becomes 100 s / (s + ln 1000): 50 is what one training sample in a thousand reached, 9 the median, 40 one
in a hundred, 67 one in a million.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from hydatis.scheduler.arrays import Float64Array

TAIL_SHARE = 0.01
THRESHOLD = 50.0
"""An alarm on the scale of 0 to 100: rarer in training than one sample in a thousand."""
HALF_SURPRISE = float(np.log(1000.0))
"""The surprise that becomes 50."""
_KNOTS = 50
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Calibration:
    """What training numbers looked like, in a table of bounded size."""

    floor: float
    """The least number of the training part; what follows is counted from it."""
    numbers: Float64Array
    """(knots,) Rising quantiles of the numbers, up to `tail_start`."""
    surprises: Float64Array
    """(knots,) Rising, of each; the last is that of `TAIL_SHARE`."""
    tail_start: float
    tail_scale: float
    """1 / a of the tail."""

    @classmethod
    def fit(cls, numbers: Float64Array) -> Self:
        """Learn from the training part's numbers, at least one."""
        floor = float(numbers.min())
        numbers = numbers - floor
        shares = np.linspace(0.0, 1.0 - TAIL_SHARE, _KNOTS)
        quantiles = np.maximum(np.quantile(numbers, shares), _LEAST)
        start = float(quantiles[-1])
        beyond = numbers[numbers > start]
        scale = float(np.log(beyond / start).mean()) if len(beyond) else 0.0
        # Of equal quantiles the last stays: np.interp wants rising numbers.
        last = np.append(np.diff(quantiles) > 0, True)
        # A detector that gives all training rows nearly one number still has to tell what lies beyond apart.
        return cls(floor, quantiles[last], -np.log1p(-shares[last]), start, max(scale, 1e-3))

    def surprise(self, numbers: Float64Array) -> Float64Array:
        """(rows,) At least 0; rises with the number."""
        numbers = np.maximum(numbers - self.floor, 0.0)
        within = np.interp(numbers, self.numbers, self.surprises)
        beyond = np.log(np.maximum(numbers, self.tail_start) / self.tail_start) / self.tail_scale
        return np.asarray(within + beyond)


def score_of(surprise: Float64Array) -> Float64Array:
    """(rows,) 0 to 100, exclusive."""
    return np.asarray(100.0 * surprise / (surprise + HALF_SURPRISE))
