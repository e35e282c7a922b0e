"""Decisions explained by what they saw."""

import numpy as np
import pytest

from hydatis.scheduler.arrays import Float32Array, Float64Array
from hydatis.scheduler.decision import Decision, PluginRejections
from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.events import ModelGone, ModelLoaded, NodeSeen, PodSeen, PolicyInForce
from hydatis.scheduler.explaining import explain
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.instructions import Bind, Instruction, ReportUnschedulable
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.policy_mode import PolicyMode
from hydatis.scheduler.scheduler import Scheduler, Settings
from hydatis.scheduler.testing import PodBuilder, node, pod

CORES = PLACEMENT_SCHEMA.index("cpu_capacity")
AVAILABLE = PLACEMENT_SCHEMA.index("memory_available")


class ByCoresAndMemory:
    """A load model in which cores and memory interact."""

    kind = ModelKind.LOAD
    name = "load"
    version = "v7"
    schema_hash = PLACEMENT_SCHEMA.hash

    def __init__(self, digest: str = "1" * 64) -> None:
        self.digest = digest

    def predict(self, features: Float32Array) -> Float64Array:
        wide = features.astype(np.float64)
        return np.asarray(10.0 ** -(wide[:, CORES] / 16.0) / (1.0 + wide[:, AVAILABLE]), dtype=np.float64)


def started(*, keep_evidence: bool = True, nodes: int = 8) -> Scheduler:
    settings = Settings(frozenset({"hydatis"}), keep_evidence=keep_evidence)
    scheduler = Scheduler(settings, random=np.random.default_rng(1))
    for number in range(nodes):
        size = node(f"n{number}").allocatable(cpu=str(8 + 4 * number), memory=f"{64 - 4 * number}Gi")
        scheduler.handle(NodeSeen(size.manifest()), 0.0)
    return scheduler


def attempted(scheduler: Scheduler, builder: PodBuilder, now: float = 1.0) -> Instruction:
    scheduler.handle(PodSeen(builder.set_spec(schedulerName="hydatis").manifest()), now)
    instruction = scheduler.schedule_next(now)
    assert instruction is not None
    return instruction


def placed(scheduler: Scheduler, name: str = "p", now: float = 1.0) -> Decision:
    instruction = attempted(scheduler, pod(name).requests(cpu="500m", memory="4Gi"), now)
    assert isinstance(instruction, Bind)
    return instruction.decision


@pytest.fixture
def learned() -> Scheduler:
    scheduler = started()
    weights = EnsembleWeights(expected_overload=25, load=75, load_model="load")
    scheduler.handle(PolicyInForce(Policy("p", mode=PolicyMode.AUTO, ensemble=weights)), 0.0)
    scheduler.handle(ModelLoaded(ByCoresAndMemory()), 0.0)
    return scheduler


def test_what_is_kept_changes_no_placement() -> None:
    with_evidence, without = started(), started(keep_evidence=False)
    for number in range(40):
        kept, plain = (placed(each, f"p{number}", float(number)) for each in (with_evidence, without))
        assert (kept.chosen, kept.runner_up, kept.summary()) == (plain.chosen, plain.runner_up, plain.summary())
        assert kept.evidence is not None
        assert plain.evidence is None


def test_the_best_nodes_are_kept_by_rank(learned: Scheduler) -> None:
    decision = placed(learned)
    assert decision.evidence is not None
    best = decision.evidence.best
    assert best[:2] == (decision.chosen, decision.runner_up)
    assert len({score.node for score in best}) == 5
    assert [score.total for score in best] == sorted((score.total for score in best), reverse=True)
    assert decision.evidence.bytes < 10_000


def test_by_the_heuristic_nodes_differ_in_what_is_requested_of_them() -> None:
    scheduler = started(nodes=5)
    placed(scheduler, "first")
    decision = placed(scheduler, "second", 2.0)
    found = explain(decision, scheduler.models)
    assert found.models == ()
    capacity = next(one for one in found.features if one.name == "cpu_capacity")
    assert decision.chosen is not None
    assert decision.runner_up is not None
    assert capacity.chosen == 8 + 4 * int(decision.chosen.node[1:])
    assert capacity.runner_up == 8 + 4 * int(decision.runner_up.node[1:])
    assert (capacity.usual, capacity.unit) == (16.0, "cores")
    distances = [one.deviations for one in found.features]
    assert distances == sorted(distances, reverse=True)


def test_contributions_add_up_to_what_the_model_counted_for(learned: Scheduler) -> None:
    decision = placed(learned)
    (opinion,) = explain(decision, learned.models).models
    assert decision.chosen is not None
    assert decision.runner_up is not None
    told = dict(decision.chosen.parts)["load"] - dict(decision.runner_up.parts)["load"]
    assert opinion.points == pytest.approx(told / 100.0, abs=0.011)
    assert sum(one.points for one in opinion.contributions) == pytest.approx(opinion.points)
    assert (opinion.part, str(opinion.model)) == ("load", "load@v7")
    names = {one.feature for one in opinion.contributions}
    assert names == {"cpu_capacity", "memory_available"}
    points = [abs(one.points) for one in opinion.contributions]
    assert points == sorted(points, reverse=True)


def test_an_explanation_is_of_what_was_seen_then(learned: Scheduler) -> None:
    decision = placed(learned)
    then = explain(decision, learned.models)
    for number in range(30):
        placed(learned, f"later{number}", 2.0 + number)
    assert explain(decision, learned.models) == then


@pytest.mark.parametrize("later", [None, ByCoresAndMemory("2" * 64)])
def test_a_model_that_has_gone_or_changed_is_not_asked_about_what_another_decided(
    learned: Scheduler, later: Model | None
) -> None:
    decision = placed(learned)
    learned.handle(ModelGone("load") if later is None else ModelLoaded(later), 2.0)
    (opinion,) = explain(decision, learned.models).models
    assert opinion.unavailable == "load@v7 is no longer the model that is loaded under this name"
    assert opinion.contributions == ()


def test_a_single_feasible_node_is_compared_with_nothing() -> None:
    scheduler = started(nodes=1)
    scheduler.handle(PolicyInForce(Policy("p", ensemble=EnsembleWeights(load=1, load_model="load"))), 0.0)
    scheduler.handle(ModelLoaded(ByCoresAndMemory()), 0.0)
    found = explain(placed(scheduler), scheduler.models)
    (opinion,) = found.models
    assert opinion.chosen is not None
    assert (opinion.runner_up, opinion.points, opinion.contributions) == (None, None, ())
    assert all(one.runner_up is None for one in found.features)


def test_why_not_is_told_by_plugin_with_some_of_the_nodes() -> None:
    scheduler = started(nodes=4)
    scheduler.handle(NodeSeen(node("tainted").taint("only", "others").manifest()), 0.0)
    report = attempted(scheduler, pod("p").requests(cpu="900"))
    assert isinstance(report, ReportUnschedulable)
    by_plugin = {one.plugin: one for one in report.decision.rejected}
    reason = "node(s) had untolerated taint(s)"
    assert by_plugin["TaintToleration"] == PluginRejections("TaintToleration", 1, {reason: 1}, ("tainted",))
    fit = by_plugin["NodeResourcesFit"]
    assert (fit.nodes, fit.reasons, fit.examples) == (4, {"Insufficient cpu": 4}, ("n0", "n1", "n2"))
    assert explain(report.decision, scheduler.models) == explain(report.decision, {})
