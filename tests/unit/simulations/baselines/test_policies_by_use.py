"""Policies that look at measured use, within the decision core."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydatis.scheduler import events
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.evaluating import Evaluations
from hydatis.scheduler.instructions import Bind, ReportUnschedulable
from hydatis.scheduler.nominations import Nominations
from hydatis.scheduler.pod_class import PodClass, PodClasses
from hydatis.scheduler.policy import BUILT_IN_POLICY
from hydatis.scheduler.prefiltering import SearchSpace
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.reserving import Reservations, Standing
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.scoring import Evaluation
from hydatis.scheduler.testing import node, pod
from hydatis.simulations.baselines.policies import (
    BY_OWNERS,
    BY_USE,
    KNOWING_THE_FUTURE,
    POLICIES,
    SHARING_GPUS,
    Surroundings,
)
from hydatis.simulations.baselines.typical_pods import TypicalPods
from hydatis.simulations.gpu_sharing.demands import GpuDemand

_AROUND = Surroundings(
    TypicalPods(np.array([1000]), (GpuDemand(0, 0),), ((),), np.array([1.0])), np.random.default_rng(1)
)
_NODES = 6
_ALL_NODES = SearchSpace(None)

_Step = tuple[str, int, int, float]
_steps = st.lists(
    st.tuples(
        st.sampled_from(["place", "place", "remove", "sample", "sample", "measure", "node", "lose", "wait"]),
        st.integers(0, _NODES - 1),
        st.integers(0, 3),
        st.sampled_from([0.0, 5.0, 20.0, 45.0, 150.0, 400.0]),
    ),
    max_size=40,
)


def test_names_are_told_apart() -> None:
    assert {*SHARING_GPUS, *BY_OWNERS, *BY_USE, *KNOWING_THE_FUTURE} == set(POLICIES)
    assert len(POLICIES) == len(SHARING_GPUS) + len(BY_OWNERS) + len(BY_USE) + len(KNOWING_THE_FUTURE)


class _World:
    """A cluster that things happen to."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.ledger = Reservations(self.cluster)
        self.classes = PodClasses(self.cluster.columns)
        self.placed: list[str] = []
        self.now = 0.0
        for number in range(_NODES):
            self.cluster.set_node(node(f"n{number}").allocatable(cpu="8", memory="8Gi").manifest())

    def pod_class(self, variant: int) -> PodClass:
        builder = pod("new").owned_by("StatefulSet", f"s{variant % 3}")
        if variant != 3:
            builder.requests(cpu=f"{variant + 1}00m", memory="100Mi")
        found = self.classes.of(builder.manifest())
        self.cluster.ensure_columns()
        return found

    def apply(self, step: _Step, serial: int) -> None:
        kind, number, variant, wait = step
        cluster, name = self.cluster, f"n{number}"
        self.now += wait
        cluster.load.advance(self.now)
        match kind:
            case "place":
                uid = f"p{serial}"
                self.ledger.confirm(uid, name, self.pod_class(variant), Standing("default", uid))
                self.placed.append(uid)
            case "remove" if self.placed:
                self.ledger.forget(self.placed.pop(number % len(self.placed)))
            case "sample":
                rows = cluster.rows()[: number + 1]
                cpu = (700 * (1 + rows * (variant + 1))).astype(np.float64)
                cluster.load.measure_nodes(rows, np.full(len(rows), self.now), cpu, cpu * 2.0**20)
            case "measure" if self.placed:
                used = np.arange(len(self.placed), dtype=np.float64) * (40.0 * (variant + 1))
                cluster.load.measure_pods(self.placed, np.full(len(used), self.now), used, used * 2.0**20)
            case "node":
                cluster.set_node(node(name).allocatable(cpu=str(4 + variant), memory="8Gi").manifest())
            case "lose":
                cluster.remove_node(name)


@pytest.mark.parametrize("name", BY_USE)
@settings(deadline=None, max_examples=25)
@given(steps=_steps)
def test_refreshing_gives_what_starting_over_gives(name: str, steps: list[_Step]) -> None:
    world, profile = _World(), BY_USE[name](_AROUND)
    cluster = world.cluster
    classes = [world.pod_class(variant) for variant in range(4)]
    kept = Evaluations(cluster, Nominations(cluster), profile, memory_bytes=2**20)
    for serial, step in enumerate(steps):
        world.apply(step, serial)
        for number, pod_class in enumerate(classes):
            if (serial + number) % 3 == 0:
                kept.of(pod_class, BUILT_IN_POLICY, _ALL_NODES)
    for pod_class in classes:
        evaluation = kept.of(pod_class, BUILT_IN_POLICY, _ALL_NODES)
        anew = Evaluation(
            pod_class.requirements,
            pod_class.neighbours(cluster.placed, cluster.workloads),
            profile.under(BUILT_IN_POLICY).for_owner(pod_class.owner),
            cluster,
        )
        anew.refresh()
        np.testing.assert_array_equal(evaluation.ranking(), anew.ranking())
        np.testing.assert_array_equal(evaluation.feasible, anew.feasible)


def scheduler_of(name: str) -> Scheduler:
    return Scheduler(random=np.random.default_rng(1), profile=POLICIES[name](_AROUND))


def evaluations_of(scheduler: Scheduler) -> int:
    return len(scheduler._evaluations)


