"""Starts, watches over and stops everything: one operator process.

The command `run` calls `run`. kopf owns the process life-cycle and the custom resources: its startup handler starts the
streams, the driver and the outbox, its cleanup handler drains and stops them. A task that ends in an error ends the
operator with that error; SIGTERM and SIGINT end it cleanly.
"""

import asyncio
import gc
import itertools
import logging
import random
import signal
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import kopf
import numpy as np

from hydatis.operator import preflight
from hydatis.operator.binding import Binder
from hydatis.operator.claiming import DEFAULT_TIMEOUT_SECONDS, Claimer
from hydatis.operator.collecting import Collection
from hydatis.operator.conditions import ConditionWriter
from hydatis.operator.connection import Connection
from hydatis.operator.credentials import CredentialSource
from hydatis.operator.decisions import DecisionLog
from hydatis.operator.driver import Driver
from hydatis.operator.errors import OperatorError
from hydatis.operator.event_loop import new_event_loop
from hydatis.operator.evicting import Evictor
from hydatis.operator.explanations import Explanations
from hydatis.operator.metrics import Metrics, process_age_seconds
from hydatis.operator.models import PATH as MODELS_PATH
from hydatis.operator.models import ModelKeeper
from hydatis.operator.outbox import Lane, Outbox
from hydatis.operator.owner_memory import OwnerMemory, archive_name
from hydatis.operator.policies import PolicyKeeper
from hydatis.operator.probes import ProbeServer
from hydatis.operator.recording import Recorder
from hydatis.operator.storage import StorageView
from hydatis.operator.volume_updates import VolumeUpdates
from hydatis.operator.watching import DEFAULT_TIMING, Stream, Watched, WatchTiming
from hydatis.scheduler.events import StorageKind
from hydatis.scheduler.scheduler import Scheduler, Settings

logger = logging.getLogger(__name__)
_Told = TypeVar("_Told")

DRAIN_BINDS_SECONDS = 10.0
FLUSH_EVENTS_SECONDS = 5.0
SAVE_OWNERS_SECONDS = 5.0
GARBAGE_THRESHOLD = 20_000
"""Decoding a burst of watch events makes millions of short-lived objects; Python's default of 700 would look for cycles
among them thousands of times a second."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line decides."""

    source: CredentialSource = field(default_factory=CredentialSource)
    namespace: str | None = None
    """HYDATIS' own, where ConfigMaps with weights are; None: what goes with the credentials."""
    host: str = "127.0.0.1"
    port: int = 8080
    explain_host: str | None = None
    """A second address, on loopback, that serves decisions; `host` serves them too where it is a loopback address."""
    explain_port: int = 0
    scheduler_names: frozenset[str] = frozenset({"hydatis"})
    bind_concurrency: int = 32
    """Most binds on their way at a time."""
    volume_bind_timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    """How long a pod waits for its volumes before it is given another try, maybe on another node."""
    seed: int | None = None
    """Makes tie-breaks and jitter repeatable; None takes one from the system."""
    timing: WatchTiming = DEFAULT_TIMING


