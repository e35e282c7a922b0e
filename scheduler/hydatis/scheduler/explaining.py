"""Explains a decision by the evidence that it left: what the best nodes were like, what was usual, and what each
feature did for the chosen node against the runner-up.

Whoever was asked «why there?» calls `explain`, with the models that are loaded. Nothing is looked up in the cluster,
which has moved on; a model that is no longer the one that decided is not asked.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Float32Array, Float64Array
from hydatis.scheduler.contributions import contributions
from hydatis.scheduler.decision import Decision, ModelReference
from hydatis.scheduler.ensemble_weights import MODEL_FIELDS
from hydatis.scheduler.evidence import Evidence
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA, REQUESTS_SCHEMA, SCHEMAS
from hydatis.scheduler.features.schema import FeatureSchema
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.plugins.ensemble import modelled_parts
from hydatis.scheduler.resources import CPU_COLUMN, MEMORY_COLUMN, PODS_COLUMN

_SEED = 1
"""Of the random orders: the same question gets the same answer."""


@dataclass(frozen=True, slots=True)
class FeatureSeen:
    """One feature of the nodes, by which the chosen one differed from the runner-up or from what was usual."""

    name: str
    unit: str
    meaning: str
    chosen: float
    runner_up: float | None
    usual: float
    """The median of the feasible nodes, or of up to 32 of them, evenly picked."""
    deviations: float
    """How far the chosen node was from the runner-up, or if there is none from what was usual, in standard deviations
    over the same nodes; they are listed by it.
    """


@dataclass(frozen=True, slots=True)
class FeatureContribution:
    """What one feature did for the chosen node's score, compared with the runner-up's."""

    feature: str
    points: float
    """Of the score that is told; above 0 it spoke for the chosen node."""
    standard_error: float
    """Of the points; 0 where they are exact."""


@dataclass(frozen=True, slots=True)
class ModelOpinion:
    """What one model said of the chosen node and of the runner-up."""

    part: str
    """The part of the ensemble: load, placement or anomaly."""
    model: ModelReference
    unavailable: str = ""
    """Why the rest is not known; empty where it is."""
    chosen: float | None = None
    """What it predicted, as it predicts."""
    runner_up: float | None = None
    points: float | None = None
    """What the difference counted for in the score that is told; the contributions add up to it."""
    exact: bool = True
    """Whether the contributions are over all sets of features, or estimated from random orders."""
    contributions: tuple[FeatureContribution, ...] = ()
    """Those that are not 0, the largest first."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the chosen node, by numbers."""

    features: tuple[FeatureSeen, ...]
    models: tuple[ModelOpinion, ...]


def explain(decision: Decision, models: Mapping[str, Model]) -> Explanation:
    """Explain a decision by its evidence; without any there is nothing to tell."""
    evidence = decision.evidence
    if evidence is None:
        return Explanation((), ())
    best = len(evidence.best)
    if evidence.features is None:
        seen = tuple(_features(REQUESTS_SCHEMA, _requests(evidence), best))
    else:
        seen = tuple(_features(PLACEMENT_SCHEMA, evidence.features, best))
    return Explanation(seen, tuple(_opinions(decision, evidence, models)))


def _requests(evidence: Evidence) -> Float32Array:
    """Return (best and others, features) by `REQUESTS_SCHEMA`."""
    allocatable, requested = evidence.allocatable.astype(np.float64), evidence.requested.astype(np.float64)
    cpu, memory = np.maximum(allocatable[CPU_COLUMN], 1.0), np.maximum(allocatable[MEMORY_COLUMN], 1.0)
    cores, pods = cpu / 1000.0, requested[PODS_COLUMN]
    shares = requested[CPU_COLUMN] / cpu, requested[MEMORY_COLUMN] / memory
    columns = (*shares, pods, pods / cores, cores, memory / 2.0**30)
    return REQUESTS_SCHEMA.table(columns, len(cpu))


def _features(schema: FeatureSchema, table: Float32Array, best: int) -> Iterator[FeatureSeen]:
    """Yield the features in which the chosen node differs, the furthest first. `table` holds the best nodes first, then
    the others.
    """
    compared = best > 1
    usual, deviation = np.median(table[best:], axis=0), table[best:].std(axis=0)
    reference = table[1] if compared else usual
    distance = np.abs(table[0] - reference) / np.where(deviation > 0, deviation, 1.0)
    for column in np.argsort(-distance, kind="stable").tolist():
        if table[0, column] != reference[column] or table[0, column] != usual[column]:
            feature = schema.features[column]
            yield FeatureSeen(
                feature.name,
                feature.unit,
                feature.meaning,
                float(table[0, column]),
                float(table[1, column]) if compared else None,
                float(usual[column]),
                float(distance[column]),
            )


def _opinions(decision: Decision, evidence: Evidence, models: Mapping[str, Model]) -> Iterator[ModelOpinion]:
    """Yield what each model said, those of an ensemble that only watched left out."""
    if evidence.features is None or evidence.ensemble is None:
        return
    by_name = {reference.name: reference for reference in decision.models}
    for part in modelled_parts(evidence.ensemble):
        reference, name = by_name[part.model], MODEL_FIELDS[part.kind]
        model = models.get(part.model)
        if model is None or model.digest != reference.digest:
            yield ModelOpinion(name, reference, f"{reference} is no longer the model that is loaded under this name")
            continue
        schema = SCHEMAS[part.kind]
        rows = evidence.features[:2, : schema.width]
        predicted = model.predict(rows)
        if len(evidence.best) < 2:
            yield ModelOpinion(name, reference, chosen=float(predicted[0]))
            continue
        worth = _worth(model, part.read, part.weight / evidence.ensemble.whole)
        found = contributions(worth, rows[0], rows[1], np.random.default_rng(_SEED))
        order = [column for column in np.argsort(-np.abs(found.values), kind="stable").tolist() if found.values[column]]
        yield ModelOpinion(
            name,
            reference,
            chosen=float(predicted[0]),
            runner_up=float(predicted[1]),
            points=float(found.values.sum()),
            exact=found.exact,
            contributions=tuple(
                FeatureContribution(
                    schema.features[column].name, float(found.values[column]), float(found.errors[column])
                )
                for column in order
            ),
        )


def _worth(
    model: Model, read: Callable[[Float64Array], Float64Array], share: float
) -> Callable[[Float32Array], Float64Array]:
    """Return what features are worth: points of the score, 0 to 100 times the part's share of it."""
    return lambda rows: share * read(model.predict(rows))
