"""Whom the kernel kills, with the adjustments that the kubelet gives."""

import pytest

from hydatis.simulations.virtual_time.memory_kills import oom_adjustment, victims
from hydatis.simulations.virtual_time.workload import Owner


def owner(qos: str, memory_mib: int = 1000) -> Owner:
    return Owner("owner", "default", qos, 1000, memory_mib)


@pytest.mark.parametrize(
    ("qos", "memory_mib", "adjustment"),
    [
        ("Guaranteed", 1000, -997),
        ("BE", 1000, 1000),
        ("LS", 1000, 900),
        ("Burstable", 9999, 3),
        ("LS", 1, 999),
    ],
)
def test_adjustments_are_the_kubelets(qos: str, memory_mib: int, adjustment: int) -> None:
    assert oom_adjustment(owner(qos, memory_mib), 10_000.0) == adjustment


def test_nobody_is_killed_while_all_fit() -> None:
    assert victims([owner("BE"), owner("LS")], [500.0, 500.0], 1000.0, 1000.0) == []


def test_best_effort_pods_go_first_and_only_as_many_as_it_takes() -> None:
    owners = [owner("LS", 4000), owner("BE"), owner("Guaranteed"), owner("BE")]
    assert victims(owners, [4000.0, 2000.0, 4000.0, 1000.0], 10_000.0, 10_000.0) == [1]
    assert victims(owners, [5000.0, 2000.0, 5000.0, 1000.0], 10_000.0, 10_000.0) == [1, 3]


def test_of_equals_in_standing_the_one_furthest_over_its_request_goes_first() -> None:
    assert victims([owner("LS", 5000), owner("LS", 1000)], [5500.0, 5000.0], 10_000.0, 10_000.0) == [1]


def test_of_equal_scores_the_last_pod_goes_first() -> None:
    assert victims([owner("LS"), owner("LS")], [600.0, 600.0], 1000.0, 1000.0) == [1]
