import numpy as np
import pytest

from hydatis.simulations.static_packing.workload import order_of_pods
from hydatis.simulations.traces.forms import Arrivals, NodeList


def pods(*gpus: int) -> Arrivals:
    count = len(gpus)
    absent = np.full(count, np.nan)
    ones = np.ones(count, dtype=np.int64)
    return Arrivals(
        names=tuple(map(str, range(count))), owners=("",) * count, qos=("",) * count, cpu_millicores=1000 * ones,
        memory_mib=ones, gpus=np.array(gpus), gpu_milli=np.where(np.array(gpus) > 0, 1000, 0), gpu_models=((),) * count,
        disk_gib=absent, nic_percent=absent, most_per_node=0 * ones, created_seconds=absent, scheduled_seconds=absent,
        deleted_seconds=absent,
    )  # fmt: skip


def nodes(*gpus: int) -> NodeList:
    ones = np.ones(len(gpus), dtype=np.int64)
    return NodeList(tuple(map(str, gpus)), 64_000 * ones, 1024 * ones, np.array(gpus), ("T4",) * len(gpus))


def test_every_pod_comes_once_before_any_comes_again() -> None:
    order = order_of_pods(pods(1, 1, 2, 0), nodes(8), np.random.default_rng(1), demand=1.3)
    assert sorted(order[:4].tolist()) == [0, 1, 2, 3]
    assert len(order) > 4


@pytest.mark.parametrize("seed", range(5))
def test_pods_are_drawn_until_the_next_would_exceed_the_demand(seed: int) -> None:
    workload, cluster = pods(*([1] * 30), 8), nodes(8, 8, 8, 8, 8)
    order = order_of_pods(workload, cluster, np.random.default_rng(seed), demand=1.3)
    total = int(workload.gpu_demand_milli[order].sum())
    assert 52_000 - 8_000 < total <= 52_000


@pytest.mark.parametrize("seed", range(5))
def test_where_more_is_wanted_than_the_demand_some_are_left_out(seed: int) -> None:
    workload = pods(*([1] * 30), 8)
    order = order_of_pods(workload, nodes(8), np.random.default_rng(seed), demand=1.3)
    assert len(set(order.tolist())) == len(order)
    assert 10_400 - 8_000 < int(workload.gpu_demand_milli[order].sum()) <= 10_400


def test_the_order_is_random_and_its_seed_repeats_it() -> None:
    def drawn(seed: int) -> tuple[int, ...]:
        return tuple(order_of_pods(pods(*([1] * 50)), nodes(8), np.random.default_rng(seed), demand=20).tolist())

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_pods_without_gpus_come_once() -> None:
    order = order_of_pods(pods(0, 0, 0), nodes(8), np.random.default_rng(1))
    assert sorted(order.tolist()) == [0, 1, 2]
