"""Makes one run: from its job to its summary. Called in whichever process, on whichever machine, the sweep runs.

Policies with the same seed get the same workload, so the last one drawn is held, and so is what was read of the traces.
"""

import os
from functools import lru_cache

import numpy as np

from hydatis.scheduler.profile import Profile
from hydatis.simulations.baselines.policies import POLICIES, PolicyMaker, Surroundings
from hydatis.simulations.baselines.typical_pods import TypicalPods
from hydatis.simulations.measures.catalogue import measure_run
from hydatis.simulations.measures.timeline import timeline_of
from hydatis.simulations.sweeps.assuming import assuming
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.summary import RunSummary
from hydatis.simulations.traces.folder import DATA_VARIABLE
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.machines import Machines
from hydatis.simulations.virtual_time.pool import Source
from hydatis.simulations.virtual_time.running import run
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.sources import open_source
from hydatis.simulations.virtual_time.workload import Workload

_DEVICES = 7_002
"""Tells the generator of policies that draw devices from all others with the same seed."""


def run_job(job: Job) -> RunSummary:
    """Draw the workload, play it under the policy of the job's name, and measure what became of it.

    Raises:
        SimulationError: the workload cannot be drawn.
        TraceError: the traces cannot be read.

    """
    return play_job(job, POLICIES[job.policy])


def play_job(job: Job, policy: PolicyMaker) -> RunSummary:
    """Do the same with a policy that has no name of its own, such as an ensemble with models; the job names it.

    Raises:
        SimulationError: the workload cannot be drawn.
        TraceError: the traces cannot be read.

    """
    scenario, workload = drawn(job)
    record = run(scenario, workload, profile_made(policy, workload, job.seed), job.seed)
    untainted = Machines(scenario.nodes).untainted
    return RunSummary(
        job,
        measure_run(record, open_nodes=untainted),
        timeline_of(record, open_nodes=untainted),
        nodes=len(record.nodes),
        pods=len(workload),
        decisions=record.decisions,
    )


def drawn(job: Job) -> tuple[Scenario, Workload]:
    """Return the scenario of a job, and its workload. Traces are read once in a process.

    Raises:
        SimulationError: the workload cannot be drawn.
        TraceError: the traces cannot be read.

    """
    changes = tuple(sorted(job.assumptions.items()))
    return _drawn(job.scenario, changes, job.seed, os.environ.get(DATA_VARIABLE, ""))


def profile_of(policy: str, workload: Workload, seed: int) -> Profile:
    """Make a policy for one run, by its name."""
    return profile_made(POLICIES[policy], workload, seed)


def profile_made(policy: PolicyMaker, workload: Workload, seed: int) -> Profile:
    """Make a policy for one run."""
    return policy(Surroundings(_typical(workload), np.random.default_rng([seed, _DEVICES])))


@lru_cache(maxsize=1)
def _source(data: str) -> Source:
    return open_source({DATA_VARIABLE: data})


@lru_cache(maxsize=1)
def _drawn(name: str, changes: tuple[tuple[str, str], ...], seed: int, data: str) -> tuple[Scenario, Workload]:
    scenario = assuming(scenario_named(name), dict(changes))
    return scenario, draw_workload(scenario, _source(data), seed)


def _typical(workload: Workload) -> TypicalPods:
    """Return what FGD knows in advance: the requests that most pods have."""
    of_owner = [
        (owner.cpu_millicores, WHOLE_GPU_MILLI if owner.gpus else 0, owner.gpus, ()) for owner in workload.owners
    ]
    return TypicalPods.of_requests(of_owner[owner] for owner in workload.owner_of_pod.tolist())
