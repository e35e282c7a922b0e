"""What every training hands over to be tracked and registered."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import SCHEMA_HASH
from hydatis.scheduler.models.weights import MOST_BYTES
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.tracking.naming import METRIC_NAME

METRICS_MAX = 64
"""As many as an MLModel holds."""
DATA_MAX = 1024
"""Characters, as an MLModel holds."""
PARAMETERS_MAX = 98
"""MLflow takes 100 at a time, and the seed and the data are two."""
PARAMETER_MAX = 6000
"""Characters, by MLflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """One training's result. What cannot be registered, or would be refused in a cluster, is refused when it is made.

    Raises:
        SimulationError: a part is out of range; the text names it.

    """

    kind: ModelKind
    onnx: bytes
    """The ONNX file as exported, at most 16 MiB."""
    schema_hash: str
    """Of the feature schema whose rows it reads: `SCHEMAS[kind].hash` for what the operator computes."""
    seed: int
    data: str
    """On what it was trained, for people: one line."""
    parameters: Mapping[str, str | int | float | bool]
    """What was chosen before the training: depths, learning rates, durations."""
    metrics: Mapping[str, float]
    """What was measured, on data that it was not trained on: at most 64 finite numbers. Tell a baseline's beside the
    model's, such as `overload_minutes` and `overload_minutes_kube_scheduler`.
    """
    card: str
    """Markdown; `card.card_text` writes it."""
    started: datetime
    """When the training began, with its time zone."""
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """What was measured while it learnt, step by step from 0."""
    figures: Mapping[str, bytes] = field(default_factory=dict)
    """Pictures by file name, such as `learning.png`."""

    def __post_init__(self) -> None:
        if not 0 < len(self.onnx) <= MOST_BYTES:
            raise SimulationError(
                f"the exported model has {len(self.onnx)} bytes, and a cluster takes 1 to {MOST_BYTES}: "
                "train a smaller one."
            )
        if not SCHEMA_HASH.fullmatch(self.schema_hash):
            raise SimulationError(f"the schema hash is {self.schema_hash!r}; give 8 to 64 hexadecimal digits.")
        if not 0 < len(self.data) <= DATA_MAX:
            raise SimulationError(f"the description of the data has {len(self.data)} characters; give 1 to {DATA_MAX}.")
        if len(self.metrics) > METRICS_MAX:
            raise SimulationError(f"there are {len(self.metrics)} metrics; give at most {METRICS_MAX}.")
        if len(self.parameters) > PARAMETERS_MAX or any(len(str(x)) > PARAMETER_MAX for x in self.parameters.values()):
            raise SimulationError(
                f"the parameters are too many or too long; give at most {PARAMETERS_MAX} of {PARAMETER_MAX} characters."
            )
        for name in (*self.parameters, *self.metrics, *self.curves):
            if not METRIC_NAME.fullmatch(name):
                raise SimulationError(f"{name!r} is no valid name; use at most 63 letters, digits, '_', '.' and '-'.")
        for name, value in self.metrics.items():
            if not math.isfinite(value):
                raise SimulationError(f"the metric {name} is {value}; leave it out where it is not known.")
        for name in self.figures:
            if PurePosixPath(name).name != name:
                raise SimulationError(f"the figure {name!r} has no valid file name; give one without folders.")
        if self.started.tzinfo is None:
            raise SimulationError("the start of the training has no time zone; give one.")
