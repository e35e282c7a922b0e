from dataclasses import replace

import numpy as np
import pytest

from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.simulations.baselines.policies import OneScoreByChance
from hydatis.simulations.sweeps.assuming import assuming
from hydatis.simulations.training.load.hindsight import Question, answered
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.running import Run
from hydatis.simulations.virtual_time.sources import open_source


def test_what_is_added_is_what_a_recount_minute_by_minute_finds() -> None:
    scenario = assuming(scenario_named("six"), {"part": "training", "length_seconds": "14400"})
    workload = draw_workload(scenario, open_source({}), 3)
    run = Run(scenario, workload, OneScoreByChance(), 3)
    played = run.play()
    record = replace(played, cpu_demand_percent=np.full_like(played.cpu_demand_percent, 59.0))
    nodes = np.array([3, 5])
    features = np.zeros((2, PLACEMENT_SCHEMA.width), dtype=np.float32)
    pod = int(np.argmax(workload.cpu_millicores * (workload.lifetime_seconds > 3600.0)))
    found = answered([Question(1800.0, pod, nodes, features, 4.0)], record, workload, run.running)

    minutes = min(int(workload.lifetime_seconds[pod] // 60), 240 - 30, 720)
    for position, node in enumerate(nodes):
        rises = []
        for minute in range(30, 30 + minutes):
            used = run.running.cpu_of(pod, np.array([60.0 * minute]))[0] / record.cpu_capacity_millicores[node]
            rises.append(max(0.0, 0.59 + used - 0.6) ** 2)
        assert found.added[position] == pytest.approx(np.mean(rises), rel=1e-3)
    assert (found.added > 0.0).all()
    assert found.weight == pytest.approx([4.0 * minutes / 60.0] * 2, rel=0.02)
    assert found.question.tolist() == [0, 0]


def test_a_node_that_stays_below_the_threshold_gets_nothing_added() -> None:
    scenario = assuming(scenario_named("six"), {"part": "training", "length_seconds": "7200"})
    workload = draw_workload(scenario, open_source({}), 3)
    run = Run(scenario, workload, OneScoreByChance(), 3)
    played = run.play()
    record = replace(played, cpu_demand_percent=np.zeros_like(played.cpu_demand_percent))
    record.cpu_demand_percent[:, 4] = np.nan
    features = np.zeros((2, PLACEMENT_SCHEMA.width), dtype=np.float32)
    smallest = int(np.argmin(workload.cpu_millicores))
    found = answered([Question(0.0, smallest, np.array([3, 4]), features, 1.0)], record, workload, run.running)
    assert found.added.tolist() == [0.0, 0.0]
