"""Waking: which unschedulable pods the latest changes may have made schedulable.

The scheduler calls `look` before each scheduling cycle. Two sieves, one behind the other: a class of pods is looked at
only if something happened that can help against a plugin that rejected it (each plugin's `helped_by`), and then it is
filtered for real, against just the nodes to which that happened. A class that is still infeasible there remembers
which plugins say so now. So no wake-up is lost, hardly any is wasted, and pods that are parked cost nothing when what
happens does not concern them.
"""

from collections import deque
from dataclasses import dataclass

from hydatis.scheduler.arrays import Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.evaluating import Evaluations
from hydatis.scheduler.pending_pod import ParkedClass
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


class Waking:
    """Brings unschedulable pods back."""

    def __init__(self, cluster: Cluster, queue: SchedulingQueue, evaluations: Evaluations, profile: Profile) -> None:
        self._cluster = cluster
        self._queue = queue
        self._evaluations = evaluations
        self._hints = profile.hints
        self._to_look_at: deque[_ToLookAt] = deque()
        self._seen = cluster.events.position

    @property
    def pending(self) -> bool:
        """Whether classes are left to be looked at."""
        return bool(self._to_look_at)

    def look(self, now: float) -> None:
        """Look at a few classes that may have become feasible, and bring back the pods of those that have."""
        if not self._to_look_at:
            self._collect()
        for _ in range(min(_CLASSES_A_CYCLE, len(self._to_look_at))):
            entry = self._to_look_at.popleft()
            if not entry.parked.pods:
                continue
            look = self._evaluations.look_again(entry.parked.pod_class, entry.rows)
            if look.feasible:
                for pod in tuple(entry.parked.pods.values()):
                    self._queue.back_off(pod, now, QueueEvent.CLUSTER_CHANGE)
            else:
                self._queue.unschedulable.learn(entry.parked, look.rejected_by)

    def _collect(self) -> None:
        """Find the classes that what happened can help."""
        log, unschedulable = self._cluster.events, self._queue.unschedulable
        if self._seen == log.position:
            return
        seen, self._seen = self._seen, log.position
        if not len(unschedulable):
            return
        happened = log.since(seen)
        for plugins in unschedulable.rejections():
            hint = self._hints.against(plugins)
            rows = None if happened.includes(hint.anywhere) else happened.rows(hint.on_its_node)
            if rows is None or len(rows):
                self._to_look_at.extend(
                    _ToLookAt(parked, rows) for parked in unschedulable.classes_rejected_by(plugins)
                )