def run(options: Options) -> None:
    """Run the operator until it is told to stop. Raises OperatorError when it cannot start or go on."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(options))


async def serve(options: Options) -> None:
    """`run` within a running loop."""
    metrics = Metrics(options.scheduler_names)
    connection = await Connection.open(options.source, metrics.request)
    try:
        namespace = options.namespace or options.source.namespace()
        await preflight.check(connection, namespace)
        operator = Operator(connection, metrics, options, namespace)
        address = await operator.probes.start(options.host, options.port)
        names = ", ".join(sorted(options.scheduler_names))
        logger.info("Scheduling for %s at %s; probes on %s", names, connection.server, address)
        try:
            if options.explain_host is not None:
                address = await operator.probes.start_local(options.explain_host, options.explain_port)
                logger.info("Decisions are explained on %s", address)
            await operator.serve()
        finally:
            await operator.probes.stop()
    finally:
        await connection.close()


class Operator:
    """The parts of one operator and their tasks."""

    def __init__(self, connection: Connection, metrics: Metrics, options: Options, namespace: str) -> None:
        self._connection = connection
        self._metrics = metrics
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._timing = options.timing
        jitter = random.Random(options.seed)  # noqa: S311 - it spreads retries in time, no more
        core = Scheduler(
            Settings(scheduler_names=options.scheduler_names, keep_evidence=True),
            random=np.random.default_rng(options.seed),
        )
        decisions = DecisionLog()
        self.outbox = Outbox(options.bind_concurrency)
        self.recorder = Recorder(connection, self.outbox)
        conditions = ConditionWriter(connection, self.outbox)
        self.driver = Driver(
            core,
            self.outbox,
            self.recorder,
            conditions,
            metrics,
            scheduler_names=options.scheduler_names,
            decisions=decisions,
        )
        binder = Binder(connection, self.outbox, self.driver.bind_done, why_withdraw=core.why_withdraw, jitter=jitter)
        self.storage = StorageView(core)
        self.claimer = Claimer(
            self.outbox,
            VolumeUpdates(connection, jitter=jitter),
            self.storage,
            bind=binder.submit,
            done=self.driver.bind_done,
            timeout_seconds=options.volume_bind_timeout_seconds,
        )
        self.driver.submit_bind = self.claimer.submit
        evictor = Evictor(
            connection,
            self.outbox,
            self.recorder,
            self.driver.preemption_failed,
            take_back=self.claimer.take_back,
            waits=core.is_pending,
        )
        self.driver.submit_preemption = evictor.submit
        self.models = ModelKeeper(connection, self.driver.tell, namespace=namespace, policies=core.policies.values)
        self.policies = PolicyKeeper(
            connection,
            _both(self.driver.tell, lambda _: self.models.policies_changed()),
            mode_of=lambda policy: policy.mode_with(core.models),
            why_missing=self.models.why_missing,
        )
        self.models.changed = self.policies.models_changed
        watched = (
            *_watched(self.driver, self.claimer),
            *_watched_storage(self.driver, self.storage),
            Watched("mlmodels", MODELS_PATH, _name, self.models.seen, self.models.gone),
        )
        self.streams = [Stream(connection, one, options.timing, jitter=jitter) for one in watched]
        memory = OwnerMemory(
            connection,
            core.cluster.load.owners,
            self.driver.tell,
            namespace=namespace,
            name=archive_name(options.scheduler_names),
        )
        collection = Collection(
            core,
            self.outbox,
            claimer=self.claimer,
            recorder=self.recorder,
            conditions=conditions,
            streams=self.streams,
            decisions=decisions,
            memory=memory,
        )
        metrics.collect_from(collection.collect)
        self.memory = memory
        explanations = Explanations(decisions, core.models)
        self.probes = ProbeServer(metrics, health=self._health, readiness=self._readiness, local=explanations.routes())

    async def serve(self) -> None:
        """Let kopf run it all until a signal or a failure. Raises the failure."""
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry, id="login")(self._login)
        kopf.on.startup(registry=registry, id="start")(self._start)
        kopf.on.cleanup(registry=registry, id="stop")(self._drain)
        self.policies.register(registry)
        settings = kopf.OperatorSettings()
        settings.scanning.disabled = True
        settings.posting.enabled = False
        settings.watching.inactivity_timeout = self._timing.silence_seconds
        settings.networking.error_backoffs = _EndlessBackoff()
        try:
            await kopf.operator(
                registry=registry, settings=settings, standalone=True, clusterwide=True, stop_flag=self._stop
            )
        except Exception as fault:  # kopf's errors have no common class of their own; this one is told, and ends it all
            logger.exception("kopf ended with an error.")
            raise OperatorError(
                f"kopf, which watches the policies, ended: {fault}.", "Correct what it names and start again."
            ) from fault
        finally:
            await self._stop_tasks()
        if self._failure is not None:
            raise self._failure

    async def _start(self, **_: Any) -> None:
        self.outbox.start()
        for stream in self.streams:
            self._spawn(stream.run(), f"watch {stream.watched.resource}")
        self._spawn(self.policies.run(), "policies")
        self._spawn(self.models.verify(), "models")
        self._spawn(self.models.write_statuses(), "status of models")
        self._spawn(self.recorder.tend(), "event series")
        self._spawn(self.memory.run(), "owners")
        self._spawn(self.probes.measure_lag(), "loop lag")
        self._spawn(self.driver.run(), "driver")
        self._tasks.append(asyncio.create_task(self._open_when_listed(), name="opening"))

    async def _open_when_listed(self) -> None:
        for listed in (*(stream.listed for stream in self.streams), self.policies.listed):
            await listed.wait()
        await self.memory.restore()
        # kopf's own handlers, installed by now, fail on a second signal; a flag can be set twice.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        # What exists now lives as long as the process: the garbage collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
        self.driver.open()
        seconds = process_age_seconds()
        self._metrics.ready_duration.set(seconds)
        logger.info("Ready after %.1f s: %d nodes are known.", seconds, self.driver.core.node_count)

    async def _drain(self, **_: Any) -> None:
        """Decide no more, let binds on their way finish, and send the Events that wait."""
        # Also ends kopf's own task that waits for it; kopf waits five seconds for whatever runs after this handler.
        self._stop.set()
        self.driver.stop()
        self.claimer.stop()
        if not await self.outbox.drain((Lane.BIND,), DRAIN_BINDS_SECONDS):
            logger.warning("Stopping while binds are still without an answer; the next start finds out about them.")
        await self.recorder.flush(FLUSH_EVENTS_SECONDS)
        try:
            async with asyncio.timeout(SAVE_OWNERS_SECONDS):
                await self.memory.save()
        except TimeoutError:
            logger.warning("Stopping before what is known of owners was kept; what was kept before still is.")
        await self._stop_tasks()
        await self.probes.stop()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            if self._failure is None:
                self._failure = failure
            self._stop.set()

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.outbox.close()

    async def _login(self, **_: Any) -> kopf.ConnectionInfo:
        """What kopf connects with; it asks again when the API server answers 401."""
        await self._connection.refresh()
        configuration = self._connection.configuration
        scheme, token = self._connection.authorization.partition(" ")[::2]
        return kopf.ConnectionInfo(
            server=self._connection.server,
            ca_path=configuration.ssl_ca_cert,
            insecure=not configuration.verify_ssl,
            scheme=scheme or None,
            token=token or None,
            certificate_path=configuration.cert_file,
            private_key_path=configuration.key_file,
            proxy_url=self._connection.proxy,
        )

    def _health(self) -> Mapping[str, str]:
        now = time.monotonic()
        limit = 2 * self._timing.silence_seconds
        checks = {"event loop": ""}
        for stream in self.streams:
            silent = stream.silent_seconds(now)
            checks[f"stream of {stream.watched.resource}"] = f"silent for {silent:.0f} s" if silent > limit else ""
        return checks

    def _readiness(self) -> Mapping[str, str]:
        now = time.monotonic()
        checks = {
            "policies": "" if self.policies.listed.is_set() else "not listed yet",
            "scheduling": "stopping" if self._stop.is_set() else "" if self.driver.opened else "not begun yet",
        }
        for stream in self.streams:
            connected = "" if stream.alive(now) else "not connected"
            checks[stream.watched.resource] = connected if stream.listed.is_set() else "not listed yet"
        return checks


class _EndlessBackoff:
    """Seconds between attempts of kopf, which would otherwise give up after a minute, and the operator with it."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((0.5, 1.0, 2.0), itertools.repeat(5.0))


