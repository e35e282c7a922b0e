from collections.abc import Callable

import numpy as np
import pytest

from hydatis.simulations.measures.catalogue import measure_run
from hydatis.simulations.measures.testing import PodFate, record
from hydatis.simulations.measures.timeline import timeline_of
from hydatis.simulations.reporting.study import Study
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.summary import RunSummary
from hydatis.simulations.virtual_time.record import PodOutcome

LEVELS = {"KubeScheduler": 78.0, "Even": 60.0, "Clairvoyant": 50.0}
"""Mean CPU of the nodes under each policy."""


def made(policy: str, seed: int) -> RunSummary:
    random = np.random.default_rng(seed)
    cpu = np.clip(LEVELS.get(policy, 70.0) + random.normal(0, 15, (240, 8)), 0, 150)
    pods = [
        PodFate(created=60.0 * at, placed=60.0 * at + at % 7, ended=60.0 * at + 900, outcome=PodOutcome.FINISHED)
        for at in range(100)
    ]
    run = record(cpu.tolist(), pods, cores=[16] * 8, gib=[64] * 8, measured_from=1800)
    job = Job("six-full", policy, seed, {"load": "0.9"}, {"name": "six-full", "nodes": 8}, "", "0.1.0 <test>")
    return RunSummary(job, measure_run(run), timeline_of(run), nodes=8, pods=100, decisions=120)


@pytest.fixture(scope="session")
def make_study() -> Callable[..., Study]:
    """Make a study of made-up runs: under the policies named in `LEVELS`, nodes are the less full the further down."""

    def make(policies: tuple[str, ...] = tuple(LEVELS), seeds: int = 8, reference: str = "KubeScheduler") -> Study:
        runs = {policy: [made(policy, seed) for seed in range(1, seeds + 1)] for policy in policies}
        return Study("six-full load=0.9", runs, (), reference)

    return make
