"""Makes runs on Dask: processes of this machine, or the workers of a scheduler that is there already.

Needs `distributed` (`pip install 'hydatis[simulations]'`). Workers of another machine need the same HYDATIS and, for
recorded workloads, the same traces; each checks that before it runs anything.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.code_version import code_version
from hydatis.simulations.sweeps.data_version import data_version
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.running import RunMany, T
from hydatis.simulations.traces.folder import DATA_VARIABLE

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 20


def require_distributed() -> None:
    """Find out before a long sweep whether it can run.

    Raises:
        SimulationError: `distributed` is not installed.

    """
    try:
        import distributed  # noqa: F401, PLC0415 - slow to import, and one process needs none of it
    except ImportError as error:
        raise SimulationError(
            "runs in several processes need Dask; install it with: pip install 'hydatis[simulations]', or use --jobs 1."
        ) from error


def on_this_machine(processes: int) -> RunMany:
    """Run in so many processes, which live as long as the sweep."""

    def run_many(jobs: Sequence[Job], run_one: Callable[[Job], T]) -> Iterator[T]:
        from distributed import Client, LocalCluster  # noqa: PLC0415

        if not jobs:
            return
        with _started_deaf_to_interrupts():
            cluster = LocalCluster(
                n_workers=min(processes, len(jobs)),
                threads_per_worker=1,
                processes=True,
                memory_limit=None,
                # Any free port, for this machine alone: the usual one may be taken by another sweep.
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.ERROR,
            )
        with cluster, Client(cluster) as client:
            yield from _finished(client, jobs, run_one)

    return run_many


@contextmanager
def _started_deaf_to_interrupts() -> Iterator[None]:
    """Let processes that are started meanwhile ignore Ctrl-C, which a terminal sends to all of them: this process ends
    them in order once it has heard it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def on_scheduler(address: str) -> RunMany:
    """Run on the workers of a Dask scheduler."""

    def run_many(jobs: Sequence[Job], run_one: Callable[[Job], T]) -> Iterator[T]:
        from distributed import Client  # noqa: PLC0415

        if not jobs:
            return
        try:
            client = Client(address, timeout=_CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise SimulationError(
                f"--dask-scheduler {address} does not answer ({error}); start one with `dask scheduler` and name the "
                f"address it prints, such as tcp://host:8786."
            ) from error
        with client:
            yield from _finished(client, jobs, run_one)

    return run_many


def _finished(client: "Client", jobs: Sequence[Job], run_one: Callable[[Job], T]) -> Iterator[T]:
    """Give runs as they finish; the first that fails ends the sweep, and so does whoever stops asking."""
    from distributed import as_completed  # noqa: PLC0415

    futures = {client.submit(_checked, job, run_one, pure=False): job for job in jobs}
    try:
        for future in as_completed(futures):
            found: T = _result(future, futures[future])
            yield found
    finally:
        client.cancel(list(futures), force=True)


def _result(future: Any, job: Job) -> Any:
    from distributed import KilledWorker  # noqa: PLC0415

    try:
        return future.result()
    except SimulationError as error:
        raise SimulationError(f"{job.label}: {error}") from error
    except KilledWorker as error:
        raise SimulationError(
            f"{job.label}: the process that ran it died again and again, most likely for want of memory; "
            f"use fewer processes with --jobs."
        ) from error


def _checked(job: Job, run_one: Callable[[Job], T]) -> T:
    """Run, on a worker, with the code and the traces that the job is for."""
    if job.code != code_version():
        raise SimulationError(
            f"the Dask worker has HYDATIS {code_version()}, but the sweep is for {job.code}; install the same on both."
        )
    if job.data != data_version():
        raise SimulationError(
            f"the Dask worker's traces ({data_version() or 'none'}) are not those of the sweep ({job.data or 'none'}); "
            f"set {DATA_VARIABLE} on both to folders that hold the same."
        )
    return run_one(job)
