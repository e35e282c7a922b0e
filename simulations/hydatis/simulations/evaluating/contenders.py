"""Who is compared: what clusters have today, the closed form, the ensemble, and it less and more its parts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hydatis.scheduler.ensemble_weights import MODEL_FIELDS, EnsembleWeights
from hydatis.simulations.baselines.ensembles import ensemble_policy, onnx_model
from hydatis.simulations.baselines.policies import POLICIES, PolicyMaker

KUBE_SCHEDULER = "KubeScheduler"
CLOSED_FORM = "ExpectedOverload"
BOUND = "Clairvoyant"
STANDARD = (
    "TargetLoadPacking",
    "LoadVariationRiskBalancing",
    "LowRiskOverCommitment",
    "Koordinator",
    "KoordinatorWithoutFilter",
    "Crane",
    "Volcano",
)
"""Heuristics that look at measured use, as clusters can have them today."""
BY_CLASS = ("KoordinatorByClass", "LoadVariationRiskBalancingByClass", "TargetLoadPackingByClass")
"""The best of them, told what pods of each owner use."""
ENSEMBLE = "Ensemble"
WITHOUT = "Ensemble without "
WITH = "Ensemble with "


@dataclass(frozen=True, slots=True)
class Models:
    """An ensemble: its weights, and the ONNX of every model that they name. Plain values, for another process."""

    weights: EnsembleWeights
    onnx: Mapping[str, bytes]

    def policies(self) -> dict[str, EnsembleWeights]:
        """Return the ensemble, itself less each part that counts, and itself with each model that is named and does
        not count, weighing as much as the part that weighs most.
        """
        weights = self.weights
        found = {ENSEMBLE: weights}
        if weights.expected_overload and any(weights.needed()):
            found[f"{WITHOUT}closed form"] = replace(weights, expected_overload=0)
        for part in weights.needed():
            left = weights.without(part.kind)
            if left.counts:
                found[f"{WITHOUT}{MODEL_FIELDS[part.kind]}"] = left
        most = max([weights.expected_overload, *(part.weight for part in weights.model_parts())])
        for part in weights.model_parts():
            if not part.weight:
                found[f"{WITH}{MODEL_FIELDS[part.kind]}"] = weights.weighing(part.kind, most)
        return found

    def maker(self, name: str) -> PolicyMaker:
        """Return a policy by name: one of its own, or one of `POLICIES`.

        Raises:
            SimulationError: a model is missing, or a cluster would refuse it.

        """
        own = self.policies()
        if name not in own:
            return POLICIES[name]
        loaded = {part.model: onnx_model(self.onnx[part.model], part.kind, part.model) for part in own[name].needed()}
        return ensemble_policy(own[name], loaded)