_WORKLOADS = (
    ("services", "/api/v1/services", "Service"),
    ("replicationcontrollers", "/api/v1/replicationcontrollers", "ReplicationController"),
    ("replicasets", "/apis/apps/v1/replicasets", "ReplicaSet"),
    ("statefulsets", "/apis/apps/v1/statefulsets", "StatefulSet"),
)
"""Resource, path and kind of what says which pods belong together."""


_STORAGE = (
    ("persistentvolumes", "/api/v1/persistentvolumes", StorageKind.PERSISTENT_VOLUME),
    ("persistentvolumeclaims", "/api/v1/persistentvolumeclaims", StorageKind.PERSISTENT_VOLUME_CLAIM),
    ("storageclasses", "/apis/storage.k8s.io/v1/storageclasses", StorageKind.STORAGE_CLASS),
    ("csinodes", "/apis/storage.k8s.io/v1/csinodes", StorageKind.CSI_NODE),
    ("csidrivers", "/apis/storage.k8s.io/v1/csidrivers", StorageKind.CSI_DRIVER),
    ("csistoragecapacities", "/apis/storage.k8s.io/v1/csistoragecapacities", StorageKind.CSI_STORAGE_CAPACITY),
    ("volumeattachments", "/apis/storage.k8s.io/v1/volumeattachments", StorageKind.VOLUME_ATTACHMENT),
)
"""Resource, path and kind of what says which volumes a node can reach."""


