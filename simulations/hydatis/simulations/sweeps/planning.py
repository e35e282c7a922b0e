"""From a plan to its jobs: what every run is, in full, before the first one begins."""

from collections.abc import Sequence

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.assuming import assuming, written_down
from hydatis.simulations.sweeps.code_version import code_version
from hydatis.simulations.sweeps.data_version import data_version
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.plan import Plan
from hydatis.simulations.virtual_time.catalogue import scenario_named


def jobs_of(plan: Plan) -> Sequence[Job]:
    """Return all runs, seed by seed, so that an interruption leaves whole comparisons of fewer seeds.

    Raises:
        SimulationError: a scenario is unknown or there twice, or an assumption is none of its scenario.
        TraceError: the traces cannot be found.

    """
    code, data = code_version(), data_version()
    variants = []
    for name, changes in plan.variants():
        scenario = assuming(scenario_named(name), changes)
        variants.append((scenario.name, changes, written_down(scenario)))
    jobs = [
        Job(scenario, policy, seed, changes, configuration, data, code)
        for seed in plan.seeds
        for scenario, changes, configuration in variants
        for policy in plan.policies
    ]
    if len({job.key for job in jobs}) < len(jobs):
        raise SimulationError("--scenario or --assume names the same runs twice; give each scenario and value once.")
    return jobs
