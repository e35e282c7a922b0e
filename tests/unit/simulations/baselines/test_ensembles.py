"""Ensembles with models, played in virtual time."""

import numpy as np
import pytest

from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.testing_models import ConstantModel
from hydatis.scheduler.testing_onnx import linear
from hydatis.simulations.baselines.ensembles import ensemble_policy, onnx_model
from hydatis.simulations.baselines.policies import POLICIES
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.one_run import play_job, profile_made
from hydatis.simulations.traces.folder import DATA_VARIABLE
from hydatis.simulations.virtual_time.running import run
from hydatis.simulations.virtual_time.testing import Pod, scenario_of, workload_of

_AGENT = EnsembleWeights(placement=100, placement_model="agent")


def by_capacity(factor: float) -> Model:
    """A placement model as ONNX: its score is the node's cores times the factor."""
    weights = np.zeros(PLACEMENT_SCHEMA.width)
    weights[PLACEMENT_SCHEMA.index("cpu_capacity")] = factor
    return onnx_model(linear(weights.tolist(), bias=50.0), ModelKind.PLACEMENT, "agent")


def nodes_of(weights: EnsembleWeights, **models: Model) -> list[int]:
    """Play four pods on nodes of 4, 16 and 8 cores; return how many each node had at most."""
    workload = workload_of(*(Pod(created=10.0 * number, cpu=500) for number in range(4)))
    profile = profile_made(ensemble_policy(weights, models), workload, 1)
    most: list[int] = run(scenario_of(4, 16, 8), workload, profile, 1).pods_on_node.max(axis=0).tolist()
    return most


def test_a_models_scores_decide_where_pods_go() -> None:
    assert nodes_of(_AGENT, agent=by_capacity(1.0)) == [0, 4, 0]
    assert nodes_of(_AGENT, agent=by_capacity(-1.0)) == [4, 0, 0]


def test_the_closed_form_alone_fills_nodes_as_the_policy_of_its_name() -> None:
    """On nodes that are nearly full: where they are empty its scores are coarser than that policy's."""
    pods = [Pod(created=30.0 * number, lifetime=7200, cpu=900 + 10 * number, cpu_percent=(90,)) for number in range(12)]
    scenario, workload = scenario_of(4, 5, 6), workload_of(*pods)
    closed_form = ensemble_policy(EnsembleWeights(expected_overload=1), {})
    played, reference = (
        run(scenario, workload, profile_made(policy, workload, 1), 1).pods_on_node
        for policy in (closed_form, POLICIES["ExpectedOverload"])
    )
    assert played[-1].tolist() == reference[-1].tolist()
    assert played[-1].min() > 1


def test_a_run_is_measured_under_the_name_of_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    job = Job("six", "to the large", 1, {"length_seconds": "3600", "warm_up_seconds": "600"})
    played = play_job(job, ensemble_policy(_AGENT, {"agent": by_capacity(1.0)}))
    assert played.job is job
    assert played.measures["success_percent"] > 0


@pytest.mark.parametrize(
    ("weights", "models", "problem"),
    [
        (_AGENT, {}, "counts agent, which is no model of kind Placement; add it"),
        (_AGENT, {"agent": ConstantModel("agent", ModelKind.LOAD)}, "counts agent, which is no model of kind"),
        (EnsembleWeights(), {}, "no part with a weight above 0"),
    ],
)
def test_an_ensemble_that_lacks_something_is_refused(
    weights: EnsembleWeights, models: dict[str, Model], problem: str
) -> None:
    with pytest.raises(SimulationError, match=problem):
        ensemble_policy(weights, models)


def test_a_file_that_a_cluster_would_refuse_is_refused() -> None:
    with pytest.raises(SimulationError, match=r"the model agent is refused: .*shape"):
        onnx_model(linear([1.0, 2.0]), ModelKind.PLACEMENT, "agent")
