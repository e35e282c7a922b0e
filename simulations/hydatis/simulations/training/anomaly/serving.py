"""The anomaly model that scores nodes: one for all of them, without memory, as ONNX."""

import numpy as np

from hydatis.scheduler.features.schema import Feature, FeatureSchema
from hydatis.simulations.training.anomaly.exporting import onnx_of
from hydatis.simulations.training.anomaly.features import MOST_DEVIATIONS
from hydatis.simulations.training.anomaly.made_up import METRICS, made_up_machines
from hydatis.simulations.training.anomaly.windowed import WindowedDetector

SERVED_NEIGHBOUR_ROWS = 128
"""Few enough that 5,000 nodes are scored within some milliseconds."""

SERVED_SCHEMA = FeatureSchema(
    "made_up_machine",
    1,
    tuple(
        Feature(f"{metric}{suffix}", "deviations", -MOST_DEVIATIONS, MOST_DEVIATIONS, 0.0, meaning)
        for suffix, meaning in (("", "from the mean of the training part"), ("_difference", "from the recent mean"))
        for metric in METRICS
    ),
)
"""What a row of it holds. The operator computes other features, and refuses a model of these."""


def served_detector(name: str, seed: int) -> WindowedDetector:
    """Fit on the training parts of made-up machines, one after the other; nothing is smoothed.

    Raises:
        SimulationError: there is no such detector.

    """
    train = np.concatenate([machine.train for machine in made_up_machines(seed)])
    return WindowedDetector.fit(train, name, seed, span=1, neighbour_rows=SERVED_NEIGHBOUR_ROWS)


def served_onnx(name: str, seed: int) -> bytes:
    """Return it as ONNX.

    Raises:
        SimulationError: there is no such detector, or none that can be exported.

    """
    fitted = served_detector(name, seed)
    return onnx_of(fitted.detector, fitted.calibration, fitted.features.count)
