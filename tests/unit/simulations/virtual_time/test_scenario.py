"""Scenarios by name, and assumptions that cannot be."""

from typing import Any

import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.virtual_time.catalogue import FAULTS, LOADS, SIZES, names, scenario_named
from hydatis.simulations.virtual_time.scenario import Assumptions, Load, Part


def test_every_size_comes_with_every_load_with_and_without_faults() -> None:
    found = names()
    assert len(found) == len(set(found)) == len(SIZES) * len(Load) * 2
    assert {scenario_named(name).name for name in found} == set(found)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("study", "study-full"),
        ("study-faults", "study-full-faults"),
        ("six-light", "six-light"),
        ("day-overloaded-faults", "day-overloaded-faults"),
    ],
)
def test_a_name_may_leave_out_what_is_usual(name: str, whole: str) -> None:
    assert scenario_named(name).name == whole


def test_a_name_says_load_and_faults() -> None:
    scenario = scenario_named("study-overloaded-faults", Part.TRAINING)
    assert scenario.demand.load == LOADS[Load.OVERLOADED]
    assert scenario.assumptions.failures_a_node_day == FAULTS["failures_a_node_day"]
    assert scenario.part is Part.TRAINING
    assert scenario_named("study").assumptions == Assumptions()


def test_the_smallest_cluster_is_three_control_plane_nodes_and_three_workers() -> None:
    control_plane, workers = scenario_named("six").nodes
    assert (control_plane.count, workers.count) == (3, 3)
    assert [taint["effect"] for taint in control_plane.shape.taints] == ["NoSchedule"]
    assert not workers.shape.taints


@pytest.mark.parametrize(("size", "nodes"), [("six", 6), ("study", 40), ("day", 200), ("large", 5000)])
def test_sizes_have_their_number_of_nodes(size: str, nodes: int) -> None:
    assert scenario_named(size).node_count == nodes


@pytest.mark.parametrize("name", ["", "moon", "study-busy", "study-full-faults-more", "study-faults-full", "study-"])
def test_an_unknown_name_is_an_error_that_says_how_names_are_made(name: str) -> None:
    with pytest.raises(SimulationError, match=r"SIZE\[-LOAD\]\[-faults\].*six, study, day, large.*overloaded"):
        scenario_named(name)


def test_single_assumptions_can_be_changed_by_name() -> None:
    assert scenario_named("six-faults", missing_share=0.5).assumptions.missing_share == 0.5
    with pytest.raises(SimulationError, match=r"an assumption is unknown.*mising_share.*there are step_seconds"):
        scenario_named("six", mising_share=0.5)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("step_seconds", 0.0, "step_seconds is 0.0; choose one above 0"),
        ("sample_seconds", 45.0, r"sample_seconds is 45.0; choose a multiple of step_seconds \(30.0\)"),
        ("scrape_seconds", 0.0, "scrape_seconds is 0.0; choose a multiple"),
        ("missing_share", 1.0, "missing_share is 1.0; choose one from 0 to below 1"),
        ("missing_spell_seconds", 10.0, "missing_spell_seconds is 10.0; choose at least scrape_seconds"),
        ("best_effort_least_percent", 0.0, "best_effort_least_percent is 0.0; choose one above 0"),
        ("stretch", 1.5, "stretch is 1.5; choose one from 0 to 1"),
        ("bind_seconds", -1.0, "bind_seconds is -1.0; it must not be negative"),
    ],
)
def test_an_assumption_that_cannot_be_is_named_with_the_remedy(name: str, value: Any, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        Assumptions(**{name: value})
