"""One run: a fresh control plane, one scheduler, one load, and what was measured.

Called by the series. The steps are the same for every scheduler; only `Contender` differs. A run ends at its deadline
at the latest and then says how many pods were bound. Whatever happens, every process it started is ended.
"""

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from hydatis.benchmarks.checking import check
from hydatis.benchmarks.churning import Churner
from hydatis.benchmarks.contenders import Contender, Running
from hydatis.benchmarks.event_count import EventCount
from hydatis.benchmarks.loading import CONCURRENCY, create_pods
from hydatis.benchmarks.loop_thread import LoopThread
from hydatis.benchmarks.measuring import ProcessMeter
from hydatis.benchmarks.modes import Mode
from hydatis.benchmarks.records import SCHEDULER, Observed, measurements, raw
from hydatis.benchmarks.workload import Workload
from hydatis.sandbox.api_session import ApiSession, create_all
from hydatis.sandbox.controlplane import MINIMAL, Component, ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.pod_watch import PodWatch
from hydatis.simulations.clusters import Manifest

_INITIAL_POLL_SECONDS = 0.5
"""Between two looks at how many initial pods still wait, which no measurement includes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is to do."""

    contender: Contender
    mode: Mode
    nodes: int
    workload: Workload
    deadline_seconds: float
    """From the clock's start until every pod is bound."""
    repeat: int
    """Which repeat of the same measurement this is, from 0."""

    def __str__(self) -> str:
        load = f"{self.workload.pods} {self.workload.kind} pods"
        return f"{self.nodes} nodes, {self.mode.name}, {load}, {self.contender.name}"


def execute(plan: Plan, directory: Path) -> dict[str, Any]:
    """Run a plan on a control plane of its own in `directory`; give its entry of the report's `runs`.

    Raises:
        SandboxError: the control plane or the scheduler did not start.
        ApiError: the API server refused a request of the load.

    """
    with ControlPlane.start(directory, MINIMAL) as control_plane, LoopThread() as loop:
        session = ApiSession(
            control_plane.url, control_plane.ca_file, control_plane.admin_token, connections=CONCURRENCY + 8
        )
        loop.run(session.__aenter__())
        try:
            run = _Run(plan, control_plane, loop, session)
            run.execute()
        finally:
            loop.run(session.__aexit__(None, None, None))
    created_first = plan.mode.created_first
    return {
        "scheduler": plan.contender.name,
        "workload": plan.workload.kind,
        "nodes": plan.nodes,
        "mode": plan.mode.name,
        "repeat": plan.repeat,
        "measurements": measurements(run.observed, run.meter, created_first=created_first),
        **raw(run.observed, created_first=created_first),
    }


