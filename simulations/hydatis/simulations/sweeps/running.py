"""Makes all runs of a sweep: those that are kept are taken, the others run, one after the other or on Dask.

Called by `hydatis simulate`. A run is kept as soon as it is done, so an interruption loses at most those under way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.kept_runs import KeptRuns
from hydatis.simulations.sweeps.summary import RunSummary

RunOne = Callable[[Job], RunSummary]
"""Makes one run; a function of a module, so that another process finds it."""
RunMany = Callable[[Sequence[Job], RunOne], Iterator[RunSummary]]
"""Makes runs and gives them in any order."""
Done = Callable[[RunSummary, bool], None]
"""Told of every run that is there, and whether it was kept before."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep has, in the order of its jobs."""

    runs: tuple[RunSummary, ...]
    missing: tuple[Job, ...]
    """Runs that an interruption left out."""


def sweep(jobs: Sequence[Job], run_one: RunOne, run_many: RunMany, kept: KeptRuns | None, done: Done) -> Swept:
    """Make all runs. An interruption (KeyboardInterrupt) ends it with what is there.

    Raises:
        SimulationError: a run failed, or cannot be kept.

    """
    found: dict[str, RunSummary] = {}
    for job in jobs:
        summary = kept.find(job) if kept is not None else None
        if summary is not None:
            found[job.key] = summary
            done(summary, True)
    try:
        for summary in run_many([job for job in jobs if job.key not in found], run_one):
            if kept is not None:
                kept.keep(summary)
            found[summary.job.key] = summary
            done(summary, False)
    except KeyboardInterrupt:
        # What is there is reported; the caller sees from `missing` that the sweep is not whole.
        pass
    return Swept(
        tuple(found[job.key] for job in jobs if job.key in found), tuple(job for job in jobs if job.key not in found)
    )


def one_after_the_other(jobs: Sequence[Job], run_one: RunOne) -> Iterator[RunSummary]:
    """Run in this process.

    Raises:
        SimulationError: a run failed.

    """
    for job in jobs:
        try:
            yield run_one(job)
        except SimulationError as error:
            raise SimulationError(f"{job.label}: {error}") from error
