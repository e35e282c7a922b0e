"""Waking: which unschedulable pods the latest changes may have made schedulable.

The scheduler calls `look` before each scheduling cycle. Two sieves, one behind the other: a class of pods is suspected
only if something happened that can help against a plugin that rejected it (each plugin's `helped_by`), and then it is
filtered for real, against just the nodes to which that happened. A class that is still infeasible there remembers
which plugins say so now, and is brought back all the same if pods of lower priority could make way for it there. So no
wake-up is lost, hardly any is wasted, and pods that are parked cost nothing when what happens does not concern them.

A suspected class is filtered when its turn comes, that is when the first of its pods would be the next to be tried if
all that may have become schedulable were ready. Then one pod is brought back, and the class is suspected on: when this
pod has been tried, or is gone, the class is filtered again for the next. So one place that becomes free does not bring
back a thousand pods, of one class or of as many, and the order is the one in which the queue would try them all. A
class is not suspected any more when it is infeasible, or when each of its pods was tried since something last happened.
"""

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np

from hydatis.scheduler.arrays import NO_ROWS, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.evaluating import Evaluations, Look
from hydatis.scheduler.filter_args import FilterArgs
from hydatis.scheduler.free_room import FreeRoom
from hydatis.scheduler.hinting import own_events
from hydatis.scheduler.pending_pod import ParkedClass, PendingPod
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.preempting import Preemptor
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.queueing import QueueEvent, SchedulingQueue
from hydatis.scheduler.turns import Turn

_CLASSES_A_CYCLE = 32
"""Classes looked at before each scheduling cycle, about 2 ms of work: pods that are ready do not wait for those that
are not.
"""
_SPARE_ENTRIES = 32
"""Void entries of the heaps, beyond as many as there are valid ones, before they are swept out."""
_FIT = frozenset({NodeResourcesFit.name})


