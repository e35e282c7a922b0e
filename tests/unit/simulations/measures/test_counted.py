import math

import numpy as np

from hydatis.simulations.measures.catalogue import measure_run
from hydatis.simulations.measures.counted import CountedPart
from hydatis.simulations.measures.testing import NOT_THERE, PodFate, record
from hydatis.simulations.virtual_time.record import PodOutcome


def test_the_warm_up_and_moments_without_any_node_do_not_count() -> None:
    part = CountedPart(record([[10.0], [20.0], [NOT_THERE], [30.0]], measured_from=60))
    assert part.times_seconds.tolist() == [60, 180]
    assert part.node_minutes.tolist() == [20, 30]
    assert part.end_seconds == 240


def test_free_capacity_is_what_nobody_requested_on_nodes_that_are_there() -> None:
    part = CountedPart(record([[10.0, NOT_THERE]], cores=[4, 8], gib=[16, 32]))
    assert part.free_millicores.tolist() == [[4000, 0]]
    assert part.free_mib.tolist() == [[16 * 1024, 0]]


def test_nodes_that_no_pod_can_use_do_not_count() -> None:
    run = record([[0.0, 90.0], [0.0, NOT_THERE]], cores=[4, 8], gib=[16, 32])
    part = CountedPart(run, open_nodes=np.array([False, True]))
    assert part.node_minutes.tolist() == [90]
    assert part.times_seconds.tolist() == [0]
    assert part.capacity_millicores.tolist() == [8000]
    assert part.capacity_mib.tolist() == [32 * 1024]
    measured = measure_run(run, open_nodes=np.array([False, True]))
    assert (measured["node_minutes_above_80"], measured["nodes_used"]) == (100, 1)


def test_pods_are_new_from_the_end_of_the_warm_up_on() -> None:
    pods = (
        PodFate(created=0, placed=0, ended=50, outcome=PodOutcome.FINISHED),
        PodFate(created=59, placed=60),
        PodFate(created=60, placed=60),
    )
    part = CountedPart(record([[1.0], [1.0]], pods, measured_from=60))
    assert part.new_pods.tolist() == [False, False, True]
    assert part.pods_alive.tolist() == [False, True, True]
    assert part.new_pods_that(PodOutcome.RUNNING, PodOutcome.PENDING).tolist() == [False, False, True]


def test_a_run_that_ends_within_its_warm_up_has_no_numbers_of_nodes() -> None:
    measured = measure_run(record([[10.0]], measured_from=3600))
    of_nodes = ("node_minutes_above_80", "cpu_p99_percent", "cpu_spread_points", "cpu_imbalance", "nodes_used")
    assert all(math.isnan(measured[name]) for name in (*of_nodes, "cost_usd_a_day", "stranded_cpu_percent"))
    assert np.nansum(list(measured.values())) == 0
