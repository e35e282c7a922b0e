"""Decides where runs are made: here one by one, in processes, or on the workers of a Dask scheduler."""

import os

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.on_dask import on_scheduler, on_this_machine, require_distributed
from hydatis.simulations.sweeps.running import RunMany, one_after_the_other


def runs_made(jobs: int | None, dask_scheduler: str | None, runs: int) -> RunMany:
    """Return what makes so many runs. `jobs` are processes of this machine (None: one a core), `dask_scheduler` is an
    address.

    Raises:
        SimulationError: both are given, or `distributed` is needed and not installed.

    """
    if dask_scheduler is not None:
        if jobs is not None:
            raise SimulationError("--jobs and --dask-scheduler exclude each other; give one of them.")
        require_distributed()
        return on_scheduler(dask_scheduler)
    processes = min(jobs or os.cpu_count() or 1, runs)
    if processes == 1:
        return one_after_the_other
    require_distributed()
    return on_this_machine(processes)