@dataclass(eq=False, slots=True)
class _Suspicion:
    """A class that may have become feasible."""

    parked: ParkedClass
    rows: frozenset[int] | None
    """Nodes that may have become feasible; None: any."""
    number: int = 0
    """Of its valid entries in the heaps."""
    sent: tuple[PendingPod, int] | None = None
    """The pod that was brought back last, and its attempts then."""

    def is_under_way(self) -> bool:
        """Tell whether the pod that was brought back last has still to be tried."""
        return self.sent is not None and self.sent[0].is_to_be_tried(self.sent[1])

    def widen(self, rows: frozenset[int] | None) -> None:
        """Suspect it on these nodes, too."""
        self.rows = None if rows is None or self.rows is None else self.rows | rows

    def where(self) -> Rows | None:
        """Return the nodes, in order."""
        return None if self.rows is None else np.array(sorted(self.rows), dtype=np.intp)


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
        self._needs_room = any(type(plugin) is NodeResourcesFit for plugin in profile.row_filters)
        self._displaces = profile.preemption is not None
        self._suspicions: dict[ParkedClass, _Suspicion] = {}
        self._line: list[tuple[Turn, int, _Suspicion]] = []
        """By the turn of the first pod of each."""
        self._changes: list[tuple[float, int, _Suspicion]] = []
        """By the time at which another pod of the class may become the first."""
        self._sent: list[_Suspicion] = []
        """Those whose pod was brought back last time."""
        self._number = 0
        self._rooms: dict[frozenset[int], FreeRoom] = {}
        self._rooms_at = (-1, -1)
        """Positions in the logs of nodes and placements at which the rooms were taken."""
        self._seen = cluster.events.position
        self.classes_looked_at = 0
        """How often a class was filtered again because something happened that might help it."""

    @property
    def pending(self) -> bool:
        """Whether classes are left to be looked at."""
        return bool(self._suspicions)

    def look(self, now: float) -> None:
        """Look at a few classes that may have become feasible, and bring back the next pod if it is one of theirs."""
        self._collect(now)
        if not self._suspicions:
            return
        sent, self._sent = self._sent, []
        for suspicion in sent:
            if suspicion.is_under_way():
                self._sent.append(suspicion)
            else:
                self._line_up(suspicion, now)
        ready = self._queue.next_turn(now)
        for _ in range(_CLASSES_A_CYCLE):
            first = self._first(now)
            if first is None or (ready is not None and ready <= first[0]):
                return
            if self._bring_back(first[1], now):
                return

    def pod_changed(self, pod: PendingPod, args: FilterArgs, now: float) -> None:
        """A parked pod was itself changed, or its policy was: bring it back if that makes it feasible."""
        parked = pod.parked_in
        assert parked is not None, f"{pod.reference} is not parked"  # noqa: S101  a fault of the core itself
        if pod.pod_class is parked.pod_class and args == parked.args:
            return
        rejected_by = parked.rejected_by
        hint = self._hints.against(rejected_by)
        happened = own_events(parked.pod_class, pod.pod_class)
        if args != parked.args or parked.suspected or happened & (hint.on_its_node | hint.anywhere):
            look = self._evaluations.look_again(pod.pod_class, args, None)
            if look.feasible or self._could_displace([pod], pod.pod_class, args, look):
                self._queue.back_off(pod, now, QueueEvent.POD_UPDATE)
                return
            rejected_by = look.rejected_by
        self._queue.unschedulable.remove(pod)
        self._queue.unschedulable.add(pod, rejected_by, args)

    def _bring_back(self, suspicion: _Suspicion, now: float) -> bool:
        """Look at a class whose turn it is, and bring back its first pod that may fit; tell whether there was one."""
        parked = suspicion.parked
        helped = self._helped(suspicion)
        everyone = len(helped) == len(parked.pods)
        pod = None
        if helped:
            pod = parked.turns.take(now, None if everyone else {pod.reference.uid for pod in helped})
        if pod is None:
            self._drop(suspicion)
            return False
        self._queue.back_off(pod, now, QueueEvent.CLUSTER_CHANGE)
        suspicion.sent = (pod, pod.attempts)
        suspicion.number = 0
        self._sent.append(suspicion)
        return True

    def _helped(self, suspicion: _Suspicion) -> Collection[PendingPod]:
        """Return the pods of a class that may fit now, or could displace others."""
        parked = suspicion.parked
        if self._is_short_of_room(parked, self._room_on(suspicion.rows)):
            return ()
        rows = suspicion.where()
        self.classes_looked_at += 1
        look = self._evaluations.look_again(parked.pod_class, parked.args, rows)
        if look.feasible:
            if self._evaluations.free_for_all(parked.pod_class, parked.args, look.rows):
                return parked.pods.values()
            return self._expected(parked, look)
        self._queue.unschedulable.learn(parked, look.rejected_by, everywhere=rows is None)
        return self._could_displace(parked.pods.values(), parked.pod_class, parked.args, look)

    def _is_short_of_room(self, parked: ParkedClass, room: FreeRoom | None) -> bool:
        """Tell whether the amounts alone show that no node with this room helps any pod of the class. It spares the
        other plugins most of the questions about a full cluster.
        """
        pod_class = parked.pod_class
        if room is None or not self._needs_room or room.holds(pod_class.requirements):
            return False
        if (
            self._displaces
            and pod_class.preempts
            and (len(self._preemptor.nominations) or self._cluster.holds_below(pod_class.priority))
        ):
            return False
        self.classes_looked_at += 1
        if NodeResourcesFit.name not in parked.rejected_by:
            self._queue.unschedulable.learn(parked, _FIT, everywhere=False)
        return True

    def _room_on(self, rows: frozenset[int] | None) -> FreeRoom | None:
        """Return what these nodes have left, counted once for all classes that are suspected there."""
        if rows is None:
            return None
        cluster = self._cluster
        at = (cluster.node_changes.position, cluster.placement_changes.position)
        if self._rooms_at != at:
            self._rooms.clear()
            self._rooms_at = at
        room = self._rooms.get(rows)
        if room is None:
            room = self._rooms[rows] = FreeRoom(cluster, np.array(sorted(rows), dtype=np.intp))
        return room

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

    def _collect(self, now: float) -> None:
        """Suspect the classes that what happened can help."""
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
                where = None if rows is None else frozenset(rows.tolist())
                room = self._room_on(where)
                for parked in unschedulable.classes_rejected_by(plugins):
                    if not self._is_short_of_room(parked, room):
                        self._suspect(parked, where, now)

    def _suspect(self, parked: ParkedClass, rows: frozenset[int] | None, now: float) -> None:
        suspicion = self._suspicions.get(parked)
        if suspicion is None:
            suspicion = self._suspicions[parked] = _Suspicion(parked, rows)
            parked.suspected = True
        else:
            suspicion.widen(rows)
        parked.turns.renew(self._queue.ready_at, len(parked.pods))
        if not suspicion.is_under_way():
            self._line_up(suspicion, now)

    def _drop(self, suspicion: _Suspicion) -> None:
        suspicion.number = 0
        suspicion.parked.suspected = False
        del self._suspicions[suspicion.parked]

    # The line of suspected classes

    def _first(self, now: float) -> tuple[Turn, _Suspicion] | None:
        """Return the class whose turn it is, and the turn of its first pod."""
        while self._changes and self._changes[0][0] <= now:
            _, number, suspicion = heapq.heappop(self._changes)
            if suspicion.number == number:
                self._line_up(suspicion, now)
        while self._line:
            turn, number, suspicion = self._line[0]
            valid = suspicion.number == number
            if valid and suspicion.parked.turns.first(now) == turn:
                return turn, suspicion
            heapq.heappop(self._line)
            if valid:
                # The pod has left.
                self._line_up(suspicion, now)
        return None

    def _line_up(self, suspicion: _Suspicion, now: float) -> None:
        """Give the class a place by the turn of its first pod; none of its pods may have one any more."""
        turns = suspicion.parked.turns
        turn = turns.first(now)
        if turn is None:
            self._drop(suspicion)
            return
        self._number += 1
        suspicion.number = self._number
        heapq.heappush(self._line, (turn, self._number, suspicion))
        change_at = turns.change_at()
        if change_at is not None:
            heapq.heappush(self._changes, (change_at, self._number, suspicion))
        if len(self._line) + len(self._changes) > 4 * len(self._suspicions) + _SPARE_ENTRIES:
            self._line = [entry for entry in self._line if entry[2].number == entry[1]]
            self._changes = [entry for entry in self._changes if entry[2].number == entry[1]]
            heapq.heapify(self._line)
            heapq.heapify(self._changes)
