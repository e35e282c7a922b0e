"""The distance from the training rows' mean, in units of their deviation along each principal component.

It is the Mahalanobis distance, with each variance raised a little so that components in which the training rows hardly
differ do not decide alone; with all components taken, the sum of squares is what Shyu et al., *A Novel Anomaly
Detection Scheme Based on Principal Component Classifier* (2003), look at. PyOD's own PCA measures the distance to the
components' unit vectors instead.
"""

from typing import Any, Self

import numpy as np
from pyod.models.base import BaseDetector

from hydatis.scheduler.arrays import Float64Array

SHRINKAGE = 0.1
"""Added to each variance; the features have variance 1. Chosen on the tuning machines."""


class PrincipalDistance(BaseDetector):
    """A PyOD detector like any other."""

    def __init__(self, contamination: float = 0.1, shrinkage: float = SHRINKAGE) -> None:
        super().__init__(contamination=contamination)
        self.shrinkage = shrinkage

    def fit(self, X: Float64Array, y: Any = None) -> Self:  # noqa: N803 - PyOD's name
        """Learn from (rows, features)."""
        self._set_n_classes(y)
        self.mean_: Float64Array = X.mean(axis=0)
        variances, components = np.linalg.eigh(np.atleast_2d(np.cov(X, rowvar=False)))
        self.projection_: Float64Array = components / np.sqrt(np.maximum(variances, 0.0) + self.shrinkage)
        """(features, components) Each component over its deviation."""
        self.decision_scores_ = self.decision_function(X)
        self._process_decision_scores()
        return self

    def decision_function(self, X: Float64Array) -> Float64Array:  # noqa: N803 - PyOD's name
        """(rows,) The distance of each row, not squared."""
        projected = (X - self.mean_) @ self.projection_
        return np.asarray(np.sqrt((projected**2).sum(axis=1)))
