"""Writes what pods without a node have in their status: PodScheduled=False, with the reason Unschedulable, on which
cluster autoscalers act, SchedulerError or SchedulingPaused, and `nominatedNodeName`, the node that is kept for the pod.

The `driver` tells it what the pods' status says (from their manifests) and what it should say. A PATCH goes out only
when something differs from what is there, and is repeated until the API server has taken or refused it. It
names the pod's uid, so that it never lands on a pod created anew under the same name. Invariants: one PATCH of a pod is
on its way at a time, so the last word stays the last; none is begun, or repeated, once the pod is on its way to a node;
and with `after_writing` a binding waits for the PATCH before it, which could otherwise land on the bound pod.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hydatis.operator.connection import Body, Connection
from hydatis.operator.errors import TRANSIENT, Conflict, NotFound, OperatorError, TooManyRequests
from hydatis.operator.outbox import Lane, Outbox
from hydatis.scheduler.decision import PodReference

logger = logging.getLogger(__name__)

UNSCHEDULABLE = "Unschedulable"
SCHEDULER_ERROR = "SchedulerError"
"""The pod has a node that would run it, but could not be bound: no new node helps (PodReasonSchedulerError)."""
PAUSED = "SchedulingPaused"
"""No node was looked at because the pod's policy is paused: no new node helps here, either."""
RETRY_SECONDS = 1.0


