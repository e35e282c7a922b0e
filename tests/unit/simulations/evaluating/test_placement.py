from collections.abc import Iterator

import numpy as np
import pytest

from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.testing_onnx import linear
from hydatis.simulations.evaluating.contenders import ENSEMBLE, Models
from hydatis.simulations.evaluating.placement import PlacementEvaluation, contenders_of, evaluate_placement
from hydatis.simulations.sweeps.kept_runs import KeptRuns
from hydatis.simulations.sweeps.running import one_after_the_other
from hydatis.simulations.sweeps.summary import RunSummary

SEEDS = (1, 2)
SHORT = {"length_seconds": "3600", "warm_up_seconds": "0", "history_seconds": "0"}


def predicting(column: str) -> bytes:
    """A load model that predicts a hundredth of one of its columns."""
    weights = np.zeros(PLACEMENT_SCHEMA.width)
    weights[PLACEMENT_SCHEMA.index(column)] = 0.01
    return linear(weights.tolist())


def ensemble_of(column: str) -> Models:
    weights = EnsembleWeights(expected_overload=1, load=1, load_model="load")
    return Models(weights, {"load": predicting(column)})


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HYDATIS_DATA", raising=False)
        yield patch


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> KeptRuns:
    return KeptRuns(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def evaluation(environment: pytest.MonkeyPatch, kept: KeptRuns) -> PlacementEvaluation:
    models = ensemble_of("cpu_after")
    return evaluate_placement(models, SEEDS, one_after_the_other, scenario="six", assumptions=SHORT, kept=kept)


def test_every_contender_has_every_outcome(evaluation: PlacementEvaluation) -> None:
    names = contenders_of(ensemble_of("cpu_after"))
    assert "Ensemble without load" in names
    assert "Ensemble without closed form" in names
    assert set(evaluation.outcomes) == set(names)
    assert evaluation.part == "validation"
    for outcomes in evaluation.outcomes.values():
        assert {"node_minutes_above_80", "throttled_core_hours", "cpu_mean_percent"} <= set(outcomes)


def test_a_model_that_does_not_count_is_tried_with_the_weight_of_what_counts_most() -> None:
    weights = EnsembleWeights(expected_overload=3, load=0, load_model="load")
    policies = Models(weights, {"load": predicting("pods")}).policies()
    assert list(policies) == [ENSEMBLE, "Ensemble with load"]
    assert policies["Ensemble with load"].load == 3


def test_the_ensemble_without_its_model_is_the_closed_form_alone(evaluation: PlacementEvaluation) -> None:
    # Both rank by the same number; only the resolution of the score differs.
    alone, left = (
        evaluation.outcomes[name]["cpu_mean_percent"] for name in ("ExpectedOverload", "Ensemble without load")
    )
    assert left.mean == pytest.approx(alone.mean, rel=0.05)


def test_the_best_heuristic_is_the_least_of_those_that_serve_as_well(evaluation: PlacementEvaluation) -> None:
    outcomes = {name: measures["node_minutes_above_80"].mean for name, measures in evaluation.outcomes.items()}
    assert outcomes[evaluation.best_heuristic] <= outcomes["TargetLoadPacking"]


def test_what_is_kept_is_for_the_same_models_alone(evaluation: PlacementEvaluation, kept: KeptRuns) -> None:
    found: list[tuple[str, bool]] = []

    def told(summary: RunSummary, was_kept: bool) -> None:
        found.append((summary.job.policy, was_kept))

    other = ensemble_of("pods")
    evaluate_placement(other, SEEDS, one_after_the_other, scenario="six", assumptions=SHORT, kept=kept, done=told)
    fresh = {policy for policy, was_kept in found if not was_kept}
    assert fresh == {ENSEMBLE, "Ensemble without closed form"}


def test_the_document_has_what_was_asked_for(evaluation: PlacementEvaluation) -> None:
    document = evaluation.document()
    assert {"best_heuristic", "gap_closed", "gap_closed_low", "gap_closed_high", "outcomes", "against"} <= set(document)
    against = evaluation.against["KubeScheduler"].difference
    own = evaluation.outcomes[ENSEMBLE]["node_minutes_above_80"].mean
    theirs = evaluation.outcomes["KubeScheduler"]["node_minutes_above_80"].mean
    assert against.mean == pytest.approx(own - theirs)
