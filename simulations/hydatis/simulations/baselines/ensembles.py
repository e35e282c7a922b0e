"""Ensembles as policies: what `spec.ensemble` of an MLSchedulerPolicy does, with models that are at hand as bytes.

Like every policy to compare with, an ensemble ranks nodes by its score alone, equals at random: what pods prefer and
how they are spread, which a cluster adds to it, is left out.
"""

from collections.abc import Mapping

from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.models.refusal import ModelRefused
from hydatis.scheduler.plugins.ensemble import Ensemble
from hydatis.simulations.baselines.policies import OneScoreByChance, PolicyMaker, Surroundings
from hydatis.simulations.errors import SimulationError


def ensemble_policy(weights: EnsembleWeights, models: Mapping[str, Model]) -> PolicyMaker:
    """Return the policy that scores by these weights. `models` goes by the names that `weights` has for them.

    Runs share the models, so that those of one process go one after the other.

    Raises:
        SimulationError: a model that counts is not there or of another kind, or nothing counts.

    """
    for part in weights.needed():
        model = models.get(part.model)
        if model is None or model.kind is not part.kind:
            raise SimulationError(f"the ensemble counts {part.model}, which is no model of kind {part.kind}; add it.")
    if not weights.counts:
        raise SimulationError("the ensemble has no part with a weight above 0; give one a weight.")
    score = Ensemble.of(weights, models)

    def make(around: Surroundings) -> OneScoreByChance:
        return OneScoreByChance(score=score)

    return make


def onnx_model(data: bytes, kind: ModelKind, name: str) -> Model:
    """Load an ONNX file as a cluster would, held to the same rules; its columns are taken to be the schema's.

    Raises:
        SimulationError: a cluster would refuse it.

    """
    # It imports ONNX Runtime, which takes a moment: nobody should wait for it who plays without models.
    from hydatis.scheduler.models.onnx_model import OnnxModel  # noqa: PLC0415

    schema = SCHEMAS[kind]
    try:
        return OnnxModel.load(data, kind=kind, name=name, version="1", schema_hash=schema.hash, width=schema.width)
    except ModelRefused as refused:
        raise SimulationError(f"the model {name} is refused: {refused}") from refused
