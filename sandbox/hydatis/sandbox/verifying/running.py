"""Spreads a verification over worker processes, each with an oracle of its own, and adds up what they find.

Clusters are made by number from the seed, so the same seed and number of cases give the same result whatever the number
of workers. A worker ends when whoever started it does, and its oracle with it.
"""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hydatis.sandbox.verifying.arguments import filtering_with_arguments, scoring_by
from hydatis.sandbox.verifying.cases import Cluster
from hydatis.sandbox.verifying.errors import VerifyError
from hydatis.sandbox.verifying.generating.clusters import make_cluster
from hydatis.sandbox.verifying.generating.surroundings import CANDIDATES
from hydatis.sandbox.verifying.judging import restricted
from hydatis.sandbox.verifying.oracle import Oracle
from hydatis.sandbox.verifying.session import Outcome, Session
from hydatis.scheduler.plugin_args import ScoringStrategyType
from hydatis.scheduler.profile import Profile

_CLUSTERS_A_TASK = 64
_GARBAGE_THRESHOLD = 50_000
"""A cluster's objects are made and dropped together; looking for cycles among them as often as usual is in vain."""

Told = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be verified."""

    cases: int
    seed: int
    plugins: tuple[str, ...]
    """Empty: all that the core has."""
    jobs: int
    strategy: ScoringStrategyType | None = None
    """By which NodeResourcesFit scores on both sides, over weighted resources; None: kube-scheduler's default."""
    filter_args: bool = False
    """Whether affinity is added to every pod's, and pods are spread by default constraints other than the system's."""

    def profile(self) -> Profile:
        """Return the core's plugins that take part. Raises `VerifyError` where one asked for does not exist."""
        profile = Profile() if self.strategy is None else scoring_by(Profile(), self.strategy)
        profile = filtering_with_arguments(profile) if self.filter_args else profile
        return restricted(profile, self.plugins) if self.plugins else profile


def clusters(plan: Plan, first: int, count: int) -> Iterator[Cluster]:
    """Make clusters number `first` to `first + count`; the last of the plan may have fewer candidates."""
    for number in range(first, first + count):
        left = plan.cases - number * CANDIDATES
        if left > 0:
            cluster = make_cluster(plan.seed, number)
            yield cluster if left >= CANDIDATES else replace(cluster, candidates=cluster.candidates[:left])


def run(plan: Plan, oracle: Path, found: Outcome, told: Told = lambda so_far: None) -> None:
    """Verify as planned and add to `found`, which holds what there is so far whatever ends it; `told` hears of it after
    every few hundred cases.

    Raises `VerifyError` where a worker dies or an oracle fails.
    """
    total = -(-plan.cases // CANDIDATES)
    tasks = ((first, min(_CLUSTERS_A_TASK, total - first)) for first in range(0, total, _CLUSTERS_A_TASK))
    with _workers(plan, oracle) as pool:
        pending: set[Future[Outcome]] = set()
        for first, count in tasks:
            pending.add(pool.submit(_verify, plan, first, count))
            if len(pending) >= 2 * plan.jobs:
                pending = _collect(pending, found, told)
        while pending:
            pending = _collect(pending, found, told)


def _collect(pending: set[Future[Outcome]], found: Outcome, told: Told) -> set[Future[Outcome]]:
    done, left = wait(pending, return_when=FIRST_COMPLETED)
    try:
        for future in done:
            found.add(future.result())
    except BrokenProcessPool as error:
        raise VerifyError("a worker was killed, most likely for want of memory; try again with --jobs 1") from error
    told(found)
    return left


@contextmanager
def _workers(plan: Plan, oracle: Path) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(
        max_workers=plan.jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(plan, oracle),
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


# In a worker

_session: Session | None = None


def _start_worker(plan: Plan, oracle: Path) -> None:
    global _session  # noqa: PLW0603  a worker process is made for one session
    # Ctrl-C is for the parent, which then ends its workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.set_threshold(_GARBAGE_THRESHOLD, 20, 20)
    _session = Session(Oracle(oracle), plan.profile())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _verify(plan: Plan, first: int, count: int) -> Outcome:
    assert _session is not None  # noqa: S101  the initializer made it
    return _session.verify(clusters(plan, first, count))
