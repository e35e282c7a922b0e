"""What becomes of pods and nodes in small runs, worked out by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hydatis.scheduler import events
from hydatis.simulations.virtual_time.faults import NodeChange, PlannedChange
from hydatis.simulations.virtual_time.record import PodOutcome, RunRecord
from hydatis.simulations.virtual_time.running import Run, run
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.testing import Pod, default_policy, scenario_of, workload_of


def record(scenario: Scenario, *pods: Pod) -> RunRecord:
    return run(scenario, workload_of(*pods), default_policy(), seed=1)


def record_with(scenario: Scenario, changes: list[PlannedChange], *pods: Pod) -> RunRecord:
    """Play with changes of nodes that are planned by hand."""
    one = Run(scenario, workload_of(*pods), default_policy(), seed=1)
    one._plan = changes
    return one.play()


def outcomes(record: RunRecord) -> list[PodOutcome]:
    return [PodOutcome(value) for value in record.outcome.tolist()]


def test_a_pod_is_placed_when_it_comes_and_finishes_after_its_lifetime() -> None:
    found = record(scenario_of(4), Pod(created=10.5, lifetime=100.25))
    assert outcomes(found) == [PodOutcome.FINISHED]
    assert found.placed_seconds.tolist() == [10.5]
    assert found.ended_seconds.tolist() == [110.75]
    assert found.stretched_seconds.tolist() == [0]
    assert found.node_of_pod.tolist() == [0]
    assert found.decisions == 1


def test_samples_show_what_the_pods_of_a_node_want_use_and_request() -> None:
    found = record(scenario_of(4), Pod(lifetime=100, cpu=1950, memory=1587, cpu_percent=(100,), memory_percent=(50,)))
    assert found.times_seconds[:3].tolist() == [0, 60, 120]
    assert found.cpu_demand_percent[:3, 0].tolist() == [50, 50, 0]
    assert found.cpu_requested_percent[:3, 0].tolist() == [50, 50, 0]
    assert found.memory_used_percent[:3, 0] == pytest.approx([5, 5, 0], rel=1e-3)
    assert found.memory_requested_percent[:3, 0] == pytest.approx([10, 10, 0], rel=1e-3)
    assert found.network_kib_s[:3, 0].tolist() == [10, 10, 0]
    assert found.disk_kib_s[:3, 0].tolist() == [20, 20, 0]
    assert found.pods_on_node[:3, 0].tolist() == [1, 1, 0]


def test_a_pod_without_room_waits_for_one_that_ends() -> None:
    found = record(scenario_of(4), Pod(lifetime=300, cpu=3000), Pod(created=10, lifetime=60, cpu=3000))
    assert found.placed_seconds.tolist() == [0, 300]
    assert found.ended_seconds.tolist() == [300, 360]
    assert found.pending_pods[:7].tolist() == [0, 1, 1, 1, 1, 0, 0]


def test_a_pod_that_waits_too_long_is_given_up() -> None:
    found = record(scenario_of(4), Pod(lifetime=3000, cpu=3000), Pod(created=10, cpu=3000, patience=200))
    assert outcomes(found) == [PodOutcome.FINISHED, PodOutcome.GAVE_UP]
    assert np.isnan(found.placed_seconds[1])
    assert found.ended_seconds[1] == 210
    assert found.node_of_pod[1] == -1


def test_what_has_not_ended_runs_or_waits_at_the_end() -> None:
    found = record(scenario_of(4), Pod(lifetime=1e6, cpu=3000), Pod(created=10, cpu=3000))
    assert outcomes(found) == [PodOutcome.RUNNING, PodOutcome.PENDING]
    assert np.isnan(found.ended_seconds).all()


def test_a_contended_node_stretches_what_runs_there_best_effort_first() -> None:
    wants_all = Pod(cpu=1900, cpu_percent=(200,), lifetime=300)
    found = record(scenario_of(4), wants_all, replace(wants_all, qos="BE"))
    # The first gets 3,800 of 3,900 millicores, so the other creeps until it ends.
    assert found.stretched_seconds[0] == 0
    assert found.ended_seconds[0] == 300
    assert found.ended_seconds[1] == pytest.approx(300 + 300 * (1 - 100 / 3800))
    assert found.cpu_demand_percent[0, 0] == pytest.approx(100 * 7600 / 3900)
    assert found.throttled_core_seconds[0] == pytest.approx(60 * 3.7)


def test_a_pod_killed_for_memory_is_made_again_after_a_growing_wait_and_no_more_after_the_last() -> None:
    greedy = Pod(memory=10_000, memory_percent=(200,), qos="BE", lifetime=1000, owner="greedy")
    found = record(scenario_of(4, most_kills=2, restart_seconds=40.0), greedy)
    # Killed as soon as it is looked at: at 0, made again at 40, killed at 60, made again at 140, killed at 150.
    assert outcomes(found) == [PodOutcome.KILLED]
    assert found.restarts.tolist() == [2]
    assert found.ended_seconds.tolist() == [150]


def test_a_kill_leaves_the_others_alone() -> None:
    found = record(
        scenario_of(4, most_kills=0),
        Pod(memory=4000, memory_percent=(150,), qos="BE"),
        Pod(memory=10_000, memory_percent=(100,)),
    )
    assert outcomes(found) == [PodOutcome.KILLED, PodOutcome.FINISHED]
    assert found.memory_used_percent[0, 0] == pytest.approx(100 * 10_000 / 15_872)


def failure(node: int, seconds: float) -> list[PlannedChange]:
    steps = (NodeChange.FAILS, NodeChange.IS_KNOWN_LOST, NodeChange.PODS_ARE_DELETED, NodeChange.JOINS)
    return [PlannedChange(seconds + 50 * number, node, step) for number, step in enumerate(steps)]


def drain(node: int, seconds: float) -> list[PlannedChange]:
    steps = (NodeChange.IS_DRAINED, NodeChange.LEAVES, NodeChange.JOINS)
    return [PlannedChange(seconds + 50 * number, node, step) for number, step in enumerate(steps)]


def test_a_failed_nodes_pods_are_made_again_once_the_api_server_deletes_them() -> None:
    found = record_with(scenario_of(4), failure(0, 100.0), Pod(lifetime=300, qos="LS"))
    # 100 s done; deleted at 200, made again at 201, placed when the node is back at 250.
    assert outcomes(found) == [PodOutcome.FINISHED]
    assert found.restarts.tolist() == [1]
    assert found.placed_seconds.tolist() == [0]
    assert found.ended_seconds.tolist() == [450]
    assert np.isnan(found.cpu_demand_percent[2:5, 0]).all()
    assert found.cpu_demand_percent[5, 0] > 0


def test_a_best_effort_pod_starts_over_after_a_failure_unless_assumed_otherwise() -> None:
    for starts_over, ended in ((True, 550), (False, 450)):
        scenario = scenario_of(4, best_effort_starts_over=starts_over)
        found = record_with(scenario, failure(0, 100.0), Pod(lifetime=300, qos="BE"))
        assert found.ended_seconds.tolist() == [ended]


def test_pods_bound_to_a_node_of_which_nobody_knows_that_it_failed_are_lost_too() -> None:
    found = record_with(scenario_of(4), failure(0, 100.0), Pod(created=120, lifetime=300))
    assert found.placed_seconds.tolist() == [120]
    assert found.restarts.tolist() == [1]
    assert found.ended_seconds.tolist() == [550]


def test_a_pod_whose_node_is_not_back_in_time_is_lost() -> None:
    changes = failure(0, 3500.0)
    found = record_with(scenario_of(4), changes[:2], Pod(lifetime=5000))
    assert outcomes(found) == [PodOutcome.LOST]
    assert found.ended_seconds.tolist() == [3500]


def test_a_drained_nodes_pods_go_elsewhere() -> None:
    scenario = scenario_of(4, 4)
    found = record_with(scenario, [*drain(0, 100.0), *drain(1, 400.0)], Pod(lifetime=600, cpu=3000))
    # Whichever node it is on, it is evicted once or twice, waits a second each time, and loses no work.
    assert outcomes(found) == [PodOutcome.FINISHED]
    assert found.restarts[0] in (1, 2)
    assert found.ended_seconds[0] == 600 + found.restarts[0]
    assert np.isnan(found.cpu_demand_percent[3, 0])
    assert not np.isnan(found.cpu_demand_percent[5, 0])


def test_the_planned_end_of_a_former_life_does_not_end_the_next() -> None:
    # It was to end at 100; evicted at 95, it has 5 s left to run from 96 on.
    found = record_with(scenario_of(4, 8), drain(1, 95.0), Pod(lifetime=100, cpu=3000))
    assert found.node_of_pod.tolist() == [0]
    assert found.ended_seconds.tolist() == [101]


def test_a_node_that_joins_late_takes_pods_then() -> None:
    one = Run(scenario_of(4), workload_of(Pod(created=10, lifetime=60)), default_policy(), seed=1)
    one._late, one._plan = frozenset({0}), [PlannedChange(200.0, 0, NodeChange.JOINS)]
    assert one.play().placed_seconds.tolist() == [200]


def test_binding_takes_the_time_that_is_assumed() -> None:
    found = record(scenario_of(4, bind_seconds=7.5), Pod(created=10, lifetime=60), Pod(created=11, cpu=3800))
    assert found.placed_seconds.tolist() == [17.5, 85]
    assert found.ended_seconds[0] == 77.5


def test_a_binding_under_way_to_a_node_that_leaves_is_made_again_elsewhere() -> None:
    scenario = scenario_of(4, 8, bind_seconds=20)
    drains = [PlannedChange(15.0, 1, NodeChange.IS_DRAINED), PlannedChange(20.0, 1, NodeChange.LEAVES)]
    found = record_with(scenario, drains, Pod(created=10, lifetime=60, cpu=3000))
    assert found.node_of_pod.tolist() == [0]
    assert found.restarts.tolist() == [0]
    assert outcomes(found) == [PodOutcome.FINISHED]


def test_pods_of_higher_priority_displace_others_who_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Run(
        scenario_of(4), workload_of(Pod(lifetime=500, cpu=3000), Pod(created=100, lifetime=60, cpu=3000)),
        default_policy(), seed=1,
    )  # fmt: skip
    one._owners[1]._spec["priority"] = 10
    found = one.play()
    assert found.placed_seconds.tolist() == [0, 100]
    assert found.restarts.tolist() == [1, 0]
    assert found.ended_seconds.tolist() == [560, 160]


class _Listening(Run):
    """Keeps the metrics that the scheduler is told."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.heard: list[tuple[float, events.NodesMeasured, events.PodsMeasured]] = []

    def _metrics_arrive(self, planned: Any, now: float) -> None:
        self.heard.append((now, *self._scraped[0]))
        super()._metrics_arrive(planned, now)


def test_the_scheduler_learns_late_what_was_used_over_the_window() -> None:
    pod = Pod(lifetime=1000, cpu=1000, memory=1000, cpu_percent=(20, 60), memory_percent=(30,), owner="web")
    listening = _Listening(scenario_of(4, delivery_seconds=12.0), workload_of(pod), default_policy(), seed=1)
    listening.play()
    now, nodes, pods = listening.heard[3]
    assert now == 132
    assert list(nodes.nodes) == ["node-4-0000"]
    assert list(pods.uids) == ["web-0"]
    for measured in (nodes, pods):
        assert measured.sampled_at.tolist() == [120]
        # From 60 s to 120 s; a window later it is the other value.
        assert measured.cpu_millicores.tolist() == [600]
        assert measured.memory_bytes == pytest.approx([300 * 2**20])
    assert listening.heard[4][1].cpu_millicores.tolist() == [400]
    assert listening.heard[5][1].cpu_millicores.tolist() == [200]
