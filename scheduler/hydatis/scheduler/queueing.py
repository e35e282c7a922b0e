"""The scheduling queue: which pod is tried next, and when one that failed is tried again.

States of a pod (kubernetes pkg/scheduler/backend/queue): *active*, ready to be tried, by priority and then by time;
*backoff*, ready once its backoff ends (1 s doubling to 10 s with each failure; rejections and failed bindings count
apart) or, if plugins rejected it, as soon as no pod is active; *unschedulable*, waiting for the cluster to change;
*gated*, not to be tried while it has scheduling gates; *binding*, taken out and on its way to a node. Every pod is in
exactly one of them. A pod that plugins reject always goes to the unschedulable first, and only what can help it brings
it into backoff: so trying pods in backoff early never turns into trying one pod over and over.
"""

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from hydatis.scheduler.filter_args import NO_FILTER_ARGS, FilterArgs
from hydatis.scheduler.pending_pod import PendingPod, PodState
from hydatis.scheduler.turns import Turn
from hydatis.scheduler.unschedulable import UnschedulablePods

_WINDOW_SECONDS = 1.0
"""Backoffs end together in windows of this length (backoff_queue.go, backoffQOrderingWindowDuration)."""


class QueueEvent(StrEnum):
    """Why a pod entered a queue, in kube-scheduler's words where it has the same event."""

    POD_ADD = "PodAdd"
    POD_UPDATE = "PodUpdate"
    SCHEDULE_FAILURE = "ScheduleAttemptFailure"
    BIND_FAILURE = "BindFailure"
    PREEMPTION_FAILURE = "PreemptionFailure"
    CLUSTER_CHANGE = "ClusterChange"
    BACKOFF_COMPLETE = "BackoffComplete"
    POP_FROM_BACKOFF = "PopFromBackoffQ"
    POLICY_RESUMED = "PolicyResumed"
    UNSCHEDULABLE_TIMEOUT = "UnschedulableTimeout"


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Durations of the queue, in seconds."""

    backoff_initial_seconds: float = 1.0
    """Backoff after the first failed attempt."""
    backoff_max_seconds: float = 10.0
    """Longest backoff."""
    unschedulable_flush_seconds: float = 300.0
    """Longest stay among the unschedulable; a net under lost wake-ups, never the way a pod is meant to come back."""


@dataclass(order=True, slots=True)
class _Entry:
    """A place in a heap; void once its pod moved on, which `entry` of the pod tells."""

    key: tuple[float, ...]
    pod: PendingPod = field(compare=False)


class SchedulingQueue:
    """All pods that wait for a node."""

    def __init__(self, settings: QueueSettings) -> None:
        self._settings = settings
        self._active: list[_Entry] = []
        self._backoff: list[_Entry] = []
        """Pods that plugins rejected."""
        self._error_backoff: list[_Entry] = []
        """Pods whose binding failed."""
        self._flush: list[_Entry] = []
        self.unschedulable = UnschedulablePods()
        """The pods that wait for the cluster to change."""
        self._counts: Counter[PodState] = Counter()
        self._sequence = 0
        self.incoming: Counter[tuple[PodState, QueueEvent]] = Counter()
        """How many pods entered each queue, and why."""

    def count(self, state: PodState) -> int:
        """Return how many pods are in the state."""
        return self._counts[state]

    # Into the queue

    def activate(self, pod: PendingPod, now: float, event: QueueEvent) -> None:
        """Make the pod ready now."""
        if pod.first_queued_at is None:
            pod.first_queued_at = now
        pod.entry = self._push(self._active, (-pod.priority, pod.queued_at), pod)
        self._move(pod, PodState.ACTIVE, event)

    def back_off(self, pod: PendingPod, now: float, event: QueueEvent) -> None:
        """Make the pod ready when its backoff has ended; at once if it has."""
        ready_at = self.ready_at(pod)
        if ready_at <= now:
            self.activate(pod, now, event)
            return
        heap = self._error_backoff if pod.consecutive_errors else self._backoff
        pod.entry = self._push(heap, (ready_at, -pod.priority, pod.queued_at), pod)
        self._move(pod, PodState.BACKOFF, event)

    def back_off_after_error(self, pod: PendingPod, now: float) -> None:
        """Take back a pod that could not be bound, through no fault of its own."""
        pod.consecutive_errors += 1
        pod.queued_at = now
        self.back_off(pod, now, QueueEvent.BIND_FAILURE)

    def park(
        self,
        pod: PendingPod,
        now: float,
        rejected_by: frozenset[str],
        args: FilterArgs = NO_FILTER_ARGS,
        *,
        as_its_class: bool = False,
    ) -> None:
        """Put a pod that these plugins, with these arguments, rejected among the unschedulable. `as_its_class`: any
        other pod of its class would have been rejected just so.
        """
        pod.unschedulable_count += 1
        pod.consecutive_errors = 0
        pod.queued_at = now
        pod.entry = self._push(self._flush, (now + self._settings.unschedulable_flush_seconds,), pod)
        self._move(pod, PodState.UNSCHEDULABLE, QueueEvent.SCHEDULE_FAILURE)
        parked = self.unschedulable.add(pod, rejected_by, args)
        if as_its_class:
            parked.failed_at = now

    def gate(self, pod: PendingPod, event: QueueEvent) -> None:
        """Keep the pod until its scheduling gates are gone."""
        pod.entry = None
        self._move(pod, PodState.GATED, event)

    # Out of the queue

    def next_turn(self, now: float) -> Turn | None:
        """Return the turn of the pod that `pop` would take out now."""
        self._release_due(now)
        if self._peek(self._active) is not None:
            return (0.0, *self._active[0].key[:-1])
        return (1.0, *self._backoff[0].key[:-1]) if self._peek(self._backoff) is not None else None

    def pop(self, now: float) -> PendingPod | None:
        """Take the next pod out for a scheduling attempt; None when there is none.

        With no pod active, one that plugins rejected before need not wait for the end of its backoff, which is there
        to leave the turn to others. One whose binding failed does wait: what made it fail needs the time.
        """
        self._release_due(now)
        if self._peek(self._active) is None and (early := self._peek(self._backoff)) is not None:
            self.activate(early, now, QueueEvent.POP_FROM_BACKOFF)
        pod = self._peek(self._active)
        if pod is None:
            return None
        heapq.heappop(self._active)
        pod.entry = None
        pod.attempts += 1
        self._move(pod, PodState.BINDING, None)
        return pod

    def remove(self, pod: PendingPod) -> None:
        """Forget the pod: it is bound, deleted, or no longer ours."""
        pod.entry = None
        self._move(pod, PodState.GONE, None)

    def ready_at(self, pod: PendingPod) -> float:
        """Return when the pod's backoff ends (backoff_queue.go, getBackoffTime and isEntityBackingoff).

        Backoffs end in windows of whole seconds, so that within a window priority counts and not chance.
        """
        settings = self._settings
        failures = pod.consecutive_errors or pod.unschedulable_count
        if not failures or not settings.backoff_max_seconds:
            return -math.inf
        # The exponent is bounded because 2.0 ** 1100 overflows, which a pod that fails for hours would reach.
        duration = settings.backoff_initial_seconds * 2.0 ** min(failures - 1, 60)
        window = math.floor((pod.queued_at + min(duration, settings.backoff_max_seconds)) / _WINDOW_SECONDS)
        return (window + 1) * _WINDOW_SECONDS

    def next_wake(self) -> float | None:
        """Return when the next backoff or flush is due; None when none is."""
        heaps = (self._backoff, self._error_backoff, self._flush)
        due = [heap[0].key[0] for heap in heaps if self._peek(heap) is not None]
        return min(due, default=None)

    def _release_due(self, now: float) -> None:
        for heap in (self._backoff, self._error_backoff):
            while (pod := self._peek(heap)) is not None and heap[0].key[0] <= now:
                self.activate(pod, now, QueueEvent.BACKOFF_COMPLETE)
        while (pod := self._peek(self._flush)) is not None and self._flush[0].key[0] <= now:
            self._flush_one(pod, now)

    def _flush_one(self, pod: PendingPod, now: float) -> None:
        """Bring back a pod that has been parked for too long, unless one of its class has just failed for all of them,
        or is about to find out.
        """
        parked = pod.parked_in
        assert parked is not None, f"{pod.reference} is not parked"  # noqa: S101  a fault of the core itself
        due = parked.failed_at + self._settings.unschedulable_flush_seconds
        if parked.flushed is not None and parked.flushed[0].is_to_be_tried(parked.flushed[1]):
            due = max(due, now + _WINDOW_SECONDS)
        if due > now:
            pod.entry = self._push(self._flush, (due,), pod)
            return
        parked.flushed = (pod, pod.attempts)
        # What is about to be looked at would have brought it back in any case.
        pod.flushed = not parked.suspected
        self.back_off(pod, now, QueueEvent.UNSCHEDULABLE_TIMEOUT)

    def _push(self, heap: list[_Entry], key: tuple[float, ...], pod: PendingPod) -> object:
        self._sequence += 1
        entry = _Entry((*key, self._sequence), pod)
        heapq.heappush(heap, entry)
        return entry

    def _peek(self, heap: list[_Entry]) -> PendingPod | None:
        """Return the pod of the first entry that is not void, dropping the void ones before it."""
        while heap:
            if heap[0].pod.entry is heap[0]:
                return heap[0].pod
            heapq.heappop(heap)
        return None

    def _move(self, pod: PendingPod, state: PodState, event: QueueEvent | None) -> None:
        if pod.state is PodState.UNSCHEDULABLE:
            self.unschedulable.remove(pod)
        self._counts[pod.state] -= 1
        self._counts[state] += 1
        pod.state = state
        if event is not None:
            self.incoming[state, event] += 1
