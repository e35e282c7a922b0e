"""The live driver: what the watches see goes into the decision core, what the core decides goes out to the API server.

`running` connects the streams' callbacks to it and runs `Driver.run`. It owns the core; nothing else calls it.
Invariants: no decision before `open` was called, which `running` does when pods, nodes, namespaces and policies are
listed (so a restart never fills a node twice); the loop gets its turn at least every `SLICE_SECONDS`; no decision
while more binds wait than the pool can soon send.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from hydatis.operator.binding import BOUND
from hydatis.operator.conditions import ConditionWriter
from hydatis.operator.decisions import DecisionLog
from hydatis.operator.metrics import Metrics
from hydatis.operator.outbox import Lane, Outbox
from hydatis.operator.recording import Recorder
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.events import (
    BindFailed,
    BindSucceeded,
    DisruptionBudgetGone,
    DisruptionBudgetSeen,
    Event,
    NamespaceGone,
    NamespaceSeen,
    NodeGone,
    NodeSeen,
    PodGone,
    PodSeen,
    PreemptionFailed,
    StorageGone,
    StorageKind,
    StorageSeen,
    WorkloadGone,
    WorkloadSeen,
)
from hydatis.scheduler.instructions import Bind, Instruction, Preemption
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.workloads import Workload

logger = logging.getLogger(__name__)

SLICE_SECONDS = 0.005
"""Deciding gives way to watches and binds this often."""
WAITING_BINDS_PER_WORKER = 4
"""Deciding further ahead than this would only make the decisions older when they leave."""
_TERMINAL = frozenset({"Succeeded", "Failed"})
_SHORTEST_SLEEP_SECONDS = 0.001
_PAUSE_AFTER_FAULT_SECONDS = 1.0


class Driver:
    """Feeds the core and carries out what it says. `submit_bind` is `Claimer.submit` and `submit_preemption` is
    `Evictor.submit`, set when these exist.
    """

    def __init__(
        self,
        core: Scheduler,
        outbox: Outbox,
        recorder: Recorder,
        conditions: ConditionWriter,
        metrics: Metrics,
        *,
        scheduler_names: frozenset[str],
        decisions: DecisionLog | None = None,
    ) -> None:
        self.core = core
        self._decisions = DecisionLog() if decisions is None else decisions
        self.submit_bind: Callable[[Bind], None] = lambda _: None
        self.submit_preemption: Callable[[PodReference, Preemption], None] = lambda *_: None
        self._outbox = outbox
        self._recorder = recorder
        self._conditions = conditions
        self._metrics = metrics
        self._scheduler_names = scheduler_names
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._opened = False
        self._stopping = False
        self._most_waiting = WAITING_BINDS_PER_WORKER * outbox.concurrency
        outbox.on_room = self._bind_left

    @property
    def opened(self) -> bool:
        """Whether deciding has begun."""
        return self._opened

    def open(self) -> None:
        """Everything is listed: begin to decide."""
        self._opened = True
        self._wake.set()

    def stop(self) -> None:
        """Decide no more; events are still taken in."""
        self._stopping = True
        self._wake.set()

    def pod_seen(self, manifest: Mapping[str, Any]) -> None:
        """A pod was listed, added or modified."""
        uid = manifest["metadata"]["uid"]
        # The field selector keeps terminal pods out; what ignores it must not make a finished pod count.
        if manifest.get("status", {}).get("phase") in _TERMINAL:
            self.pod_gone(uid)
            return
        spec = manifest["spec"]
        if not spec.get("nodeName") and spec.get("schedulerName") in self._scheduler_names:
            self._conditions.observe(uid, manifest)
        else:
            self._conditions.forget(uid)
        self.tell(PodSeen(manifest))

    def pod_gone(self, uid: str) -> None:
        """A pod was deleted or ended."""
        self._conditions.forget(uid)
        self.tell(PodGone(uid))

    def node_seen(self, manifest: Mapping[str, Any]) -> None:
        """A node was listed, added or modified."""
        self.tell(NodeSeen(manifest))

    def node_gone(self, name: str) -> None:
        """A node was deleted."""
        self.tell(NodeGone(name))

    def namespace_seen(self, manifest: Mapping[str, Any]) -> None:
        """A namespace was listed, added or modified."""
        self.tell(NamespaceSeen(manifest))

    def namespace_gone(self, name: str) -> None:
        """A namespace was deleted."""
        self.tell(NamespaceGone(name))

    def workload_seen(self, kind: str, manifest: Mapping[str, Any]) -> None:
        """A Service or a controller of pods was listed, added or modified."""
        metadata = manifest["metadata"]
        self.tell(WorkloadSeen(Workload(kind, metadata["namespace"], metadata["name"]), manifest))

    def workload_gone(self, kind: str, key: str) -> None:
        """A Service or a controller of pods was deleted; `key` is NAMESPACE/NAME."""
        namespace, _, name = key.partition("/")
        self.tell(WorkloadGone(Workload(kind, namespace, name)))

    def storage_seen(self, kind: StorageKind, manifest: Mapping[str, Any]) -> None:
        """An object that volumes depend on was listed, added or modified."""
        self.tell(StorageSeen(kind, manifest))

    def storage_gone(self, kind: StorageKind, key: str) -> None:
        """An object that volumes depend on was deleted; `key` is NAMESPACE/NAME, or the name of a kind without."""
        namespace, _, name = key.rpartition("/")
        self.tell(StorageGone(kind, namespace, name))

    def budget_seen(self, manifest: Mapping[str, Any]) -> None:
        """A PodDisruptionBudget was listed, added or modified."""
        self.tell(DisruptionBudgetSeen(manifest))

    def budget_gone(self, key: str) -> None:
        """A PodDisruptionBudget was deleted; `key` is NAMESPACE/NAME."""
        namespace, _, name = key.partition("/")
        self.tell(DisruptionBudgetGone(namespace, name))

    def tell(self, event: Event) -> None:
        """Give the core one event; a defect of the core in it is counted and logged, and the rest goes on."""
        try:
            self.core.handle(event, time.monotonic())
        except Exception:  # one odd object must not end scheduling for all the others; it is counted and told
            self._metrics.core_faults.labels("handle").inc()
            logger.exception("The decision core failed on %s; it goes on without this event.", _describe(event))
        self._wake.set()

    def bind_done(self, instruction: Bind, outcome: str, reason: str | None) -> None:
        """The binder's answer."""
        now = time.monotonic()
        pod, decision = instruction.pod, instruction.decision
        self._metrics.bind_ended(outcome, decision, now)
        if outcome in BOUND:
            self._decisions.bound(pod.uid)
            self._conditions.forget(pod.uid)
            self.tell(BindSucceeded(pod.uid))
            note = f"Successfully assigned {pod} to {instruction.node}: {decision.summary()}"
            self._recorder.normal(pod, "Scheduled", note, action="Binding", controller=decision.scheduler_name)
            return
        self._decisions.not_bound(pod.uid, reason or outcome)
        self.tell(BindFailed(pod.uid, reason or outcome))
        if outcome == "gone":
            return
        happened = "was withdrawn" if outcome == "withdrawn" else "failed"
        note = f"Binding to node {instruction.node} {happened} and will be tried again: {reason}"
        if outcome != "conflict" and self.core.is_pending(pod.uid):
            self._conditions.failed_to_bind(pod, note)
        else:
            # Somebody else has bound the pod, or it is being deleted.
            self._conditions.nominate(pod, "")
        self._recorder.warning(pod, "FailedScheduling", note, action="Binding", controller=decision.scheduler_name)

    async def run(self) -> None:
        """Decide whenever there is something to decide, until `stop`."""
        while not self._stopping:
            self._wake.clear()
            worked = self._opened and not self._crowded() and await self._decide_for_a_slice()
            if worked:
                await asyncio.sleep(0)
            elif not self._stopping:
                await self._sleep()

    def _crowded(self) -> bool:
        return self._outbox.waiting(Lane.BIND) >= self._most_waiting

    def _bind_left(self) -> None:
        if self._outbox.waiting(Lane.BIND) == self._most_waiting // 2:
            self._wake.set()

    async def _decide_for_a_slice(self) -> bool:
        """Run scheduling cycles until the time is up, the queue is empty or the outbox is full; whether any ran."""
        slice_end = time.perf_counter() + SLICE_SECONDS
        worked = False
        while not self._crowded():
            started = time.perf_counter()
            try:
                instruction = self.core.schedule_next(time.monotonic())
            except Exception:  # a defect of the core must not end the operator; it is counted and told
                self._metrics.core_faults.labels("schedule").inc()
                logger.exception("The decision core failed in a scheduling cycle; it goes on with the next.")
                await asyncio.sleep(_PAUSE_AFTER_FAULT_SECONDS)
                return True
            if instruction is None:
                return worked
            worked = True
            ended = time.perf_counter()
            self._metrics.cycle(ended - started)
            self._carry_out(instruction, ended - started)
            if ended > slice_end:
                break
        return worked

    def _carry_out(self, instruction: Instruction, seconds: float) -> None:
        self._decisions.note(instruction, time.time())
        if isinstance(instruction, Bind):
            self._conditions.withdraw(instruction.pod.uid)
            if instruction.volumes:
                # It may take minutes; meanwhile autoscalers read here that the pod has a node, as does the next start.
                self._conditions.nominate(instruction.pod, instruction.node)
            self._conditions.after_writing(instruction.pod.uid, partial(self.submit_bind, instruction))
            return
        pod, profile = instruction.pod, instruction.decision.scheduler_name
        self._metrics.unschedulable(profile, seconds)
        self._metrics.preemption_attempted(instruction)
        if instruction.paused:
            self._conditions.paused(pod, instruction.message)
        else:
            self._conditions.submit(pod, instruction.message, instruction.nominated_node)
        if instruction.preemption is not None:
            self._displace(pod, instruction.preemption)
        self._recorder.warning(pod, "FailedScheduling", instruction.message, action="Scheduling", controller=profile)

    def _displace(self, pod: PodReference, preemption: Preemption) -> None:
        for outranked in preemption.outranked:
            self._conditions.nominate(outranked, "")
        self.submit_preemption(pod, preemption)

    def preemption_failed(self, pod: PodReference, staying: frozenset[str]) -> None:
        """The evictor's answer: these victims stay."""
        self.tell(PreemptionFailed(pod.uid, staying))

    async def _sleep(self) -> None:
        """Until an event comes, a bind leaves room, or a backoff ends."""
        due = self.core.next_wake() if self._opened and not self._crowded() else None
        if due is None:
            await self._wake.wait()
            return
        delay = max(due - time.monotonic(), _SHORTEST_SLEEP_SECONDS)
        timer = self._loop.call_later(delay, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()


def _describe(event: Event) -> str:
    match event:
        case (
            PodSeen(manifest=manifest)
            | NodeSeen(manifest=manifest)
            | NamespaceSeen(manifest=manifest)
            | StorageSeen(manifest=manifest)
        ):
            metadata = manifest.get("metadata", {})
            kind = event.kind if isinstance(event, StorageSeen) else ""
            return f"{type(event).__name__} {kind} {metadata.get('namespace', '')}/{metadata.get('name', '')}"
        case _:
            return repr(event)
