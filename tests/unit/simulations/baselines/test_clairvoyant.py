"""The policy that knows the future, on futures written down by hand."""

import numpy as np
import pytest

from hydatis.simulations.baselines.clairvoyant import Clairvoyant
from hydatis.simulations.baselines.policies import POLICIES
from hydatis.simulations.virtual_time.record import RunRecord
from hydatis.simulations.virtual_time.running import run
from hydatis.simulations.virtual_time.running_pods import RunningPods
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.testing import Pod, default_policy, scenario_of, workload_of

_HOUR = 60
"""Values of a series that make an hour."""
IDLE_THEN_BUSY = [0.0] * _HOUR + [150.0] * _HOUR
BUSY_THEN_IDLE = [150.0] * _HOUR + [0.0] * _HOUR


def record(scenario: Scenario, *pods: Pod, policy: Clairvoyant | None = None) -> RunRecord:
    return run(scenario, workload_of(*pods), policy or Clairvoyant(), seed=1)


def test_a_pod_goes_where_its_own_future_meets_idle_nodes() -> None:
    first = Pod(lifetime=7200, cpu=3000, cpu_percent=IDLE_THEN_BUSY)
    second = Pod(created=1, lifetime=7200, cpu=3000, cpu_percent=BUSY_THEN_IDLE)
    # Each request fits beside either; only the use of two that are busy at the same time is too much.
    found = record(scenario_of(8, 8, hours=2), first, second, Pod(2.0, 7200, 3000, cpu_percent=IDLE_THEN_BUSY))
    assert found.node_of_pod[2] == found.node_of_pod[1] != found.node_of_pod[0]
    assert found.throttled_core_seconds.sum() == 0


def test_what_comes_after_the_horizon_or_after_the_end_does_not_count() -> None:
    there = Pod(lifetime=7200, cpu=1000, cpu_percent=[10.0] * _HOUR + [700.0] * _HOUR)
    busy = Pod(created=0, lifetime=7200, cpu=1000, cpu_percent=(300,))
    for horizon, lifetime, node in ((1800.0, 7200.0, 0), (7200.0, 7200.0, 1), (7200.0, 600.0, 0)):
        later = Pod(created=1, lifetime=lifetime, cpu=1000, cpu_percent=(100,))
        found = record(scenario_of(8, 8, hours=2), there, busy, later, policy=Clairvoyant(horizon_seconds=horizon))
        assert found.node_of_pod[0] != found.node_of_pod[1]
        assert found.node_of_pod[2] == found.node_of_pod[node]


def test_of_nodes_without_overload_the_emptier_by_use_is_taken() -> None:
    found = record(
        scenario_of(8, 8),
        Pod(cpu=3000, cpu_percent=(10,)),
        Pod(created=1, cpu=1000, cpu_percent=(100,)),
        Pod(created=40, cpu=1000, cpu_percent=(100,)),
    )
    assert found.node_of_pod[1] != found.node_of_pod[0]
    assert found.node_of_pod[2] == found.node_of_pod[0]


def test_memory_counts_too() -> None:
    full = Pod(memory=20_000, memory_percent=(100,), cpu_percent=(0,))
    found = record(scenario_of(8, 8), full, Pod(created=1, memory=10_000, memory_percent=(100,), cpu_percent=(50,)))
    assert found.node_of_pod[0] != found.node_of_pod[1]


def test_what_is_foreseen_is_what_comes() -> None:
    workload = workload_of(
        Pod(cpu=1000, cpu_percent=(10, 20, 30), memory=1000, memory_percent=(40,)),
        Pod(cpu=2000, cpu_percent=(50,)),
    )
    pods = RunningPods(workload, np.full(2, 4000.0), np.full(2, 8000.0))
    pods.start(0, 0, 0.0, 1000.0)
    pods.start(1, 1, 0.0, 90.0)
    times = np.array([0.0, 60.0, 120.0])
    cpu, memory = pods.foreseen(times)
    assert cpu.tolist() == [[100, 200, 300], [1000, 1000, 0]]
    assert memory[0] == pytest.approx([400, 400, 400])
    assert pods.cpu_of(0, times).tolist() == [100, 200, 300]
    assert pods.memory_of(0, times) == pytest.approx([400, 400, 400])


def test_it_throttles_less_than_who_knows_only_requests() -> None:
    random = np.random.default_rng(3)
    pods = [
        Pod(
            created=20.0 * number,
            lifetime=3000,
            cpu=1000,
            cpu_percent=[0.0] * (start := int(random.integers(30))) + [250.0] * 20 + [0.0] * (60 - 20 - start),
        )
        for number in range(32)
    ]
    scenario = scenario_of(16, 16, 16, 16)
    known = record(scenario, *pods).throttled_core_seconds.sum()
    unknown = run(scenario, workload_of(*pods), default_policy(), seed=1).throttled_core_seconds.sum()
    assert known < 0.5 * unknown


def test_the_same_run_gives_the_same_bytes_and_needs_a_policy_of_its_own() -> None:
    pods = [Pod(created=7.0 * number, cpu_percent=(10 * number,)) for number in range(24)]
    assert record(scenario_of(8, 16), *pods).digest() == record(scenario_of(8, 16), *pods).digest()
    assert "Clairvoyant" in POLICIES
