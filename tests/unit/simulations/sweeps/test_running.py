from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.measures.testing import record
from hydatis.simulations.measures.timeline import timeline_of
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.kept_runs import KeptRuns
from hydatis.simulations.sweeps.running import RunOne, one_after_the_other, sweep
from hydatis.simulations.sweeps.summary import RunSummary

JOBS = [Job("six-nodes", policy, seed, code="0.1.0") for policy in ("A", "B") for seed in (1, 2)]
TIMELINE = timeline_of(record([[50.0]]))


def made(job: Job) -> RunSummary:
    return RunSummary(job, {"cpu_mean_percent": float(job.seed)}, TIMELINE, nodes=1, pods=0, decisions=0)


class Made:
    """Makes runs and notes which; the one at `dies_at` ends the process, as it were."""

    def __init__(self, dies_at: int | None = None, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.jobs: list[Job] = []
        self._dies_at = dies_at
        self._error = error

    def __call__(self, job: Job) -> RunSummary:
        if len(self.jobs) == self._dies_at:
            raise self._error("no more")
        self.jobs.append(job)
        return made(job)


class Told:
    def __init__(self) -> None:
        self.runs: list[tuple[str, bool]] = []

    def __call__(self, summary: RunSummary, kept: bool) -> None:
        self.runs.append((summary.job.label, kept))


def test_runs_come_in_the_order_of_their_jobs_whichever_finishes_first() -> None:
    def backwards(jobs: Sequence[Job], run_one: RunOne) -> Iterator[RunSummary]:
        yield from one_after_the_other(list(reversed(jobs)), run_one)

    swept = sweep(JOBS, made, backwards, None, Told())
    assert [run.job for run in swept.runs] == JOBS
    assert swept.missing == ()


def test_a_sweep_that_dies_goes_on_from_what_is_there(tmp_path: Path) -> None:
    first, again, told = Made(dies_at=2, error=MemoryError), Made(), Told()
    with pytest.raises(MemoryError):
        sweep(JOBS, first, one_after_the_other, KeptRuns(tmp_path), Told())
    swept = sweep(JOBS, again, one_after_the_other, KeptRuns(tmp_path), told)
    assert first.jobs == JOBS[:2]
    assert again.jobs == JOBS[2:]
    assert [run.job for run in swept.runs] == JOBS
    assert [kept for _, kept in told.runs] == [True, True, False, False]


def test_an_interruption_ends_it_with_what_is_there() -> None:
    swept = sweep(JOBS, Made(dies_at=3), one_after_the_other, None, Told())
    assert [run.job for run in swept.runs] == JOBS[:3]
    assert swept.missing == (JOBS[3],)


def test_a_run_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="six-nodes, A, seed 2: no more"):
        sweep(JOBS, Made(dies_at=1, error=SimulationError), one_after_the_other, KeptRuns(tmp_path), Told())
    assert len(list(tmp_path.iterdir())) == 1
