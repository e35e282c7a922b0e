import pytest

from hydatis.simulations.measures.capacity import typical_pod
from hydatis.simulations.measures.catalogue import measure_run
from hydatis.simulations.measures.counted import CountedPart
from hydatis.simulations.measures.prices import Prices
from hydatis.simulations.measures.testing import NOT_THERE, PodFate, record, with_tables

# The typical pod asks for 2 cores and 8 GiB: medians, each by itself.
PODS = (
    PodFate(created=0, cpu_millicores=1000, memory_mib=65536),
    PodFate(created=0, cpu_millicores=2000, memory_mib=8192),
    PodFate(created=0, cpu_millicores=9000, memory_mib=1024),
)
RUN = with_tables(
    record([[0, 0], [50, 90], [70, NOT_THERE], [85, 65]], PODS, cores=[10, 30], gib=[64, 32], measured_from=60),
    requested_cpu=[[0, 0], [50, 50], [90, 0], [100, 100]],
    requested_memory=[[0, 0], [95, 50], [50, 0], [100, 100]],
    pods=[[9, 9], [1, 2], [0, 0], [1, 0]],
)


def test_the_typical_pod_is_the_median_of_each_request() -> None:
    assert typical_pod(CountedPart(RUN)) == (2000, 8192)


def test_nodes_with_a_pod_are_used() -> None:
    assert measure_run(RUN)["nodes_used"] == pytest.approx((2 + 0 + 1) / 3)


def test_used_nodes_cost_their_cores_and_memory() -> None:
    # 10 + 64 / 2 = 42 an hour for the first node, 30 + 32 / 2 = 46 for the second.
    measured = measure_run(RUN, Prices(core_hour_usd=1, gib_hour_usd=0.5))
    assert measured["cost_usd_a_day"] == pytest.approx(24 * (88 + 0 + 42) / 3)


def test_capacity_is_stranded_where_the_typical_pod_lacks_the_other_resource() -> None:
    # At 60 s the first node has 5 of its 10 cores free, but just 3.2 GiB; the second has room for both.
    assert measure_run(RUN)["stranded_cpu_percent"] == pytest.approx((100 * 5 / 40 + 0 + 0) / 3)
    # At 120 s the first node, alone, has 1 core and 32 of its 64 GiB free.
    assert measure_run(RUN)["stranded_memory_percent"] == pytest.approx((0 + 100 * 32 / 64 + 0) / 3)
