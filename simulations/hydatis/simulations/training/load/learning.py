"""Fits LightGBM to what pods were seen to add.

Most rows add nothing and a few very much: the Tweedie distribution (B. Jorgensen, «Exponential Dispersion Models»,
1987), of a power between Poisson's and the Gamma's, has such data, and LightGBM fits it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import Float32Array
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.simulations.training.load.hindsight import Answered

LABEL_SCALE = 1000.0
"""Labels are multiplied by it, so that they are about 1 where there are any."""
IGNORED = ("hour_sine", "hour_cosine")
"""Runs begin at midnight: the hour would tell how long they have been going."""


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How trees grow; chosen on days of the training part."""

    rounds: int = 200
    leaves: int = 31
    learning_rate: float = 0.06
    least_rows: int = 400
    tweedie_power: float = 1.3
    threads: int = 2
    """The result does not depend on it."""


def learn(answers: Sequence[Answered], seed: int, settings: TreeSettings | None = None) -> Any:
    """Return a `lightgbm.Booster` that predicts `LABEL_SCALE` times what is added, from at least one run's answers."""
    import lightgbm  # noqa: PLC0415 - the commands say what to install where it is missing

    settings = settings or TreeSettings()
    features = without_ignored(np.concatenate([answer.features for answer in answers]))
    labels = LABEL_SCALE * np.concatenate([answer.added for answer in answers])
    weights = np.concatenate([answer.weight for answer in answers])
    parameters = {
        "objective": "tweedie",
        "tweedie_variance_power": settings.tweedie_power,
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": min(settings.least_rows, max(1, len(labels) // 20)),
        "feature_fraction": 0.7,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "max_bin": 127,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": settings.threads,
        "verbose": -1,
    }
    names = [feature.name for feature in PLACEMENT_SCHEMA.features]
    data = lightgbm.Dataset(features, labels, weight=weights / weights.mean(), feature_name=names)
    return lightgbm.train(parameters, data, num_boost_round=settings.rounds)


def without_ignored(features: Float32Array) -> Float32Array:
    """Return the rows with one value in each column that is not to be learnt from."""
    kept = features.copy()
    for name in IGNORED:
        kept[:, PLACEMENT_SCHEMA.index(name)] = 0.0
    return kept
