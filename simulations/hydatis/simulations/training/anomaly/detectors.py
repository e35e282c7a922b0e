"""The detectors by name, all of PyOD: what each says of a row is a number that is larger the less usual the row."""

from collections.abc import Callable, Mapping
from typing import Any

from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.pca import PCA

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.anomaly.principal_distance import PrincipalDistance

NEIGHBOURS = 5

DETECTORS: Mapping[str, Callable[[int], Any]] = {
    "iforest": lambda seed: IForest(n_estimators=100, random_state=seed),
    "principal": lambda seed: PrincipalDistance(),
    "pca": lambda seed: PCA(random_state=seed),
    "knn": lambda seed: KNN(n_neighbors=NEIGHBOURS),
    "hbos": lambda seed: HBOS(),
    "ecod": lambda seed: ECOD(),
    "copod": lambda seed: COPOD(),
}
"""Name to what makes an unfitted detector from a seed. ECOD and COPOD look at all rows that are scored with a row, so
they are not causal, and here for comparison only.
"""
COMBINATIONS: Mapping[str, tuple[str, ...]] = {"combined": ("principal", "knn")}
"""Name to members: the mean of what each says, in units of the 99 % quantile of what it says of the training rows."""
DEFAULT = "iforest"
NAMES = (*DETECTORS, *COMBINATIONS)


def members_of(name: str) -> tuple[str, ...]:
    """Return the detectors behind a name.

    Raises:
        SimulationError: there is no such detector.

    """
    if name not in NAMES:
        raise SimulationError(f"there is no detector {name}; use one of {', '.join(NAMES)}.")
    return COMBINATIONS.get(name, (name,))
