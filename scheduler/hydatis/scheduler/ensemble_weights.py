"""What an ensemble is made of: the closed form and up to three models, each with a weight.

A part of `MLSchedulerPolicy`; `policy` reads it out of manifests with `read_ensemble`. Which models there are changes
while a policy is in force, so what is left of an ensemble is asked for with the models (`usable_with`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from hydatis.scheduler.field_errors import FieldReader, quoted
from hydatis.scheduler.label_selectors import is_dns_subdomain
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model

PART_WEIGHT_MAX = 100
"""Largest weight of a part; as with plugins, weights only count relative to each other."""

MODEL_FIELDS: Mapping[ModelKind, str] = {
    ModelKind.LOAD: "load",
    ModelKind.PLACEMENT: "placement",
    ModelKind.ANOMALY: "anomaly",
}
"""The field of `spec.ensemble` that names the model of each kind."""


class ModelPart(NamedTuple):
    """A part of an ensemble that a model computes."""

    kind: ModelKind
    model: str
    """The name of its MLModel."""
    weight: int
    """0-100."""


@dataclass(frozen=True, slots=True)
class EnsembleWeights:
    """The parts of an ensemble. Weights are 0-100, 0: off; a model that is None is not part of it."""

    expected_overload: int = 0
    """Weight of the closed form (`ExpectedOverload`), which needs no model."""
    load: int = 0
    placement: int = 0
    anomaly: int = 0
    load_model: str | None = None
    placement_model: str | None = None
    anomaly_model: str | None = None

    def model_parts(self) -> Iterator[ModelPart]:
        """Yield the parts that name a model, whatever their weight."""
        named = (
            (ModelKind.LOAD, self.load_model, self.load),
            (ModelKind.PLACEMENT, self.placement_model, self.placement),
            (ModelKind.ANOMALY, self.anomaly_model, self.anomaly),
        )
        for kind, model, weight in named:
            if model is not None:
                yield ModelPart(kind, model, weight)

    def needed(self) -> Iterator[ModelPart]:
        """Yield the parts that a model computes and that count."""
        return (part for part in self.model_parts() if part.weight)

    def usable_with(self, models: Mapping[str, Model]) -> "EnsembleWeights | None":
        """Return the ensemble without the parts whose models are not loaded, or are of another kind; None when
        nothing that counts is left.
        """
        left = self
        for part in self.model_parts():
            model = models.get(part.model)
            if model is None or model.kind is not part.kind:
                left = left.without(part.kind)
        return left if left.counts else None

    def without(self, kind: ModelKind) -> "EnsembleWeights":
        """Return the ensemble without the model of this kind."""
        match kind:
            case ModelKind.LOAD:
                return replace(self, load=0, load_model=None)
            case ModelKind.PLACEMENT:
                return replace(self, placement=0, placement_model=None)
            case ModelKind.ANOMALY:
                return replace(self, anomaly=0, anomaly_model=None)

    def weighing(self, kind: ModelKind, weight: int) -> "EnsembleWeights":
        """Return the ensemble with another weight for the model of this kind."""
        match kind:
            case ModelKind.LOAD:
                return replace(self, load=weight)
            case ModelKind.PLACEMENT:
                return replace(self, placement=weight)
            case ModelKind.ANOMALY:
                return replace(self, anomaly=weight)

    @property
    def counts(self) -> bool:
        """Whether any part has a weight above 0."""
        return bool(self.expected_overload or self.load or self.placement or self.anomaly)

    @property
    def whole(self) -> int:
        """What the weights of the parts that count add up to."""
        return self.expected_overload + sum(part.weight for part in self.needed())


def read_ensemble(reader: FieldReader, value: object, path: str) -> EnsembleWeights | None:
    """Read `spec.ensemble`; None when it is left out. Errors go to the reader."""
    if value is None:
        return None
    errors = len(reader.errors)
    fields = reader.fields(value, path, ("expectedOverload", *MODEL_FIELDS.values()))
    closed_form = reader.fields(fields.get("expectedOverload"), f"{path}.expectedOverload", ("weight",))
    overload = 0
    if "expectedOverload" in fields:
        overload = _read_weight(reader, closed_form, f"{path}.expectedOverload")
    weights: dict[ModelKind, int] = {}
    models: dict[ModelKind, str] = {}
    for kind, name in MODEL_FIELDS.items():
        if name not in fields:
            continue
        part = reader.fields(fields[name], f"{path}.{name}", ("model", "weight"))
        weights[kind] = _read_weight(reader, part, f"{path}.{name}")
        model = _read_model(reader, part, f"{path}.{name}.model")
        if model is not None:
            models[kind] = model
    ensemble = EnsembleWeights(
        expected_overload=overload,
        load=weights.get(ModelKind.LOAD, 0),
        placement=weights.get(ModelKind.PLACEMENT, 0),
        anomaly=weights.get(ModelKind.ANOMALY, 0),
        load_model=models.get(ModelKind.LOAD),
        placement_model=models.get(ModelKind.PLACEMENT),
        anomaly_model=models.get(ModelKind.ANOMALY),
    )
    if not ensemble.counts and len(reader.errors) == errors:
        reader.refuse(
            path,
            "has no part with a weight above 0, so that it has nothing to score with",
            "give expectedOverload, load, placement or anomaly a weight above 0, or remove it",
        )
    return ensemble


def _read_weight(reader: FieldReader, part: Mapping[str, object], path: str) -> int:
    if "weight" not in part:
        reader.refuse(f"{path}.weight", "is missing", f"give a whole number from 0 to {PART_WEIGHT_MAX}")
        return 0
    return reader.integer(part["weight"], f"{path}.weight", minimum=0, maximum=PART_WEIGHT_MAX) or 0


def _read_model(reader: FieldReader, part: Mapping[str, object], path: str) -> str | None:
    if "model" not in part:
        reader.refuse(path, "is missing", "name an MLModel")
        return None
    name = reader.text(part["model"], path)
    if name is not None and not is_dns_subdomain(name):
        remedy = "give the name of an MLModel: at most 253 lowercase letters, digits, '-' and '.'"
        reader.refuse(path, f"is {quoted(name)}, which is no valid name", remedy)
        return None
    return name
