from dataclasses import replace

import numpy as np

from hydatis.sandbox.replaying.free_running import simulate
from hydatis.sandbox.replaying.history import History
from hydatis.simulations.sweeps.one_run import profile_of
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.made_up import MadeUp
from hydatis.simulations.virtual_time.running import run
from hydatis.simulations.virtual_time.testing import Pod, scenario_of, workload_of

SEED = 3


def test_the_placements_are_those_of_a_run_of_the_simulator() -> None:
    # Without throttling and kills a pod that is placed at once ends when its history says so.
    scenario = replace(scenario_named("six-light", stretch=0.0, memory_kill_percent=1e9), length_seconds=3 * 3600.0)
    workload = draw_workload(scenario, MadeUp(), SEED)
    history = History(scenario, workload, len(workload))
    fill = simulate(history, SEED)
    assert fill.outcome().refused == 0, "with pods that wait, pods of a run end later"
    record = run(scenario, workload, profile_of("KubeScheduler", workload, SEED), SEED)
    last = history.steps[-1].seconds
    running = np.flatnonzero(~(record.ended_seconds <= last)).tolist()
    assert len(running) > 10
    assert fill.placements == {pod: int(record.node_of_pod[pod]) for pod in running}


def test_a_pod_that_waits_is_placed_when_another_goes_and_gone_when_its_time_is_over() -> None:
    pods = (
        Pod(0.0, lifetime=10.0, cpu=3000),
        Pod(1.0, lifetime=100.0, cpu=3000),
        Pod(2.0, lifetime=3.0, cpu=3000),
        Pod(20.0, cpu=100),
    )
    outcome = simulate(History(scenario_of(4), workload_of(*pods), 4), SEED).outcome()
    assert (outcome.bound, outcome.refused, outcome.waiting) == (3, 2, 0)
