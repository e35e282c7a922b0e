"""The scheduling queue: which pod is tried next, and when one that failed is tried again.

States of a pod (kubernetes pkg/scheduler/backend/queue): *active*, ready to be tried, by priority and then by time;
*backoff*, ready once its backoff ends (1 s doubling to 10 s with each failed attempt); *unschedulable*, waiting for
the cluster to change; *gated*, not to be tried while it has scheduling gates; *binding*, taken out and on its way to
a node. Every pod is in exactly one of them.
"""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from hydatis.scheduler.pending_pod import PendingPod, PodState
from hydatis.scheduler.unschedulable import UnschedulablePods


class QueueEvent(StrEnum):
    """Why a pod entered a queue, in kube-scheduler's words where it has the same event."""

    POD_ADD = "PodAdd"
    POD_UPDATE = "PodUpdate"
    SCHEDULE_FAILURE = "ScheduleAttemptFailure"
    BIND_FAILURE = "BindFailure"
    CLUSTER_CHANGE = "ClusterChange"
    BACKOFF_COMPLETE = "BackoffComplete"
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
        pod.queued_at = now
        if pod.first_queued_at is None:
            pod.first_queued_at = now
        pod.entry = self._push(self._active, (-pod.priority, now), pod)
        self._move(pod, PodState.ACTIVE, event)

    def back_off(self, pod: PendingPod, now: float, event: QueueEvent) -> None:
        """Make the pod ready when its backoff, counted from its last attempt, has ended; at once if it has."""
        ready_at = self._backoff_ends(pod)
        if ready_at <= now:
            self.activate(pod, now, event)
            return
        pod.entry = self._push(self._backoff, (ready_at,), pod)
        self._move(pod, PodState.BACKOFF, event)

    def park(self, pod: PendingPod, now: float, rejected_by: frozenset[str]) -> None:
        """Put a pod that these plugins rejected among the unschedulable."""
        pod.entry = self._push(self._flush, (now + self._settings.unschedulable_flush_seconds,), pod)
        self._move(pod, PodState.UNSCHEDULABLE, QueueEvent.SCHEDULE_FAILURE)
        self.unschedulable.add(pod, rejected_by)

    def gate(self, pod: PendingPod, event: QueueEvent) -> None:
        """Keep the pod until its scheduling gates are gone."""
        pod.entry = None
        self._move(pod, PodState.GATED, event)

    # Out of the queue

    def pop(self, now: float) -> PendingPod | None:
        """Take the next active pod out for a scheduling attempt; None when there is none."""
        self._release_due(now)
        pod = self._peek(self._active)
        if pod is None:
            return None
        heapq.heappop(self._active)
        pod.entry = None
        pod.attempts += 1
        pod.last_attempt_at = now
        self._move(pod, PodState.BINDING, None)
        return pod

    def remove(self, pod: PendingPod) -> None:
        """Forget the pod: it is bound, deleted, or no longer ours."""
        pod.entry = None
        self._move(pod, PodState.GONE, None)

    def next_wake(self) -> float | None:
        """Return when the next backoff or flush is due; None when none is."""
        due = [heap[0].key[0] for heap in (self._backoff, self._flush) if self._peek(heap) is not None]
        return min(due, default=None)

    def _backoff_ends(self, pod: PendingPod) -> float:
        if not pod.attempts:
            return 0.0
        settings = self._settings
        # The exponent is bounded because 2.0 ** 1100 overflows, which a pod that fails for hours would reach.
        duration = settings.backoff_initial_seconds * 2.0 ** min(pod.attempts - 1, 60)
        return pod.last_attempt_at + min(duration, settings.backoff_max_seconds)

    def _release_due(self, now: float) -> None:
        while (pod := self._peek(self._backoff)) is not None and self._backoff[0].key[0] <= now:
            self.activate(pod, now, QueueEvent.BACKOFF_COMPLETE)
        while (pod := self._peek(self._flush)) is not None and self._flush[0].key[0] <= now:
            pod.flushed = True
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
