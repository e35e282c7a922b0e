"""The anomaly model while samples arrive: fitted anew every so often on a window of bounded length."""

from dataclasses import dataclass, field

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.anomaly.detectors import DEFAULT, members_of
from hydatis.simulations.training.anomaly.features import RECENT_SAMPLES, Values
from hydatis.simulations.training.anomaly.windowed import WindowedDetector


@dataclass(slots=True)
class SlidingDetector:
    """Keeps the last `window` samples and no others. What it says of a sample depends on no later one."""

    detector: str = DEFAULT
    seed: int = 1
    window: int = 2880
    """Samples: 10 days of 5 minutes."""
    refit_every: int = 288
    """Samples: a day of 5 minutes. The first fit is after as many."""
    _kept: Values | None = field(default=None, init=False)
    _fitted: WindowedDetector | None = field(default=None, init=False)
    _since_fit: int = field(default=0, init=False)
    refits: int = field(default=0, init=False)
    """How often it has been fitted."""

    def __post_init__(self) -> None:
        """Raises `SimulationError` for an unknown detector and a window in which nothing can be learnt."""
        members_of(self.detector)
        if not RECENT_SAMPLES <= self.refit_every <= self.window:
            raise SimulationError(
                f"refit_every is {self.refit_every} samples; it has to be from {RECENT_SAMPLES} to the window's "
                f"length, {self.window}."
            )

    @property
    def kept_samples(self) -> int:
        """How many samples are kept, at most `window`."""
        return 0 if self._kept is None else len(self._kept)

    def observe(self, values: Values) -> Float64Array:
        """(samples, metrics) that follow the last, to (samples,) scores of 0 to 100; NaN before the first fit.

        Raises:
            SimulationError: a value is not finite, or in a window no metric varies.

        """
        scores, start = [np.empty(0)], 0
        while start < len(values):
            block = values[start : start + self.refit_every - self._since_fit]
            scores.append(np.full(len(block), np.nan) if self._fitted is None else self._scores(self._fitted, block))
            kept = block if self._kept is None else np.concatenate([self._kept, block])
            self._kept = np.array(kept[-self.window :])
            self._since_fit += len(block)
            start += len(block)
            if self._since_fit == self.refit_every:
                self._fitted = WindowedDetector.fit(self._kept, self.detector, self.seed)
                self._since_fit = 0
                self.refits += 1
        return np.concatenate(scores)

    def _scores(self, fitted: WindowedDetector, block: Values) -> Float64Array:
        """Score what follows the last fit, from there on: smoothing and recent means go on over calls."""
        assert self._kept is not None  # noqa: S101 - there is a fit
        since = self._kept[len(self._kept) - self._since_fit :]
        return fitted.scores(np.concatenate([since, block]))[len(since) :]