def _watched(driver: Driver, claimer: Claimer) -> tuple[Watched, ...]:
    return (
        Watched("nodes", "/api/v1/nodes", _name, driver.node_seen, _both(driver.node_gone, claimer.node_gone)),
        Watched("namespaces", "/api/v1/namespaces", _name, driver.namespace_seen, driver.namespace_gone),
        Watched(
            "pods",
            "/api/v1/pods",
            _uid,
            driver.pod_seen,
            _both(driver.pod_gone, claimer.pod_gone),
            field_selector="status.phase!=Succeeded,status.phase!=Failed",
        ),
        Watched(
            "poddisruptionbudgets",
            "/apis/policy/v1/poddisruptionbudgets",
            _namespaced_name,
            driver.budget_seen,
            driver.budget_gone,
        ),
        *(
            Watched(
                resource,
                path,
                _namespaced_name,
                partial(driver.workload_seen, kind),
                partial(driver.workload_gone, kind),
            )
            for resource, path, kind in _WORKLOADS
        ),
    )


def _watched_storage(driver: Driver, view: StorageView) -> Iterator[Watched]:
    # The core hears of everything first: what the view brings about may ask it to decide.
    seen_by_view = {
        StorageKind.PERSISTENT_VOLUME: (view.volume_seen, view.volume_gone),
        StorageKind.PERSISTENT_VOLUME_CLAIM: (view.claim_seen, view.claim_gone),
    }
    for resource, path, kind in _STORAGE:
        seen: Callable[[Mapping[str, Any]], None] = partial(driver.storage_seen, kind)
        gone: Callable[[str], None] = partial(driver.storage_gone, kind)
        if kind in seen_by_view:
            view_seen, view_gone = seen_by_view[kind]
            seen, gone = _both(seen, view_seen), _both(gone, view_gone)
        yield Watched(resource, path, _key, seen, gone)


def _both(first: Callable[[_Told], None], second: Callable[[_Told], None]) -> Callable[[_Told], None]:
    def tell(what: _Told) -> None:
        first(what)
        second(what)

    return tell


def _name(manifest: Mapping[str, Any]) -> str:
    name: str = manifest["metadata"]["name"]
    return name


def _namespaced_name(manifest: Mapping[str, Any]) -> str:
    metadata = manifest["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"


def _key(manifest: Mapping[str, Any]) -> str:
    """NAMESPACE/NAME, or the name alone of a kind without namespaces."""
    return _namespaced_name(manifest) if manifest["metadata"].get("namespace") else _name(manifest)


def _uid(manifest: Mapping[str, Any]) -> str:
    uid: str = manifest["metadata"]["uid"]
    return uid
