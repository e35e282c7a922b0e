"""The weighted average of the closed form and the models."""

import numpy as np
import pytest

from hydatis.scheduler.arrays import Float32Array, Float64Array
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.decision import Mode
from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.events import ModelGone, ModelLoaded, NodeSeen, PodSeen, PolicyInForce
from hydatis.scheduler.features.columns import NODE_SCHEMA, PLACEMENT_SCHEMA
from hydatis.scheduler.instructions import Bind
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.plugins.ensemble import Ensemble, by_decade, usual, within_bounds
from hydatis.scheduler.plugins.expected_overload import ExpectedOverload
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.policy_mode import PolicyMode
from hydatis.scheduler.scheduler import Scheduler, Settings
from hydatis.scheduler.testing import cluster_of, node, pod, requirements_of, run_pod

NAN = float("nan")


class ByCapacity:
    """A model that predicts a number for each node by its cores."""

    version = "1"
    digest = "0" * 64

    def __init__(self, kind: ModelKind, by_cores: dict[float, float], name: str = "m") -> None:
        self.kind = kind
        self.name = name
        self.by_cores = by_cores
        schema = NODE_SCHEMA if kind is ModelKind.ANOMALY else PLACEMENT_SCHEMA
        self.schema_hash, self.width = schema.hash, schema.width

    def predict(self, features: Float32Array) -> Float64Array:
        assert features.shape[1] == self.width
        cores = features[:, NODE_SCHEMA.index("cpu_capacity")].tolist()
        return np.array([self.by_cores[round(each)] for each in cores])


def cluster() -> Cluster:
    return cluster_of(
        node("small").allocatable(cpu="4", memory="8Gi"), node("large").allocatable(cpu="8", memory="8Gi")
    )


def scores(weights: EnsembleWeights, *models: ByCapacity) -> dict[str, int]:
    found = cluster()
    loaded: dict[str, Model] = {model.name: model for model in models}
    plugin = Ensemble.of(weights, loaded)
    requirements, rows = requirements_of(found, pod("new").requests(cpu="1")), found.rows()
    names = map(found.node_name, rows.tolist())
    return dict(zip(names, plugin.score(requirements, found, rows).tolist(), strict=True))


def test_what_each_kind_of_model_says_becomes_0_to_100() -> None:
    load = ByCapacity(ModelKind.LOAD, {4: 1e-4, 8: 1e-8})
    assert scores(EnsembleWeights(load=1, load_model="m"), load) == {"small": 3000, "large": 6000}
    agent = ByCapacity(ModelKind.PLACEMENT, {4: 12.5, 8: 200.0})
    assert scores(EnsembleWeights(placement=3, placement_model="m"), agent) == {"small": 1250, "large": 10000}
    anomaly = ByCapacity(ModelKind.ANOMALY, {4: 90.0, 8: 0.0})
    assert scores(EnsembleWeights(anomaly=1, anomaly_model="m"), anomaly) == {"small": 1000, "large": 10000}


def test_parts_count_by_their_weights() -> None:
    agent = ByCapacity(ModelKind.PLACEMENT, {4: 100.0, 8: 0.0}, "p")
    anomaly = ByCapacity(ModelKind.ANOMALY, {4: 100.0, 8: 0.0}, "a")
    weights = EnsembleWeights(placement=30, placement_model="p", anomaly=10, anomaly_model="a")
    assert scores(weights, agent, anomaly) == {"small": 7500, "large": 2500}


def test_the_closed_form_is_a_part_like_the_others() -> None:
    found = cluster()
    requirements = requirements_of(found, pod("new").requests(cpu="1"))
    alone = scores(EnsembleWeights(expected_overload=5))
    added = ExpectedOverload().added_overload(requirements, found, found.rows())
    told = np.rint(100 * by_decade(added)).astype(int).tolist()
    assert sorted(alone.values()) == sorted(told)


def test_what_is_no_number_is_the_worst() -> None:
    values = np.array([NAN, 1e-20, 1e20])
    assert by_decade(values).tolist() == pytest.approx([0.0, 94.0, 0.0])
    assert within_bounds(values).tolist() == pytest.approx([0.0, 0.0, 100.0])
    assert usual(values).tolist() == pytest.approx([0.0, 100.0, 0.0])


def policy(**parts: object) -> Policy:
    weights = EnsembleWeights(load=50, load_model="m", **parts)  # type: ignore[arg-type]
    return Policy("p", mode=PolicyMode.AUTO, ensemble=weights)


def started() -> Scheduler:
    found = Scheduler(Settings(frozenset({"hydatis"})), random=np.random.default_rng(1))
    for each in (node("small").allocatable(cpu="4", memory="64Gi"), node("large").allocatable(cpu="8", memory="64Gi")):
        found.handle(NodeSeen(each.manifest()), 0.0)
    return found


def placed(scheduler: Scheduler, name: str, now: float) -> Bind:
    scheduler.handle(
        PodSeen(pod(name).requests(cpu="100m", memory="1Mi").set_spec(schedulerName="hydatis").manifest()), now
    )
    instruction = scheduler.schedule_next(now)
    assert isinstance(instruction, Bind)
    return instruction


def test_a_policy_follows_its_models_as_they_come_and_go() -> None:
    scheduler = started()
    scheduler.handle(PolicyInForce(policy()), 0.0)
    first = placed(scheduler, "a", 1.0)
    assert first.decision.mode is Mode.FALLBACK
    scheduler.handle(ModelLoaded(ByCapacity(ModelKind.LOAD, {4: 1e-8, 8: 1e-2})), 2.0)
    second = placed(scheduler, "b", 2.0)
    assert (second.node, second.decision.mode) == ("small", Mode.ENSEMBLE)
    scheduler.handle(ModelLoaded(ByCapacity(ModelKind.LOAD, {4: 1e-2, 8: 1e-8})), 3.0)
    assert placed(scheduler, "c", 3.0).node == "large"
    scheduler.handle(ModelGone("m"), 4.0)
    assert placed(scheduler, "d", 4.0).decision.mode is Mode.FALLBACK


