"""Pods that run: what they want, get and have left, recounted one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydatis.simulations.virtual_time.running_pods import RunningPods
from hydatis.simulations.virtual_time.testing import Pod, workload_of


def running(*pods: Pod, cpu: float = 4000.0, memory: float = 8192.0, nodes: int = 1) -> RunningPods:
    return RunningPods(workload_of(*pods), np.full(nodes, cpu), np.full(nodes, memory))


def step(pods: RunningPods, now: float) -> None:
    pods.settle(now)
    pods.look(now)
    pods.share_cpu(0.02, 1.0)


def test_a_pod_wants_its_series_percent_of_its_request_at_that_time() -> None:
    pods = running(Pod(cpu=2000, memory=1000, cpu_percent=(10, 50), memory_percent=(20, 40, 60)))
    pods.start(0, 0, 0.0, 1000.0)
    wanted, used = [], []
    for now in (0.0, 30.0, 60.0, 120.0, 180.0):
        step(pods, now)
        wanted += pods.by_node(pods.cpu_wanted).tolist()
        used += pods.by_node(pods.memory_used).tolist()
    assert wanted == [200, 200, 1000, 200, 1000]
    assert used == pytest.approx([200, 200, 400, 600, 200])


def test_an_undisturbed_pod_ends_when_its_lifetime_is_over() -> None:
    pods = running(Pod())
    pods.start(0, 0, 10.0, 65.0)
    step(pods, 30.0)
    assert pods.ending_by(30.0, 60.0) == []
    step(pods, 60.0)
    assert pods.ending_by(60.0, 90.0) == [(75.0, 0)]
    assert pods.stop(0, 75.0) == (0.0, 0.0)


def test_a_throttled_pod_takes_longer_by_what_it_was_denied() -> None:
    pods = running(Pod(cpu=4000, cpu_percent=(200,)))
    pods.start(0, 0, 0.0, 60.0)
    step(pods, 0.0)
    assert pods.by_node(pods.cpu_given).tolist() == [4000]
    step(pods, 30.0)
    step(pods, 60.0)
    step(pods, 90.0)
    assert pods.ending_by(90.0, 120.0) == [(120.0, 0)]
    left, stretched = pods.stop(0, 120.0)
    assert left == pytest.approx(0)
    assert stretched == pytest.approx(60)


def test_stretching_can_be_assumed_away() -> None:
    pods = running(Pod(cpu=4000, cpu_percent=(200,)))
    pods.start(0, 0, 0.0, 20.0)
    pods.look(0.0)
    pods.share_cpu(0.02, 0.0)
    assert pods.ending_by(0.0, 30.0) == [(20.0, 0)]


def test_a_pod_that_wants_nothing_is_not_slowed_down() -> None:
    pods = running(Pod(cpu_percent=(0,)), Pod(cpu=4000, cpu_percent=(200,)))
    pods.start(0, 0, 0.0, 20.0)
    pods.start(1, 0, 0.0, 20.0)
    step(pods, 0.0)
    assert pods.ending_by(0.0, 30.0) == [(20.0, 0)]


def test_a_slot_is_used_again() -> None:
    pods = running(*[Pod()] * 300)
    for pod in range(300):
        pods.start(pod, 0, float(pod), 1000.0)
        pods.stop(pod, float(pod))
    assert pods.top == 1


def test_pods_over_a_nodes_memory_are_named() -> None:
    pods = running(
        Pod(memory=4096, memory_percent=(100,)),
        Pod(memory=4096, memory_percent=(150,), qos="BE"),
        Pod(memory=4096, memory_percent=(150,), qos="BE"),
        nodes=2,
    )
    pods.start(0, 0, 0.0, 100.0)
    pods.start(1, 0, 0.0, 100.0)
    pods.start(2, 1, 0.0, 100.0)
    step(pods, 0.0)
    assert pods.over_memory(1.0) == [1]
    assert pods.over_memory(0.5) == [1, 2]


moves = st.lists(st.tuples(st.integers(0, 79), st.integers(0, 2)), max_size=200)


@given(moves, st.lists(st.integers(0, 300), min_size=80, max_size=80))
@settings(max_examples=50)
def test_sums_by_node_are_those_over_its_pods_recounted_from_nothing(
    moves: list[tuple[int, int]], percents: list[int]
) -> None:
    sketches = [Pod(cpu=100 * (number + 1), cpu_percent=(percent,)) for number, percent in enumerate(percents)]
    pods = running(*sketches, cpu=20_000.0, nodes=3)
    where: dict[int, int] = {}
    for now, (pod, node) in enumerate(moves):
        if pod in where:
            pods.stop(pod, float(now))
            del where[pod]
        else:
            pods.start(pod, node, float(now), 1e6)
            where[pod] = node
        step(pods, float(now))
        for number in range(3):
            here = [pod for pod, node in where.items() if node == number]
            assert pods.on_node(number) == sorted(here)
            assert pods.by_node(pods.cpu_request)[number] == sum(sketches[pod].cpu for pod in here)
            wanted = sum(sketches[pod].cpu * percents[pod] / 100 for pod in here)
            assert pods.by_node(pods.cpu_wanted)[number] == pytest.approx(wanted)
            assert pods.by_node(pods.cpu_given)[number] == pytest.approx(min(wanted, 20_000.0))
