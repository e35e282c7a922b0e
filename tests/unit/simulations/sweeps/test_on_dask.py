"""Runs in processes of their own and on a scheduler's workers; the runs here do nothing but come back."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.measures.testing import record
from hydatis.simulations.measures.timeline import timeline_of
from hydatis.simulations.sweeps.code_version import code_version
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.on_dask import on_scheduler, on_this_machine
from hydatis.simulations.sweeps.running import RunOne
from hydatis.simulations.sweeps.summary import RunSummary
from hydatis.simulations.traces.folder import DATA_VARIABLE

distributed = pytest.importorskip("distributed")

JOBS = [Job("six-nodes", "Random", seed, code=code_version()) for seed in range(1, 7)]


def telling_its_process() -> RunOne:
    """Return what makes a run that tells in which process it was made; nested, so that it travels by value."""
    timeline = timeline_of(record([[50.0]]))

    def made(job: Job) -> RunSummary:
        return RunSummary(job, {"process": float(os.getpid())}, timeline, nodes=1, pods=0, decisions=0)

    return made


def failing(error: str) -> RunOne:
    def made(job: Job) -> RunSummary:
        if error == "dies":
            os._exit(1)
        raise SimulationError(error)

    return made


@pytest.fixture(autouse=True)
def _made_up_workloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with a worker."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


def test_runs_are_made_in_processes_of_this_machine() -> None:
    runs = list(on_this_machine(2)(JOBS, telling_its_process()))
    assert sorted(run.job.seed for run in runs) == [1, 2, 3, 4, 5, 6]
    processes = {run.measures["process"] for run in runs}
    assert os.getpid() not in processes
    assert len(processes) <= 2


def test_runs_are_made_on_the_workers_of_a_scheduler(scheduler: str) -> None:
    runs = list(on_scheduler(scheduler)(JOBS, telling_its_process()))
    assert {run.job.key for run in runs} == {job.key for job in JOBS}


def test_the_run_that_fails_is_named(scheduler: str) -> None:
    with pytest.raises(SimulationError, match="six-nodes, Random, seed 1: no pod fits"):
        list(on_scheduler(scheduler)(JOBS[:1], failing("no pod fits")))


def test_a_worker_with_other_code_runs_nothing(scheduler: str) -> None:
    job = replace(JOBS[0], code="0.0.1")
    with pytest.raises(SimulationError, match=r"but the sweep is for 0\.0\.1; install the same on both"):
        list(on_scheduler(scheduler)([job], telling_its_process()))


def test_a_worker_with_other_traces_runs_nothing(scheduler: str) -> None:
    job = replace(JOBS[0], data="abc")
    with pytest.raises(SimulationError, match=r"traces \(none\) are not those of the sweep \(abc\); set HYDATIS_DATA"):
        list(on_scheduler(scheduler)([job], telling_its_process()))


def test_a_scheduler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hydatis.simulations.sweeps.on_dask._CONNECT_SECONDS", 0.2)
    with pytest.raises(SimulationError, match=r"--dask-scheduler tcp://127\.0\.0\.1:9 does not answer"):
        list(on_scheduler("tcp://127.0.0.1:9")(JOBS, telling_its_process()))


def test_without_jobs_no_process_is_started() -> None:
    assert list(on_this_machine(2)([], telling_its_process())) == []
    assert list(on_scheduler("tcp://127.0.0.1:9")([], telling_its_process())) == []


def test_a_run_whose_process_dies_again_and_again_ends_the_sweep() -> None:
    with pytest.raises(SimulationError, match="six-nodes, Random, seed 1: the process that ran it died"):
        list(on_this_machine(2)(JOBS[:1], failing("dies")))
