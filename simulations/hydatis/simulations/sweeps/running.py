"""Makes all runs of a sweep: those that are kept are taken, the others run, one after the other or on Dask.

Called by `hydatis simulate`. A run is kept as soon as it is done, so an interruption loses at most those under way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.kept_runs import KeptRuns
from hydatis.simulations.sweeps.summary import RunSummary

T = TypeVar("T")
RunSweep = Callable[[Sequence[Job], "RunOne"], Iterator[RunSummary]]
"""Makes the runs of a sweep, in any order."""
RunOne = Callable[[Job], RunSummary]
"""Makes one run; a function of a module, so that another process finds it."""


class RunMany(Protocol):
    """Makes runs and gives what comes of them, in any order."""

    def __call__(self, jobs: Sequence[Job], run_one: Callable[[Job], T], /) -> Iterator[T]:
        """`run_one` makes one run; a function that another process finds."""


Done = Callable[[RunSummary, bool], None]
"""Told of every run that is there, and whether it was kept before."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep has, in the order of its jobs."""

    runs: tuple[RunSummary, ...]
    missing: tuple[Job, ...]
    """Runs that an interruption left out."""


def sweep(
    jobs: Sequence[Job],
    run_one: RunOne,
    run_many: Callable[[Sequence[Job], RunOne], Iterator[RunSummary]],
    kept: KeptRuns | None,
    done: Done,
) -> Swept:
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


def one_after_the_other(jobs: Sequence[Job], run_one: Callable[[Job], T]) -> Iterator[T]:
    """Run in this process.

    Raises:
        SimulationError: a run failed.

    """
    for job in jobs:
        try:
            yield run_one(job)
        except SimulationError as error:
            raise SimulationError(f"{job.label}: {error}") from error
