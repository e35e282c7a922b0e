"""CPU is shared out as control groups share it, best-effort pods last."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.virtual_time.contention import cpu_weights, granted_cpu


def grants(
    pods: list[tuple[float, float, bool, int]], capacity: list[float], best_effort_least: float = 0.02
) -> Float64Array:
    demand, weight, best_effort, node = (np.array(column) for column in zip(*pods, strict=True))
    return granted_cpu(
        demand.astype(np.float64),
        weight.astype(np.float64),
        best_effort.astype(np.bool_),
        node.astype(np.int64),
        capacity=np.array(capacity),
        best_effort_least=best_effort_least,
    )


@pytest.mark.parametrize(
    ("millicores", "weight"),
    [(0, 1), (2, 1), (100, 4), (500, 20), (1000, 39), (64_000, 2500), (1_000_000, 10_000)],
)
def test_requests_become_weights_in_kubernetes_whole_numbers(millicores: int, weight: int) -> None:
    assert cpu_weights(np.array([millicores])).tolist() == [weight]


def test_without_contention_everyone_gets_what_it_wants() -> None:
    assert grants([(2, 1, False, 0), (3, 9, True, 0), (4, 1, False, 1)], [5.0, 4.0]).tolist() == [2, 3, 4]


def test_best_effort_pods_are_throttled_first() -> None:
    assert grants([(6, 1, False, 0), (6, 1, True, 0)], [10.0]).tolist() == [6, 4]


def test_best_effort_pods_keep_a_little_when_the_others_want_all() -> None:
    assert grants([(20, 1, False, 0), (6, 1, True, 0)], [10.0], 0.1).tolist() == [9, 1]


def test_a_best_effort_pod_that_wants_less_than_it_would_keep_leaves_the_rest() -> None:
    assert grants([(20, 1, False, 0), (0.5, 1, True, 0)], [10.0], 0.1).tolist() == [9.5, 0.5]


def test_equals_share_in_proportion_to_their_weights() -> None:
    assert grants([(20, 1, False, 0), (20, 3, False, 0)], [8.0]).tolist() == [2, 6]


def test_what_one_does_not_want_goes_to_the_others_by_weight() -> None:
    assert grants([(1, 5, False, 0), (20, 1, False, 0), (20, 2, False, 0)], [10.0]).tolist() == [1, 3, 6]


def test_a_contended_node_changes_nothing_on_another() -> None:
    assert grants([(20, 1, False, 0), (4, 1, False, 1), (1, 1, True, 1)], [8.0, 5.0]).tolist() == [8, 4, 1]


pods = st.tuples(st.floats(0, 50), st.integers(1, 100).map(float), st.booleans(), st.integers(0, 3))


@given(st.lists(pods, min_size=1, max_size=30), st.lists(st.floats(0.5, 60), min_size=4, max_size=4))
def test_nothing_is_wasted_and_nothing_is_given_twice(
    pods: list[tuple[float, float, bool, int]], capacity: list[float]
) -> None:
    granted = grants(pods, capacity)
    for node in range(4):
        here = [number for number, pod in enumerate(pods) if pod[3] == node]
        wanted = sum(pods[number][0] for number in here)
        assert granted[here].sum() == pytest.approx(min(wanted, capacity[node]))
        for number in here:
            assert 0 <= granted[number] <= pods[number][0]
        # Nobody who is short got less by weight than another of its kind got.
        for kind in (False, True):
            alike = [number for number in here if pods[number][2] is kind]
            level = max((granted[number] / pods[number][1] for number in alike), default=0.0)
            for number in alike:
                short = granted[number] < pods[number][0] * (1 - 1e-9)
                assert not short or granted[number] / pods[number][1] == pytest.approx(level, rel=1e-6, abs=1e-9)
