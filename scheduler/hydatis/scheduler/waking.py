"""Waking: which unschedulable pods the latest changes may have made schedulable.

The scheduler calls `look` before each scheduling cycle. Two sieves, one behind the other: a class of pods is looked at
only if something happened that can help against a plugin that rejected it (each plugin's `helped_by`), and then it is
filtered for real, against just the nodes to which that happened. A class that is still infeasible there remembers
which plugins say so now, and is brought back all the same if pods of lower priority could make way for it there. So no
wake-up is lost, hardly any is wasted, and pods that are parked cost nothing when what happens does not concern them.

The pods of a class that became feasible come back in waves, each twice as large as the one before and sent only while
there is still room for the class after the last: one place that becomes free does not bring back a thousand pods.
"""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from hydatis.scheduler.arrays import NO_ROWS, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.evaluating import Evaluations, Look
from hydatis.scheduler.filter_args import FilterArgs
from hydatis.scheduler.hinting import own_events
from hydatis.scheduler.pending_pod import ParkedClass, PendingPod, PodState
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.preempting import Preemptor
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.queueing import QueueEvent, SchedulingQueue

_CLASSES_A_CYCLE = 32
"""Classes looked at before each scheduling cycle, about 2 ms of work: pods that are ready do not wait for those that
are not.
"""


@dataclass(slots=True)
class _ToLookAt:
    parked: ParkedClass
    rows: Rows | None
    """Nodes that may have become feasible; None: any."""


@dataclass(slots=True)
class _Waves:
    """Pods that come back, first those of the highest priority."""

    looked_at: _ToLookAt
    to_come: deque[PendingPod]
    under_way: list[tuple[PendingPod, int]] = field(default_factory=list)
    """With the number of attempts that each pod had when it was sent."""
    size: int = 1

    def send(self, queue: SchedulingQueue, now: float) -> None:
        """Bring back the next pods."""
        for _ in range(min(self.size, len(self.to_come))):
            pod = self.to_come.popleft()
            if pod.parked_in is self.looked_at.parked:
                queue.back_off(pod, now, QueueEvent.CLUSTER_CHANGE)
                self.under_way.append((pod, pod.attempts))
        self.size *= 2

    def are_under_way(self) -> bool:
        """Tell whether pods of the last wave have still to be tried."""
        while self.under_way:
            pod, attempts = self.under_way[-1]
            if pod.attempts == attempts and pod.state in (PodState.ACTIVE, PodState.BACKOFF):
                return True
            self.under_way.pop()
        return False


