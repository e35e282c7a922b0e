"""Ensemble: the node that the closed form and the models together hold for best.

Each part says 0 to 100, the higher the better; the score is their average by the policy's weights. Parts whose models
are not loaded have been left out before (`EnsembleWeights.usable_with`), so that the rest make up the whole.

- `expectedOverload`: 0 to 100 by the power of ten of the overload that the pod adds (`ExpectedOverload`).
- `load`: the same of what the load model predicts the pod to add over the next hours.
- `placement`: what the placement agent says, 0 to 100.
- `anomaly`: 100 less how unusual the node behaves, 0 to 100.

The load model reads `PLACEMENT_SCHEMA` and predicts squared shares above the threshold, times the node's size in
hundreds of cores, as a mean over the horizon it was trained for.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple, Self

import numpy as np

from hydatis.scheduler.arrays import Float32Array, Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.decision import ModelReference
from hydatis.scheduler.ensemble_weights import MODEL_FIELDS, EnsembleWeights
from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.features.placement import placement_features
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.plugins import Composite, Normalization, OwnerAware, Scope, expected_overload
from hydatis.scheduler.plugins.expected_overload import ExpectedOverload
from hydatis.scheduler.requirements import Requirements

BEST = 100.0
"""What a part says of a node that could not be better."""
POINTS = 100
"""The score counts hundredths, so that few nodes are equal."""
CLOSED_FORM_PART = "expectedOverload"
_NOBODY = Owner("", "", "")
_CLOSED_FORM = ExpectedOverload()


@dataclass(frozen=True)
class Ensemble(OwnerAware, Composite):
    """Score, 0 to 10,000."""

    name: ClassVar[str] = "Ensemble"
    scope: ClassVar[Scope] = Scope.LOAD
    normalization: ClassVar[Normalization] = Normalization.NONE

    weights: EnsembleWeights
    """What is left of the policy's ensemble with the models there are."""
    models: Mapping[ModelKind, Model] = field(default_factory=dict[ModelKind, Model], hash=False)
    """The loaded models, by kind."""
    closed_form: ExpectedOverload = _CLOSED_FORM
    by_class: bool = True
    """Always: nothing is known of a pod but by its owner."""
    owner: Owner = _NOBODY
    """Whose pod is to be placed."""

    @classmethod
    def of(cls, weights: EnsembleWeights, loaded: Mapping[str, Model]) -> Self:
        """Make the ensemble of a policy, of those of its models that are loaded."""
        models = {part.kind: loaded[part.model] for part in weights.needed()}
        return cls(weights, models)

    def for_owner(self, owner: Owner) -> Self:
        """Return the plugin as it answers for pods of this owner."""
        return replace(self, owner=owner, closed_form=self.closed_form.for_owner(owner))

    def applies(self, requirements: Requirements) -> bool:
        """Every pod."""
        return True

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0 to 10,000."""
        parts = self.parts(requirements, cluster, rows)
        whole = sum(weight for weight, _ in parts.values())
        total = np.zeros(len(rows))
        for weight, scores in parts.values():
            total += weight / whole * scores
        return np.rint(POINTS * total).astype(np.int64)

    def shares(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, Int64Array]:
        """Return by name what each part adds to each row's score, in hundredths of a point."""
        return _shares(self.parts(requirements, cluster, rows))

    def seen(
        self, requirements: Requirements, cluster: Cluster, rows: Rows, others: Rows
    ) -> tuple[Mapping[str, Int64Array], Float32Array]:
        """Return the shares of `rows`, and the features of those and of `others`, by `PLACEMENT_SCHEMA`."""
        everything = np.concatenate([rows, others])
        added = self.closed_form.added_overload(requirements, cluster, everything)
        features = placement_features(requirements, self.owner, cluster, everything, added)
        return _shares(self._parts(added[: len(rows)], features[: len(rows)])), features

    def models_used(self) -> tuple[ModelReference, ...]:
        """Name the loaded models."""
        return tuple(ModelReference(model.name, model.version, model.digest) for model in self.models.values())

    def parts(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, tuple[int, Float64Array]]:
        """Return by name each part that counts: its weight, and what it says of each row, 0 to 100."""
        added = self.closed_form.added_overload(requirements, cluster, rows)
        features = placement_features(requirements, self.owner, cluster, rows, added) if self.models else None
        return self._parts(added, features)

    def _parts(self, added: Float64Array, features: Float32Array | None) -> Mapping[str, tuple[int, Float64Array]]:
        found: dict[str, tuple[int, Float64Array]] = {}
        if self.weights.expected_overload:
            found[CLOSED_FORM_PART] = (self.weights.expected_overload, by_decade(added))
        if features is not None:
            for part in modelled_parts(self.weights):
                predicted = self.models[part.kind].predict(features[:, : SCHEMAS[part.kind].width])
                found[MODEL_FIELDS[part.kind]] = (part.weight, part.read(predicted))
        return found


class ModelledPart(NamedTuple):
    """A part of an ensemble that a model computes, and how it is read."""

    kind: ModelKind
    model: str
    """The name of its MLModel."""
    weight: int
    """1-100."""
    read: Callable[[Float64Array], Float64Array]
    """Predictions to 0 to 100."""


def modelled_parts(weights: EnsembleWeights) -> Iterator[ModelledPart]:
    """Yield the parts that models compute and that count."""
    reads = {ModelKind.LOAD: by_decade, ModelKind.PLACEMENT: within_bounds, ModelKind.ANOMALY: usual}
    return (ModelledPart(part.kind, part.model, part.weight, reads[part.kind]) for part in weights.needed())


def _shares(parts: Mapping[str, tuple[int, Float64Array]]) -> Mapping[str, Int64Array]:
    whole = sum(weight for weight, _ in parts.values())
    return {
        name: np.rint(POINTS * weight / whole * scores).astype(np.int64) for name, (weight, scores) in parts.items()
    }


def by_decade(added: Float64Array) -> Float64Array:
    """Return 0 to 100 by the power of ten of an overload that is added; what is no number scores 0."""
    return BEST * expected_overload.by_decade(added)


def within_bounds(predicted: Float64Array) -> Float64Array:
    """Return what is 0 to 100 already; what is no number scores 0."""
    return np.asarray(np.clip(np.where(np.isnan(predicted), 0.0, predicted), 0.0, BEST), dtype=np.float64)


def usual(anomaly: Float64Array) -> Float64Array:
    """Return 100 less an anomaly score of 0 to 100; what is no number scores 0."""
    return np.asarray(BEST - np.clip(np.where(np.isnan(anomaly), BEST, anomaly), 0.0, BEST), dtype=np.float64)