@pytest.mark.parametrize(
    ("name", "kept"), [("KubeScheduler", 1), ("Koordinator", 1), ("KoordinatorByClass", 3), ("ExpectedOverload", 3)]
)
def test_like_pods_of_different_owners_share_what_no_plugin_tells_apart(name: str, kept: int) -> None:
    scheduler = scheduler_of(name)
    scheduler.handle(events.NodeSeen(node("n").manifest()), 0.0)
    for number in range(6):
        builder = pod(f"p{number}").requests(cpu="100m").owned_by("StatefulSet", f"s{number % 3}")
        scheduler.handle(events.PodSeen(builder.manifest()), 1.0)
        assert isinstance(scheduler.schedule_next(1.0), Bind)
    assert evaluations_of(scheduler) == kept


@pytest.mark.parametrize("name", BY_USE)
def test_an_idle_node_is_preferred_to_a_busy_one(name: str) -> None:
    if name == "LowRiskOverCommitment":
        pytest.skip("without limits it tells no node from another")
    scheduler = scheduler_of(name)
    for each in ("busy", "idle"):
        scheduler.handle(events.NodeSeen(node(each).allocatable(cpu="10", memory="10Gi").manifest()), 0.0)
    sample = events.NodesMeasured(
        ("busy", "idle"), np.array([60.0, 60.0]), np.array([6000.0, 2500.0]), np.array([5e9, 1e9])
    )
    scheduler.handle(sample, 61.0)
    scheduler.handle(events.PodSeen(pod().requests(cpu="500m", memory="64Mi").manifest()), 62.0)
    instruction = scheduler.schedule_next(62.0)
    assert isinstance(instruction, Bind)
    assert instruction.node == "idle"


def measured(cpu: float, at: float) -> events.NodesMeasured:
    return events.NodesMeasured(("n",), np.array([at]), np.array([cpu]), np.array([0.0]))


@pytest.mark.parametrize("name", ["Koordinator", "Crane", "Volcano"])
def test_a_pod_that_load_rejected_comes_back_when_the_load_is_gone(name: str) -> None:
    scheduler = scheduler_of(name)
    scheduler.handle(events.NodeSeen(node("n").allocatable(cpu="10").manifest()), 0.0)
    scheduler.handle(measured(9000.0, 60.0), 61.0)
    scheduler.handle(events.PodSeen(pod().requests(cpu="500m").manifest()), 62.0)
    report = scheduler.schedule_next(62.0)
    assert isinstance(report, ReportUnschedulable)
    assert report.decision.rejections
    for at in (120.0, 180.0):
        scheduler.handle(measured(9000.0, at), at + 1.0)
        assert scheduler.schedule_next(at + 1.0) is None
    for minute in range(10):
        scheduler.handle(measured(100.0, 3600.0 + 240.0 + 60.0 * minute), 3600.0 + 241.0 + 60.0 * minute)
    assert isinstance(scheduler.schedule_next(4500.0), Bind)
    assert scheduler.statistics.scheduled_after_flush == 0


def test_a_pod_that_expired_metrics_rejected_comes_back_with_the_next_sample() -> None:
    scheduler = scheduler_of("Koordinator")
    scheduler.handle(events.NodeSeen(node("n").allocatable(cpu="10").manifest()), 0.0)
    scheduler.handle(measured(100.0, 60.0), 61.0)
    scheduler.handle(events.PodSeen(pod().requests(cpu="500m").manifest()), 240.0)
    report = scheduler.schedule_next(240.0)
    assert isinstance(report, ReportUnschedulable)
    assert "nodeMetric expired" in report.message
    scheduler.handle(measured(100.0, 250.0), 251.0)
    assert isinstance(scheduler.schedule_next(260.0), Bind)


@pytest.mark.parametrize("name", ["Random", "KubeScheduler"])
def test_metrics_do_not_change_what_a_policy_without_them_does(name: str) -> None:
    nodes = []
    for metrics in (False, True):
        scheduler = scheduler_of(name)
        for number in range(5):
            scheduler.handle(events.NodeSeen(node(f"n{number}").manifest()), 0.0)
        chosen = []
        for number in range(60):
            now = float(number)
            if metrics:
                names = tuple(f"n{each}" for each in range(5))
                used = np.arange(5.0) * number
                scheduler.handle(events.NodesMeasured(names, np.full(5, now), used, used), now)
            builder = pod(f"p{number}").requests(cpu="3" if number % 4 < 2 else "400m")
            manifest = builder.manifest()
            manifest["metadata"]["uid"] = f"p{number}"
            scheduler.handle(events.PodSeen(manifest), now)
            while (instruction := scheduler.schedule_next(now)) is not None:
                chosen.append(instruction.node if isinstance(instruction, Bind) else "")
            if number % 4 == 3:
                scheduler.handle(events.PodGone(f"p{number - 9}"), now)
        nodes.append(chosen)
    assert nodes[0] == nodes[1]
    assert "" in nodes[0]


def test_profiles_say_whether_they_tell_owners_apart() -> None:
    by_class = {name for name, make in POLICIES.items() if make(_AROUND).by_class}
    assert by_class == {name for name in (*BY_OWNERS, *BY_USE) if name.endswith("ByClass")} | {"ExpectedOverload"}
    assert not Profile().by_class