class Waking:
    """Brings unschedulable pods back."""

    def __init__(
        self,
        cluster: Cluster,
        queue: SchedulingQueue,
        evaluations: Evaluations,
        preemptor: Preemptor,
        profile: Profile,
    ) -> None:
        self._cluster = cluster
        self._queue = queue
        self._evaluations = evaluations
        self._preemptor = preemptor
        self._hints = profile.hints
        self._to_look_at: deque[_ToLookAt] = deque()
        self._waves: deque[_Waves] = deque()
        self._seen = cluster.events.position
        self.classes_looked_at = 0
        """How often a class was filtered again because something happened that might help it."""

    @property
    def pending(self) -> bool:
        """Whether classes are left to be looked at."""
        return bool(self._to_look_at or self._waves)

    def look(self, now: float) -> None:
        """Look at a few classes that may have become feasible, and bring back pods of those that have."""
        if not self._to_look_at:
            self._collect()
        for _ in range(min(_CLASSES_A_CYCLE, len(self._waves))):
            waves = self._waves.popleft()
            if waves.are_under_way():
                self._waves.append(waves)
            elif self._helped(waves.looked_at):
                self._send(waves, now)
        for _ in range(min(_CLASSES_A_CYCLE, len(self._to_look_at))):
            entry = self._to_look_at.popleft()
            helped = self._helped(entry)
            if helped:
                pods = sorted(helped, key=lambda pod: (-pod.priority, pod.queued_at))
                self._send(_Waves(entry, deque(pods)), now)

    def pod_changed(self, pod: PendingPod, args: FilterArgs, now: float) -> None:
        """A parked pod was itself changed, or its policy was: bring it back if that makes it feasible."""
        parked = pod.parked_in
        assert parked is not None, f"{pod.reference} is not parked"  # noqa: S101  a fault of the core itself
        if pod.pod_class is parked.pod_class and args == parked.args:
            return
        rejected_by = parked.rejected_by
        hint = self._hints.against(rejected_by)
        happened = own_events(parked.pod_class, pod.pod_class)
        if args != parked.args or happened & (hint.on_its_node | hint.anywhere):
            look = self._evaluations.look_again(pod.pod_class, args, None)
            if look.feasible or self._could_displace([pod], pod.pod_class, args, look):
                self._queue.back_off(pod, now, QueueEvent.POD_UPDATE)
                return
            rejected_by = look.rejected_by
        self._queue.unschedulable.remove(pod)
        self._queue.unschedulable.add(pod, rejected_by, args)

    def _helped(self, entry: _ToLookAt) -> Collection[PendingPod]:
        """Return the pods of a class that may fit now, or could displace others."""
        parked = entry.parked
        if not parked.pods:
            return ()
        self.classes_looked_at += 1
        look = self._evaluations.look_again(parked.pod_class, parked.args, entry.rows)
        if look.feasible:
            if self._evaluations.free_for_all(parked.pod_class, parked.args, look.rows):
                return parked.pods.values()
            return self._expected(parked, look)
        self._queue.unschedulable.learn(parked, look.rejected_by)
        return self._could_displace(parked.pods.values(), parked.pod_class, parked.args, look)

    def _expected(self, parked: ParkedClass, look: Look) -> Collection[PendingPod]:
        """Return the pods for which the nodes that were found free are kept; and those that could displace others
        there.
        """
        nodes = {self._cluster.node_name(row) for row in look.rows.tolist()}
        expected = {uid: pod for uid, pod in parked.pods.items() if self._preemptor.nominations.node_of(uid) in nodes}
        others = [pod for uid, pod in parked.pods.items() if uid not in expected]
        beside = replace(look, rows=NO_ROWS, resolvable=np.union1d(look.resolvable, look.rows))
        return [*expected.values(), *self._could_displace(others, parked.pod_class, parked.args, beside)]

    def _could_displace(
        self, pods: Iterable[PendingPod], pod_class: PodClass, args: FilterArgs, look: Look
    ) -> Collection[PendingPod]:
        """Return the pods for which others could make way on a node that was looked at; and those whose victims are
        gone without leaving them the room, for which it may be any node now.
        """
        if not pod_class.preempts:
            return ()
        preemptor = self._preemptor
        free = [pod for pod in pods if not preemptor.awaits_victims(pod.reference.uid, pod_class)]
        if free and preemptor.helps(free[0].reference.uid, pod_class, args, look.resolvable):
            return free
        return [pod for pod in free if preemptor.nominations.node_of(pod.reference.uid) is not None]

    def _send(self, waves: _Waves, now: float) -> None:
        waves.send(self._queue, now)
        if waves.to_come:
            self._waves.append(waves)

    def _collect(self) -> None:
        """Find the classes that what happened can help, those with the most urgent pods first."""
        log, unschedulable = self._cluster.events, self._queue.unschedulable
        if self._seen == log.position:
            return
        seen, self._seen = self._seen, log.position
        if not len(unschedulable):
            return
        happened = log.since(seen)
        found: list[_ToLookAt] = []
        for plugins in unschedulable.rejections():
            hint = self._hints.against(plugins)
            rows = None if happened.includes(hint.anywhere) else happened.rows(hint.on_its_node)
            if rows is None or len(rows):
                found.extend(_ToLookAt(parked, rows) for parked in unschedulable.classes_rejected_by(plugins))
        self._to_look_at.extend(sorted(found, key=lambda entry: -entry.parked.priority))
