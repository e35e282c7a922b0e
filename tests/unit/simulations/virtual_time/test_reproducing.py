"""One seed, one result: in other processes and whatever Python's hashes are."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.made_up import MadeUp
from hydatis.simulations.virtual_time.running import run
from hydatis.simulations.virtual_time.testing import default_policy

_PROGRAM = """
from dataclasses import replace
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.made_up import MadeUp
from hydatis.simulations.virtual_time.running import run
from hydatis.simulations.virtual_time.testing import default_policy

scenario = replace(scenario_named("six-overloaded-faults", failures_a_node_day=3.0), length_seconds=3 * 3600.0)
print(run(scenario, draw_workload(scenario, MadeUp(), 5), default_policy(), 5).digest())
"""


@pytest.mark.parametrize("hash_seeds", [("0", "4242")])
def test_other_processes_with_other_hashes_give_the_same_bytes(hash_seeds: tuple[str, ...]) -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in hash_seeds
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64


def test_another_seed_gives_another_run_of_the_same_workload() -> None:
    scenario = replace(scenario_named("six-faults", failures_a_node_day=9.0), length_seconds=4 * 3600.0)
    workload = draw_workload(scenario, MadeUp(), 1)
    first, second = (run(scenario, workload, default_policy(), seed) for seed in (1, 2))
    assert first.digest() != second.digest()
    assert (first.created_seconds == second.created_seconds).all()