class ConditionWriter:
    """Keeps the PodScheduled condition of pods without a node as the core sees it."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self.written = 0
        self.failed = 0
        self._connection = connection
        self._outbox = outbox
        self._present: dict[str, _Condition] = {}
        """uid to the condition PodScheduled=False that the API server has."""
        self._nominated: dict[str, str] = {}
        """uid to the nominatedNodeName that the API server has, where it has one."""
        self._wanted: dict[str, _Wanted] = {}
        """uid to what the next PATCH will write; newer parts replace older ones that have not left yet."""
        self._sending: dict[str, bool] = {}
        """uid of the pods whose PATCH is on its way, to whether it is to be repeated when it gets no clear answer."""
        self._unanswered: set[str] = set()
        """uid of the pods whose PATCH may still take effect."""
        self._waiting: dict[str, Callable[[], None]] = {}
        """uid to what waits for the answer to the pod's PATCH."""

    def observe(self, uid: str, manifest: Mapping[str, Any]) -> None:
        """A pending pod's manifest was seen: remember the condition and the nomination it has."""
        nominated = manifest.get("status", {}).get("nominatedNodeName")
        if nominated:
            self._nominated[uid] = nominated
        else:
            self._nominated.pop(uid, None)
        for condition in manifest.get("status", {}).get("conditions") or ():
            if condition.get("type") == "PodScheduled":
                if condition.get("status") == "False":
                    self._present[uid] = _Condition(condition.get("reason", ""), condition.get("message", ""))
                else:
                    self._present.pop(uid, None)
                return

    def forget(self, uid: str) -> None:
        """The pod is bound or gone."""
        self._present.pop(uid, None)
        self._nominated.pop(uid, None)
        self._wanted.pop(uid, None)
        self._sending.pop(uid, None)

    def withdraw(self, uid: str) -> None:
        """The pod has a node to be bound to: what has not left yet would arrive when it is no longer true."""
        self._wanted.pop(uid, None)
        if uid in self._sending:
            self._sending[uid] = False

    def after_writing(self, uid: str, act: Callable[[], None]) -> None:
        """Call `act` as soon as no PATCH of the pod is on its way: now, or when that one has its answer, or none."""
        if uid in self._unanswered:
            self._waiting[uid] = act
        else:
            act()

    def submit(self, pod: PodReference, message: str, nominated_node: str | None = None) -> None:
        """The pod is unschedulable for this reason, and this node is kept for it (empty: none; None: as it is)."""
        self._want(_Wanted(pod, _Condition(UNSCHEDULABLE, message), nominated_node))

    def paused(self, pod: PodReference, message: str) -> None:
        """The pod waits for its policy; no node is kept for it."""
        self._want(_Wanted(pod, _Condition(PAUSED, message), ""))

    def failed_to_bind(self, pod: PodReference, message: str) -> None:
        """The pod had a node and could not be bound to it; none is kept for it."""
        self._want(_Wanted(pod, _Condition(SCHEDULER_ERROR, message), ""))

    def nominate(self, pod: PodReference, nominated_node: str) -> None:
        """Tell which node is kept for the pod; empty: none."""
        self._want(_Wanted(pod, None, nominated_node))

    def _want(self, wanted: "_Wanted") -> None:
        uid = wanted.pod.uid
        queued = self._wanted.get(uid)
        if queued is not None:
            self._wanted[uid] = queued.replaced_by(wanted)
        elif uid in self._sending:
            self._wanted[uid] = wanted
        elif self._changes(wanted):
            self._wanted[uid] = wanted
            self._queue(uid)

    def _queue(self, uid: str) -> None:
        self._outbox.put(Lane.CONDITION, lambda: self._write(uid))

    def _changes(self, wanted: "_Wanted") -> bool:
        uid, node = wanted.pod.uid, wanted.nominated_node
        says = wanted.condition is not None and self._present.get(uid) != wanted.condition
        return says or (node is not None and self._nominated.get(uid, "") != node)

    async def _write(self, uid: str) -> None:
        if uid in self._sending:
            # The end of the one on its way sees to what is wanted by then.
            return
        wanted = self._wanted.pop(uid, None)
        if wanted is None:
            return
        self._sending[uid] = True
        try:
            clear = await self._send(wanted)
        finally:
            repeat = self._sending.pop(uid, False)
        newer = self._wanted.get(uid)
        if repeat and not clear:
            self._wanted[uid] = wanted if newer is None else wanted.replaced_by(newer)
            self._queue(uid)
        elif newer is not None and self._changes(newer):
            self._queue(uid)
        else:
            self._wanted.pop(uid, None)

    async def _send(self, wanted: "_Wanted") -> bool:
        """Send one PATCH; whether it got a clear answer."""
        pod, uid = wanted.pod, wanted.pod.uid
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/status"
        changed_at = None if uid in self._present else datetime.now(UTC)
        body = status_patch(uid, wanted.condition, wanted.nominated_node, changed_at=changed_at)
        try:
            await self._patch(uid, path, body)
        except (NotFound, Conflict):
            return True
        except TRANSIENT as error:
            await asyncio.sleep(error.retry_after if isinstance(error, TooManyRequests) else RETRY_SECONDS)
            return False
        except OperatorError as error:
            self.failed += 1
            logger.warning("The PodScheduled condition of %s was not written: %s", pod, error)
            return True
        self.written += 1
        # Unless the pod was bound or deleted meanwhile: nobody would forget it a second time.
        if uid in self._sending:
            if wanted.condition is not None:
                self._present[uid] = wanted.condition
            if wanted.nominated_node is not None:
                self._nominated[uid] = wanted.nominated_node
        return True

    async def _patch(self, uid: str, path: str, body: Mapping[str, Any]) -> None:
        self._unanswered.add(uid)
        try:
            await self._connection.request(
                "PATCH", path, resource="pods/status", verb="patch", body=body, meaning=Body.STRATEGIC_MERGE_PATCH
            )
        finally:
            self._unanswered.discard(uid)
            act = self._waiting.pop(uid, None)
            if act is not None:
                act()


class _Condition(NamedTuple):
    """PodScheduled=False."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    pod: PodReference
    condition: _Condition | None
    """None: the condition stays as it is."""
    nominated_node: str | None
    """None: it stays as it is; empty: none."""

    def replaced_by(self, newer: "_Wanted") -> "_Wanted":
        """Return what is wanted after both."""
        condition = self.condition if newer.condition is None else newer.condition
        node = self.nominated_node if newer.nominated_node is None else newer.nominated_node
        return _Wanted(newer.pod, condition, node)


def status_patch(
    uid: str, wanted: _Condition | None, nominated_node: str | None, *, changed_at: datetime | None
) -> Mapping[str, Any]:
    """A strategic merge patch of pods/status; `changed_at` only when the condition's status changes."""
    status: dict[str, Any] = {}
    if wanted is not None:
        condition = {"type": "PodScheduled", "status": "False", "reason": wanted.reason, "message": wanted.message}
        if changed_at is not None:
            condition["lastTransitionTime"] = changed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        status["conditions"] = [condition]
    if nominated_node is not None:
        status["nominatedNodeName"] = nominated_node or None
    return {"metadata": {"uid": uid}, "status": status}
