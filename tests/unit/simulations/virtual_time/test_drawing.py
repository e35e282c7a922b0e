"""Workloads have the load, the use and the shape that their scenarios ask for."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.machines import Machines
from hydatis.simulations.virtual_time.made_up import MadeUp
from hydatis.simulations.virtual_time.pool import PART_SHARES, part_of
from hydatis.simulations.virtual_time.scenario import Part, Scenario
from hydatis.simulations.virtual_time.workload import Workload

SOURCE = MadeUp()


def shorter(name: str, hours: float, part: Part = Part.VALIDATION, **demand: Any) -> Scenario:
    scenario = scenario_named(name, part)
    return replace(scenario, length_seconds=3600.0 * hours, demand=replace(scenario.demand, **demand))


def seconds(scenario: Scenario, workload: Workload) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """How long each pod would run, placed at once."""
    ends = np.minimum(workload.created_seconds + workload.lifetime_seconds, scenario.length_seconds)
    return np.asarray(ends - workload.created_seconds, dtype=np.float64)


def asked_share(scenario: Scenario, workload: Workload) -> float:
    """What is asked for of the resource that most is asked for of, as a share of what untainted nodes offer."""
    machines, during = Machines(scenario.nodes), seconds(scenario, workload)
    shares = []
    for asked, offered in (
        (workload.cpu_millicores, machines.cpu_millicores),
        (workload.memory_mib, machines.memory_mib),
        (workload.gpus, machines.gpus),
    ):
        whole = offered[machines.untainted].sum() * scenario.length_seconds
        shares.append((asked * during).sum() / whole if whole else 0.0)
    return max(shares)


@pytest.mark.parametrize("name", ["six-light", "six-overloaded", "study-full", "study-overloaded"])
def test_the_load_is_the_scenarios(name: str) -> None:
    scenario = scenario_named(name)
    workload = draw_workload(scenario, SOURCE, 1)
    assert asked_share(scenario, workload) == pytest.approx(scenario.demand.load, rel=0.02)


def test_a_fixed_number_of_pods_comes_and_lives_are_scaled_to_the_load() -> None:
    scenario = shorter("day", 24, longest_life_seconds=86_400.0)
    workload = draw_workload(scenario, SOURCE, 1)
    assert int((~workload.initial).sum()) == pytest.approx(86_400, rel=0.02)
    assert asked_share(scenario, workload) == pytest.approx(0.8, rel=0.01)


def test_pods_use_what_is_assumed_on_average_and_never_more_than_the_most() -> None:
    scenario = scenario_named("study")
    workload = draw_workload(scenario, SOURCE, 1)
    weights = workload.cpu_millicores * seconds(scenario, workload)
    cpu, memory = workload.usage.cpu_percent, workload.usage.memory_percent
    mean = (cpu.mean(axis=1, dtype=np.float64)[workload.series] * weights).sum() / weights.sum()
    assert mean == pytest.approx(scenario.demand.cpu_use_percent, rel=0.01)
    mean = (memory.mean(axis=1, dtype=np.float64)[workload.series] * weights).sum() / weights.sum()
    assert mean == pytest.approx(scenario.demand.memory_use_percent, rel=0.01)
    assert 0 <= cpu.min() <= cpu.max() <= scenario.demand.most_cpu_percent
    assert 0 < memory.min() <= memory.max() <= scenario.demand.most_memory_percent


def test_pods_of_an_owner_follow_a_handful_of_series_on_the_same_day() -> None:
    scenario = scenario_named("study")
    workload = draw_workload(scenario, SOURCE, 1)
    for owner in range(10):
        those = workload.owner_of_pod == owner
        assert len(np.unique(workload.series[those])) <= scenario.demand.series_an_owner
        assert np.ptp(workload.offset_seconds[those]) <= scenario.demand.jitter_seconds


def test_initial_pods_come_first_and_never_lose_patience() -> None:
    workload = draw_workload(scenario_named("six"), SOURCE, 1)
    count = int(workload.initial.sum())
    assert 0 < count < len(workload)
    assert workload.initial[:count].all()
    assert (workload.created_seconds[:count] == 0).all()
    assert np.isinf(workload.patience_seconds[:count]).all()
    assert np.isfinite(workload.patience_seconds[count:]).all()


def test_every_pod_fits_on_some_node() -> None:
    scenario = scenario_named("six")
    machines, workload = Machines(scenario.nodes), draw_workload(scenario, SOURCE, 1)
    assert workload.cpu_millicores.max() <= machines.cpu_millicores[machines.untainted].max()
    assert workload.memory_mib.max() <= machines.memory_mib[machines.untainted].max()


def test_a_cluster_on_which_no_pod_fits_is_an_error() -> None:
    with pytest.raises(SimulationError, match="no pod of synthetic fits on a node of six-full; lower request_factor"):
        draw_workload(shorter("six", 24, request_factor=100.0), SOURCE, 1)


def test_the_same_seed_draws_the_same_and_another_part_or_seed_something_else() -> None:
    def parts(workload: Workload) -> list[object]:
        return [getattr(workload, field.name) for field in fields(workload) if field.name not in {"usage", "owners"}]

    scenario = scenario_named("six")
    first, second = (draw_workload(scenario, SOURCE, 1) for _ in range(2))
    for one, other in zip(parts(first), parts(second), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(first.usage.cpu_percent, second.usage.cpu_percent)
    assert first.owners == second.owners
    assert draw_workload(scenario, SOURCE, 2).owners != first.owners
    assert draw_workload(replace(scenario, part=Part.TRAINING), SOURCE, 1).owners != first.owners


def test_times_are_whole_milliseconds() -> None:
    workload = draw_workload(scenario_named("six"), SOURCE, 1)
    for times in (workload.created_seconds, workload.lifetime_seconds, workload.offset_seconds):
        assert (np.round(times, 3) == times).all()


def test_machines_are_dealt_out_to_parts_by_their_names_alone_in_the_assumed_shares() -> None:
    parts = [part_of(f"machine-{number}") for number in range(5000)]
    for part, (start, end) in PART_SHARES.items():
        assert parts.count(part) / 5000 == pytest.approx(end - start, abs=0.02)
    assert [part_of(name) for name in ("2", "3", "500")] == [part_of(name) for name in ("2", "3", "500")]
