"""Whatever happens in a run, nothing is used that was not placed, no pod is lost, and time never runs back."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hydatis.simulations.virtual_time.record import PodOutcome, RunRecord
from hydatis.simulations.virtual_time.running import Run, run
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.testing import Pod, default_policy, scenario_of, workload_of
from hydatis.simulations.virtual_time.workload import Workload

_percents = st.lists(st.integers(0, 250), min_size=1, max_size=3)


@st.composite
def pods(draw: st.DrawFn) -> list[Pod]:
    drawn = draw(
        st.lists(
            st.builds(
                Pod,
                created=st.one_of(st.just(0.0), st.integers(0, 40).map(lambda n: 45.0 * n), st.floats(0, 1800)),
                lifetime=st.one_of(st.integers(1, 20).map(lambda n: 30.0 * n), st.floats(0.001, 3000)),
                cpu=st.integers(1, 50).map(lambda n: 100 * n),
                memory=st.integers(1, 64).map(lambda n: 256 * n),
                qos=st.sampled_from(["LS", "BE", "Guaranteed"]),
                cpu_percent=_percents,
                memory_percent=_percents,
                patience=st.sampled_from([0.0, 100.0, np.inf]),
            ),
            max_size=25,
        )
    )
    return sorted(drawn, key=lambda pod: pod.created)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    step = draw(st.sampled_from([30.0, 60.0]))
    return scenario_of(
        *draw(st.lists(st.sampled_from([2, 4, 8]), min_size=1, max_size=4)),
        hours=0.5,
        step_seconds=step,
        scrape_seconds=step,
        missing_share=draw(st.sampled_from([0.0, 0.3])),
        bind_seconds=draw(st.sampled_from([0.0, 2.5, 90.0])),
        delivery_seconds=draw(st.sampled_from([0.0, 15.0, 70.0])),
        most_kills=draw(st.integers(0, 3)),
        failures_a_node_day=draw(st.sampled_from([0.0, 60.0])),
        drains_a_node_day=draw(st.sampled_from([0.0, 60.0])),
        late_share=draw(st.sampled_from([0.0, 0.4])),
        repair_seconds=60.0,
        maintenance_seconds=60.0,
        toleration_seconds=draw(st.sampled_from([0.0, 100.0])),
    )


@given(scenarios(), pods(), st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_pods_and_amounts_are_conserved_at_every_moment(scenario: Scenario, pods: list[Pod], seed: int) -> None:
    workload = workload_of(*pods)
    one = Run(scenario, workload, default_policy(), seed)
    one.begin()
    before, on = 0.0, dict[int, int]()
    ran = np.zeros(len(workload))
    while one.proceed():
        assert one.queue.now >= before
        ran[list(on)] += one.queue.now - before
        before, on = one.queue.now, _check(one, workload)
    _check_record(one.finish(), scenario, workload, ran)


def _check(one: Run, workload: Workload) -> dict[int, int]:
    """Recount the run from nothing, from its pods, one by one, and from what the core counts; return which pods run on
    which nodes.
    """
    running, machines = one.running, one.machines
    top = running.top
    on = {int(pod): int(running.node[slot]) for slot, pod in enumerate(running.pod[:top]) if running.taken[slot]}
    assert all(running.slot_of_pod[pod] >= 0 for pod in on)
    assert len(on) == int(running.taken.sum()) == int((running.slot_of_pod >= 0).sum())
    # Nothing runs on a node that does not work, and free slots use nothing.
    assert all(machines.running[node] for node in on.values())
    for amounts in (running.cpu_request, running.cpu_wanted, running.cpu_given, running.memory_used):
        assert not amounts[~running.taken].any()
    # No node holds more requests than it has, nor gives more CPU.
    counted = {name: kept for name, kept, _ in one.scheduler.recounted()}
    for node, name in enumerate(machines.names):
        here = [pod for pod, its in on.items() if its == node]
        cpu = sum(workload.cpu_millicores[here])
        assert running.by_node(running.cpu_request)[node] == pytest.approx(cpu)
        assert cpu <= machines.cpu_millicores[node]
        assert sum(workload.memory_mib[here]) <= machines.memory_mib[node]
        assert running.by_node(running.cpu_given)[node] <= machines.cpu_millicores[node] * (1 + 1e-9)
        # The core counts what runs there, what is on its way there, and what was there when the node failed.
        others = [pod for pod, its in one._chosen_nodes.items() if its == node]
        others += one._on_dead_node.get(node, [])
        if machines.known[node]:
            assert counted[name].get("cpu", 0) == cpu + sum(workload.cpu_millicores[others])
            assert counted[name].get("pods", 0) == len(here) + len(others)
    for kept, again in ((kept, again) for _, kept, again in one.scheduler.recounted()):
        assert kept == again
    # Who waits is not running, and the other way round.
    assert not one.waiting & on.keys()
    outcome = one.recorder.outcome
    assert {pod for pod in range(len(workload)) if outcome[pod] == PodOutcome.RUNNING} == on.keys()
    assert all(outcome[pod] == PodOutcome.PENDING for pod in one.waiting)
    return on


def _check_record(record: RunRecord, scenario: Scenario, workload: Workload, ran: NDArray[np.float64]) -> None:
    """Hold the record against the workload, and against how long each pod was seen running."""
    count = Counter(PodOutcome(value) for value in record.outcome.tolist())
    assert sum(count.values()) == len(workload)
    assert record.times_seconds.tolist() == [60.0 * sample for sample in range(30)]
    finished = record.outcome == PodOutcome.FINISHED
    ended = ~np.isnan(record.ended_seconds)
    placed = ~np.isnan(record.placed_seconds)
    over = [PodOutcome.FINISHED, PodOutcome.GAVE_UP, PodOutcome.KILLED, PodOutcome.LOST]
    assert (ended == np.isin(record.outcome, over)).all()
    assert placed[finished].all()
    assert (placed == (record.node_of_pod >= 0)).all()
    assert (record.placed_seconds[placed] >= record.created_seconds[placed]).all()
    both = placed & ended & (record.restarts == 0)
    assert (record.ended_seconds[both] >= record.placed_seconds[both]).all()
    assert (record.stretched_seconds >= 0).all()
    # A life takes as long as it should, plus what it was stretched by; more only for those who had to start over.
    takes = workload.lifetime_seconds + record.stretched_seconds
    best_effort = np.array([owner.best_effort for owner in workload.owners], dtype=np.bool_)[workload.owner_of_pod]
    once = finished & ((record.restarts == 0) | ~best_effort)
    assert ran[once] == pytest.approx(takes[once], abs=1e-6)
    assert (ran[finished] >= takes[finished] - 1e-6).all()
    there = ~np.isnan(record.cpu_demand_percent)
    assert (record.pods_on_node[~there] == 0).all()
    # Requests never exceed what a node has.
    assert (record.cpu_requested_percent[there] <= 100 + 1e-4).all()
    assert (record.memory_requested_percent[there] <= 100 + 1e-4).all()
    # Memory is full at most: who is above is killed.
    assert (record.memory_used_percent[there] <= 100 + 1e-4).all()
    # What was wanted and not given is what demand is above capacity, at least.
    if scenario.assumptions.sample_seconds == scenario.assumptions.step_seconds:
        capacity = record.cpu_capacity_millicores / 1000
        over_capacity = np.nansum(np.maximum(record.cpu_demand_percent / 100 - 1, 0) * capacity, axis=1)
        assert record.throttled_core_seconds == pytest.approx(over_capacity * 60, rel=1e-4, abs=1e-3)


@given(scenarios(), pods(), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_same_run_gives_the_same_bytes(scenario: Scenario, pods: list[Pod], seed: int) -> None:
    first = run(scenario, workload_of(*pods), default_policy(), seed)
    second = run(scenario, workload_of(*pods), default_policy(), seed)
    assert list(first.parts()) == list(second.parts())
    assert first.digest() == second.digest()
