"""Agents are played as they are served, and compared run by run."""

from dataclasses import replace
from typing import Any

import pytest

from hydatis.simulations.baselines.policies import POLICIES
from hydatis.simulations.training.placement.evaluating import (
    BASELINES,
    HALVES,
    MEASURES,
    Played,
    agent_policies,
    document_of,
    play,
    results_of,
)
from hydatis.simulations.training.placement.exporting import onnx_of
from hydatis.simulations.training.placement.reporting import markdown_table
from hydatis.simulations.training.placement.settings import SETTINGS
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.made_up import MadeUp


def test_an_agent_that_has_learnt_nothing_places_about_as_the_closed_form(make_network: Any) -> None:
    # Full nodes: what adds less than the features tell of, the closed form alone tells apart.
    scenario = replace(scenario_named("six-overloaded"), length_seconds=2 * 3600.0, warm_up_seconds=600.0)
    untaught = onnx_of(make_network(6, learnt=False).added)
    policies = {"ExpectedOverload": POLICIES["ExpectedOverload"], **agent_policies({"agent": untaught})}
    told: list[Played] = []
    runs = play(scenario, MadeUp(), policies, [1], settings=["as in training"], done=told.append)
    assert runs == told
    assert [run.policy for run in runs] == ["ExpectedOverload", "agent", f"agent, {HALVES}"]
    closed_form, agent, _ = (run.measures for run in runs)
    assert agent["success_percent"] == pytest.approx(closed_form["success_percent"], abs=5.0)
    assert agent["cpu_p99_percent"] == pytest.approx(closed_form["cpu_p99_percent"], abs=6.0)


def test_policies_are_compared_run_by_run() -> None:
    judged = {"TargetLoadPacking": [8.0, 4.0], "KubeScheduler": [9.0, 9.0], "ExpectedOverload": [4.0, 2.0]}
    judged["agent"] = [2.0, 1.0]
    assert set(judged) == {*BASELINES, "agent"}
    runs = [
        Played("as in training", policy, seed, dict.fromkeys(MEASURES, value))
        for policy, values in judged.items()
        for seed, value in enumerate(values)
    ]
    results = {result.policy: result for result in results_of(runs)}
    agent = results["agent"]
    assert agent.measures["node_minutes_above_80"].mean == 1.5
    assert agent.against_reference is not None
    # A quarter in every run, so that chance has no part in it.
    assert (agent.against_reference.low, agent.against_reference.high) == (0.25, 0.25)
    assert agent.more_than_closed_form.mean == -1.5
    table = markdown_table(list(results.values()))
    assert "| as in training (2) | agent | 1.5 (1.0 - 2.0) | -75 % (-75 to -75) | -50 % (-50 to -50) |" in table
    assert len(document_of(list(results.values()), runs)["runs"]) == 8  # type: ignore[arg-type]


def test_settings_change_what_they_say() -> None:
    study = scenario_named("study")
    assert SETTINGS["as in training"](study) == study
    larger = SETTINGS["four times the nodes"](study)
    assert larger.node_count == 4 * study.node_count
    assert larger.demand.load == study.demand.load
    other = SETTINGS["other shapes"](study)
    assert other.node_count == study.node_count
    shapes = {group.shape.cpu_cores: group.shape.memory_gib for group in other.nodes}
    assert shapes == {24: 144, 48: 288, 144: 864, 192: 1152}
