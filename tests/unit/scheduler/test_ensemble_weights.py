"""What is left of an ensemble, and of a policy's mode, with the models that are loaded."""

import pytest

from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.policy import Policy, PolicyMode
from hydatis.scheduler.testing_models import ConstantModel

FULL = EnsembleWeights(50, 30, 20, 10, load_model="l", placement_model="p", anomaly_model="a")
MODELS = {
    "l": ConstantModel("l", ModelKind.LOAD),
    "p": ConstantModel("p", ModelKind.PLACEMENT),
    "a": ConstantModel("a", ModelKind.ANOMALY),
}


def test_an_ensemble_whose_models_are_loaded_is_whole() -> None:
    assert FULL.usable_with(MODELS) == FULL


@pytest.mark.parametrize("missing", ["l", "p", "a"])
def test_a_part_whose_model_is_missing_is_left_out_and_the_others_stay(missing: str) -> None:
    left = FULL.usable_with({name: model for name, model in MODELS.items() if name != missing})
    assert left is not None
    assert left == FULL.without(MODELS[missing].kind)
    assert {part.model for part in left.model_parts()} == set(MODELS) - {missing}


def test_a_model_of_another_kind_is_as_good_as_none() -> None:
    swapped = {"l": ConstantModel("l", ModelKind.ANOMALY)}
    assert EnsembleWeights(load=1, load_model="l").usable_with(swapped) is None


def test_nothing_is_left_when_only_parts_of_weight_0_are() -> None:
    ensemble = EnsembleWeights(load=10, load_model="l", placement_model="p")
    assert ensemble.usable_with({"p": MODELS["p"]}) is None
    assert [part.model for part in ensemble.needed()] == ["l"]


def test_the_closed_form_needs_no_model() -> None:
    assert EnsembleWeights(expected_overload=1).usable_with({}) == EnsembleWeights(expected_overload=1)


@pytest.mark.parametrize(
    ("mode", "loaded", "missing"),
    [
        (PolicyMode.AUTO, PolicyMode.ENSEMBLE, PolicyMode.FALLBACK),
        (PolicyMode.ENSEMBLE, PolicyMode.ENSEMBLE, PolicyMode.FALLBACK),
        (PolicyMode.SHADOW, PolicyMode.SHADOW, PolicyMode.FALLBACK),
        (PolicyMode.FALLBACK, PolicyMode.FALLBACK, PolicyMode.FALLBACK),
        (PolicyMode.PAUSED, PolicyMode.PAUSED, PolicyMode.PAUSED),
    ],
)
def test_what_happens_in_a_mode_depends_on_what_is_loaded(
    mode: PolicyMode, loaded: PolicyMode, missing: PolicyMode
) -> None:
    policy = Policy("p", mode=mode, ensemble=EnsembleWeights(load=1, load_model="l"))
    assert policy.mode_with(MODELS) is loaded
    assert policy.mode_with({}) is missing
