"""The agent sees what a placement model reads in a cluster."""

from pathlib import Path

import numpy as np
import pytest

from hydatis.scheduler.arrays import Float32Array, Float64Array
from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.open_decision import OpenDecision
from hydatis.scheduler.plugins.ensemble import Ensemble
from hydatis.simulations.virtual_time.running import Run
from hydatis.simulations.virtual_time.testing import Pod, default_policy, scenario_of, workload_of

pytest.importorskip("gymnasium")
observing = pytest.importorskip("hydatis.simulations.environment.observing")

_ROOT = Path(__file__).parents[4]


class _Watching:
    """A model that keeps what it is given."""

    kind = ModelKind.PLACEMENT
    name = "watching"
    version = "1"
    digest = "0" * 64
    schema_hash = PLACEMENT_SCHEMA.hash

    def __init__(self) -> None:
        self.seen = np.zeros((0, PLACEMENT_SCHEMA.width), dtype=np.float32)

    def predict(self, features: Float32Array) -> Float64Array:
        self.seen = features
        return np.zeros(len(features))


def test_a_row_is_what_the_ensemble_gives_to_a_placement_model() -> None:
    pods = [Pod(created=60.0 * number, owner=f"owner-{number % 2}", lifetime=3000) for number in range(6)]
    run = Run(scenario_of(4, 8, 16), workload_of(*pods), default_policy(), 1)
    observer = observing.Observer(run.machines, run.scheduler.cluster)
    model, looked = _Watching(), 0
    ensemble = Ensemble.of(EnsembleWeights(placement=1, placement_model=model.name), {model.name: model})
    run.begin()
    for now in run.turns():
        while (opened := run.scheduler.open_decision(now)) is not None:
            assert isinstance(opened, OpenDecision)
            rows = observer.nodes(opened)
            cluster = run.scheduler.cluster
            known = np.array([cluster.row_of(name) for name in run.machines.names])
            ensemble.for_owner(opened.pod_class.owner).score(opened.pod_class.requirements, cluster, known)
            assert (rows[:, len(observing.FLAGS) :] == model.seen).all()
            assert (rows[:, : len(observing.FLAGS)] == 1).all()
            looked += 1
            run.carry_out(run.scheduler.decide(run.machines.names[looked % 3], now), now)
    assert looked == len(pods)
    # The last pods come to nodes that are measured, with an owner of whom something is known.
    assert model.seen[:, PLACEMENT_SCHEMA.index("cpu_utilization")].max() > 0
    assert model.seen[:, PLACEMENT_SCHEMA.index("owner_observations")].max() > 0


def test_the_documentation_has_the_columns() -> None:
    table = PLACEMENT_SCHEMA.markdown()
    documented = (_ROOT / "docs/simulations.md").read_text()
    assert table in documented, f"docs/simulations.md has another table of features; put this one there:\n{table}"
    assert all(f"`{column.name}`" in documented for column in observing.COLUMNS)