class _Run:
    def __init__(self, plan: Plan, control_plane: ControlPlane, loop: LoopThread, session: ApiSession) -> None:
        self.observed = Observed()
        self.meter = ProcessMeter(
            {"apiserver": control_plane.pid(Component.APISERVER), "etcd": control_plane.pid(Component.ETCD)}
        )
        self._plan = plan
        self._control_plane = control_plane
        self._loop = loop
        self._session = session
        self._watch = PodWatch(session, plan.workload.namespace)
        self._pods = plan.workload.pod_manifests(plan.contender.scheduler_name)

    def execute(self) -> None:
        """Prepare, load, wait, check."""
        self._plan.contender.install(self._control_plane)
        self._prepare()
        with ExitStack() as stack:
            if self._plan.mode.created_first:
                self._queued(stack)
            else:
                self._live(stack)
        self._loop.run(self._end_watch())
        self._check()

    def _prepare(self) -> None:
        api, workload = self._control_plane.api, self._plan.workload
        for namespace in (workload.namespace, *workload.other_namespaces):
            api.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            # No controller runs here that would make it, and no pod is admitted without it.
            api.call("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "default"}})
        for path, manifest in workload.objects():
            api.call("POST", path, manifest)
        self._loop.run(create_all(self._session, "/api/v1/nodes", workload.node_manifests(self._plan.nodes)))

    def _queued(self, stack: ExitStack) -> None:
        """All pods wait before the scheduler's process starts, which starts the clock."""
        if self._plan.workload.initial_manifests(""):
            with ExitStack() as before:
                self._place_initial_pods(self._start_scheduler(before))
        self._create_pods()
        self._loop.run(self._watch.start())
        stack.enter_context(self.meter)
        self.observed.started_at = time.perf_counter()
        running = self._start_scheduler(stack)
        with self._churning():
            self._wait_for_binds(running)
        self._wait_for_events()

    def _live(self, stack: ExitStack) -> None:
        """The scheduler is ready, then pods are created; the first create request starts the clock."""
        self._loop.run(self._watch.start())
        running = self._start_scheduler(stack)
        self._place_initial_pods(running)
        stack.enter_context(self.meter)
        with self._churning():
            self._create_pods()
            self.observed.started_at = min(self.observed.sent_at.values())
            self._wait_for_binds(running)
        self._wait_for_events()

    def _place_initial_pods(self, running: Running) -> None:
        """Let the scheduler place the pods that are there before anything is measured, and write its Events."""
        manifests = self._plan.workload.initial_manifests(self._plan.contender.scheduler_name)
        by_namespace: dict[str, list[Manifest]] = {}
        for manifest in manifests:
            by_namespace.setdefault(manifest["metadata"]["namespace"], []).append(manifest)
        for namespace, pods in by_namespace.items():
            self._loop.run(create_all(self._session, f"/api/v1/namespaces/{namespace}/pods", pods))
            self._wait_for_initial_pods(namespace, running)
            self._loop.run(EventCount(self._session, namespace).settle(len(pods)))

    def _wait_for_initial_pods(self, namespace: str, running: Running) -> None:
        path = f"/api/v1/namespaces/{namespace}/pods?fieldSelector=spec.nodeName%3D"
        deadline = time.perf_counter() + self._plan.deadline_seconds
        while waiting := len(self._control_plane.api.call("GET", path)["items"]):
            if time.perf_counter() > deadline or not _alive(running.pid):
                raise SandboxError(
                    f"{waiting} pods that are to run before the measurement were not bound "
                    f"within {self._plan.deadline_seconds:g} s"
                )
            time.sleep(_INITIAL_POLL_SECONDS)

    @contextmanager
    def _churning(self) -> Iterator[None]:
        """Let what comes and goes do so meanwhile: until the last bind, as upstream does."""
        churn = self._plan.workload.churn(self._plan.contender.scheduler_name)
        if churn is None:
            yield
            return
        churner = Churner(self._session, churn)
        self._loop.run(churner.start())
        try:
            yield
        finally:
            self._loop.run(churner.stop())

    def _start_scheduler(self, stack: ExitStack) -> Running:
        before = time.perf_counter()
        running = self._plan.contender.start(self._control_plane)
        self.observed.ready_seconds = time.perf_counter() - before
        stack.callback(running.stop)
        self.meter.add(SCHEDULER, running.pid)
        return running

    def _create_pods(self) -> None:
        rate = self._plan.mode.pods_per_second
        path = f"/api/v1/namespaces/{self._plan.workload.namespace}/pods"
        created = self._loop.run(create_pods(self._session, path, self._pods, rate))
        self.observed.sent_at, self.observed.lateness_seconds = created.sent_at, created.lateness_seconds
        self.observed.created_at = time.perf_counter()

    def _wait_for_binds(self, running: Running) -> None:
        watch, expected = self._watch, len(self.observed.sent_at)
        deadline = self.observed.started_at + self._plan.deadline_seconds
        alive = True
        # In slices of a second, so that a scheduler that died does not keep the run waiting for its deadline.
        while alive and watch.bound < expected and (remaining := deadline - time.perf_counter()) > 0:
            self._loop.run(watch.until(lambda: watch.bound >= expected, min(remaining, 1.0)))
            alive = _alive(running.pid)
        if watch.bound < expected:
            why = f"within {self._plan.deadline_seconds:g} s" if alive else "before the scheduler's process ended"
            self.observed.problems.append(f"only {watch.bound} of {expected} pods were bound {why}")

    def _wait_for_events(self) -> None:
        count = EventCount(self._session, self._plan.workload.namespace)
        self._loop.run(count.settle(math.inf if self._plan.workload.preempts else self._watch.bound))
        self.observed.events_stored, self.observed.last_event_at = count.stored, count.last_growth_at

    async def _end_watch(self) -> None:
        """Take over what the watch saw, on the loop that writes it."""
        watch = self._watch
        await watch.stop()
        self.observed.bound_at = {pod.uid: pod.bound_at for pod in watch.pods.values() if pod.bound_at is not None}
        self.observed.watch_resumed, self.observed.watch_relisted = watch.resumed, watch.relisted

    def _check(self) -> None:
        api, workload, pods = self._control_plane.api, self._plan.workload, self._watch.pods.values()
        rebound = {pod.name for pod in pods if pod.rebound}
        displaced: set[str] = set()
        if workload.preempts:
            # Nobody else deletes pods here: the control plane has no controllers.
            displaced = {pod.uid for pod in pods if pod.deleted and pod.bound_at is not None}
            self.observed.displaced_measured = len(displaced)
            self.observed.displaced_initial = self._initial_pods_gone()
        self.observed.problems += check(api, workload.namespace, rebound, self.observed.sent_at.keys(), displaced)

    def _initial_pods_gone(self) -> int:
        initial = self._plan.workload.initial_manifests("")
        namespaces = {manifest["metadata"]["namespace"] for manifest in initial}
        paths = [f"/api/v1/namespaces/{namespace}/pods" for namespace in namespaces]
        return len(initial) - sum(len(self._control_plane.api.call("GET", path)["items"]) for path in paths)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
