"""Workloads from the traces: whatever days and machines the folder holds."""

import os

import numpy as np
import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.traces.folder import DATA_VARIABLE, DataFolder
from hydatis.simulations.traces.forms import Arrivals, UsageSeries
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.made_up import MadeUp
from hydatis.simulations.virtual_time.pool import part_of
from hydatis.simulations.virtual_time.recorded import Recorded
from hydatis.simulations.virtual_time.scenario import Demand, Part
from hydatis.simulations.virtual_time.sources import open_source

_DAY = 86_400
_METRICS = (
    "cpu_percent", "memory_percent", "disk_read_kib_s", "disk_write_kib_s", "network_received_kib_s",
    "network_sent_kib_s",
)  # fmt: skip


def arrivals(days: int, a_day: int = 20) -> Arrivals:
    """Pods of two kinds, spread evenly over days from day 200 on."""
    count = days * a_day
    created = 200.0 * _DAY + np.arange(count) * _DAY / a_day
    kind = np.arange(count) % 4 == 0
    absent = np.full(count, np.nan)
    return Arrivals(
        names=tuple(map(str, range(count))),
        owners=("",) * count,
        qos=tuple("BE" if one else "LS" for one in kind),
        cpu_millicores=np.where(kind, 8000, 4000),
        memory_mib=np.full(count, 8192),
        gpus=np.zeros(count, dtype=np.int64),
        gpu_milli=np.zeros(count, dtype=np.int64),
        gpu_models=((),) * count,
        disk_gib=absent,
        nic_percent=absent,
        most_per_node=np.zeros(count, dtype=np.int64),
        created_seconds=created,
        scheduled_seconds=created,
        deleted_seconds=created + 600 + 3000 * kind,
    )


def machine(name: str, days: float, start: float = 0.0, cpu: float = 10.0) -> UsageSeries:
    times = start + np.arange(0, days * _DAY, 300.0)
    values = {metric: np.full(len(times), 5.0) for metric in _METRICS}
    # So that the time of day can be told: its CPU use is that of the hour.
    return UsageSeries(name, times, {**values, "cpu_percent": cpu + times // 3600 % 24}, 4000.0, 8192.0)


def recorded(machines: int = 60, days: int = 20) -> Recorded:
    return Recorded(arrivals(days), tuple(machine(f"vm-{number}", 4) for number in range(machines)), ())


def test_parts_share_no_machine_and_no_day() -> None:
    source = recorded()
    used = {part: source.pool(part, Demand(load=1.0, owners=2), 1) for part in Part}
    names = [{one.name for one in source.machines if part_of(one.name) is part} for part in Part]
    assert [len(pool.usage) for pool in used.values()] == [len(those) for those in names]
    assert sum(map(len, names)) == 60
    pods = {part: len(pool.owner_of_pod) for part, pool in used.items()}
    assert pods == {Part.TRAINING: 240, Part.VALIDATION: 80, Part.HELD_OUT: 80}


def test_pods_that_ask_for_the_same_are_one_owners_and_with_more_owners_the_largest_is_divided() -> None:
    source = recorded()
    two = source.pool(Part.TRAINING, Demand(load=1.0, owners=2), 1)
    assert [(owner.cpu_millicores, owner.qos) for owner in two.owners] == [(4000, "LS"), (8000, "BE")]
    assert np.bincount(two.owner_of_pod).tolist() == [180, 60]
    four = source.pool(Part.TRAINING, Demand(load=1.0, owners=4), 1)
    assert [owner.cpu_millicores for owner in four.owners] == [4000, 4000, 4000, 8000]
    assert np.bincount(four.owner_of_pod).tolist() == [60, 60, 60, 60]
    one = source.pool(Part.TRAINING, Demand(load=1.0, owners=1), 1)
    assert [owner.cpu_millicores for owner in one.owners] == [4000]
    assert len(one.owner_of_pod) == 180


def test_series_begin_at_midnight_and_shorter_ones_repeat() -> None:
    names = [name for name in map(str, range(100)) if part_of(name) is Part.TRAINING][:2]
    source = Recorded(arrivals(20), (machine(names[0], 3.5, 0.5 * _DAY), machine(names[1], 5)), ())
    pool = source.pool(Part.TRAINING, Demand(load=1.0, owners=2), 1)
    assert pool.days == 4
    cpu = pool.usage.cpu_percent
    assert cpu.shape == (2, 4 * 288)
    hours = 10.0 + np.arange(4 * 288) // 12 % 24
    np.testing.assert_array_equal(cpu[0], hours)
    np.testing.assert_array_equal(cpu[1], hours)


def test_machines_that_nobody_used_are_left_out() -> None:
    names = [name for name in map(str, range(100)) if part_of(name) is Part.TRAINING][:2]
    idle = machine(names[0], 3, cpu=-11.5)
    source = Recorded(arrivals(20), (idle, machine(names[1], 3)), ())
    assert len(source.pool(Part.TRAINING, Demand(load=1.0, owners=2), 1).usage) == 1


def test_a_part_without_machines_or_pods_is_an_error_that_says_which() -> None:
    with pytest.raises(SimulationError, match="the training part of the traces has no bitbrains_rnd machines"):
        Recorded(arrivals(20), (), ()).pool(Part.TRAINING, Demand(load=1.0, owners=2), 1)
    with pytest.raises(SimulationError, match="the held-out part of the traces has no openb pods"):
        Recorded(arrivals(1), recorded().machines, ()).pool(Part.HELD_OUT, Demand(load=1.0, owners=2), 1)


def test_a_workload_is_drawn_from_it() -> None:
    scenario = scenario_named("six")
    workload = draw_workload(scenario, recorded(), 1)
    assert set(workload.cpu_millicores.tolist()) <= {400, 800}
    assert len(workload) > 100


def test_without_the_variable_workloads_are_made_up() -> None:
    assert isinstance(open_source({}), MadeUp)


@pytest.mark.skipif(DATA_VARIABLE not in os.environ, reason=f"{DATA_VARIABLE} names no traces")
def test_the_traces_give_every_part_a_workload() -> None:
    source = open_source()
    assert isinstance(source, Recorded)
    assert DataFolder.from_environment().path.is_dir()
    for part in Part:
        workload = draw_workload(scenario_named("study", part), source, 1)
        assert len(workload) > 1000
        assert len(workload.usage) > 5