def test_an_event_tells_each_part_in_points() -> None:
    scheduler = started()
    scheduler.handle(PolicyInForce(policy(expected_overload=50)), 0.0)
    scheduler.handle(ModelLoaded(ByCapacity(ModelKind.LOAD, {4: 1e-12, 8: 1e-3})), 0.0)
    decision = placed(scheduler, "a", 1.0).decision
    assert decision.chosen is not None
    assert dict(decision.chosen.parts)["load"] == 4500
    text = decision.summary()
    assert text.startswith("score ")
    assert "load 45.00" in text
    assert "runner-up large -" in text
    assert text.endswith("policy p, mode Ensemble, models m@1")
    assert sum(score for _, score in decision.chosen.parts) == decision.chosen.total


def test_preferences_of_the_pod_still_count() -> None:
    scheduler = started()
    scheduler.handle(PolicyInForce(policy()), 0.0)
    scheduler.handle(ModelLoaded(ByCapacity(ModelKind.LOAD, {4: 1e-5, 8: 1.1e-5})), 0.0)
    tainted = node("small").allocatable(cpu="4", memory="64Gi").taint("soft", effect="PreferNoSchedule")
    scheduler.handle(NodeSeen(tainted.manifest()), 0.5)
    first = placed(scheduler, "a", 1.0)
    assert first.node == "large"
    # Where a preference tells nodes apart it is told, and counts in the score and the gap.
    assert first.decision.chosen is not None
    assert first.decision.runner_up is not None
    assert first.decision.chosen.parts == (("load", 3719), ("TaintToleration", 3000))
    assert first.decision.runner_up.parts == (("load", 3750), ("TaintToleration", 0))
    text = first.decision.summary()
    assert text.startswith("score 67.19 (load 37.19, TaintToleration 30.00); runner-up small -29.69; 2 of 2 nodes")


def test_what_all_feasible_nodes_get_alike_is_no_part_of_the_told_score() -> None:
    scheduler = started()
    scheduler.handle(PolicyInForce(policy()), 0.0)
    scheduler.handle(ModelLoaded(ByCapacity(ModelKind.LOAD, {4: 1e-5, 8: 1e-6, 16: 1.0})), 0.0)
    # Its taint tells it apart from the others, but it cannot run the pod.
    tainted = node("full").allocatable(cpu="16", memory="1Mi", pods="0").taint("soft", effect="PreferNoSchedule")
    scheduler.handle(NodeSeen(tainted.manifest()), 0.5)
    decision = placed(scheduler, "a", 1.0).decision
    assert decision.chosen is not None
    assert decision.chosen.parts == (("load", 4500),)
    assert decision.summary() == (
        "score 45.00 (load 45.00); runner-up small -7.50; 2 of 3 nodes feasible; policy p, mode Ensemble, models m@1"
    )


def test_owners_are_told_apart_under_the_ensemble() -> None:
    found = cluster()
    run_pod(found, pod("one").requests(cpu="1"), "small", 0.0)
    plugin = Ensemble(EnsembleWeights(expected_overload=1))
    owner = found.load.owners
    assert plugin.by_class
    assert plugin.for_owner(next(iter(owner._numbers))).closed_form.owner == next(iter(owner._numbers))


def shadowed(models: ByCapacity, mode: PolicyMode) -> list[Bind]:
    scheduler = started()
    weights = EnsembleWeights(load=50, load_model="m")
    scheduler.handle(PolicyInForce(Policy("p", mode=mode, ensemble=weights)), 0.0)
    scheduler.handle(ModelLoaded(models), 0.0)
    return [placed(scheduler, f"p{number}", float(number)) for number in range(12)]


def test_an_ensemble_that_only_watches_decides_nothing_and_is_told() -> None:
    # kube-scheduler's scores prefer the large node, the ensemble the small one.
    model = ByCapacity(ModelKind.LOAD, {4: 1e-12, 8: 1e-2})
    watched, without = shadowed(model, PolicyMode.SHADOW), shadowed(model, PolicyMode.FALLBACK)
    assert [bind.node for bind in watched] == [bind.node for bind in without]
    assert all(bind.decision.mode is Mode.FALLBACK for bind in watched)
    assert all(bind.decision.shadow is None for bind in without)
    for bind in watched:
        assert bind.decision.shadow is not None
        assert bind.decision.shadow.node == "small"
        assert bind.decision.shadow_agrees == (bind.node == "small")
        told = "the same" if bind.node == "small" else "small"
        # And nothing of the 30 that both nodes get for having no taint that the pod would rather avoid.
        summary = bind.decision.summary()
        assert f"; the ensemble would choose {told} (90.00)" in summary
        assert summary.endswith("mode Fallback, models m@1")
    assert not all(bind.decision.shadow_agrees for bind in watched)


def test_an_ensemble_without_its_models_does_not_watch() -> None:
    scheduler = started()
    weights = EnsembleWeights(load=50, load_model="m")
    scheduler.handle(PolicyInForce(Policy("p", mode=PolicyMode.SHADOW, ensemble=weights)), 0.0)
    decision = placed(scheduler, "a", 1.0).decision
    assert decision.shadow is None
    assert not decision.shadow_agrees
    assert "ensemble" not in decision.summary()
