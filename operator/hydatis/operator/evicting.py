"""Makes pods give way to one of higher priority: the condition DisruptionTarget, then a DELETE with the pod's own grace
period.

The `driver` hands over each `Preemption`; `failed` hears of the victims that could not be deleted, once, and of nothing
else: that the others go is what the watch shows. Condition and DELETE both name the victim's uid, so that a pod created
anew under the same name is left alone, and may be repeated without harm. A victim that still waits for its volumes is
not deleted: `take_back`, the `Claimer`'s, returns it to the queue (kubernetes framework/preemption/executor.go). Nor is
one whose turn comes when nobody waits for its room any more, which `waits` tells.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hydatis.operator.connection import Body, Connection
from hydatis.operator.errors import TRANSIENT, NotFound, OperatorError, TooManyRequests
from hydatis.operator.outbox import Lane, Outbox
from hydatis.operator.recording import Recorder
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.instructions import Preemption

logger = logging.getLogger(__name__)

ATTEMPTS = 6
"""Requests for one victim that got no clear answer, before the core hears that it stays; with the waits between them
about eight seconds.
"""
_FIRST_WAIT_SECONDS = 0.25

PreemptionFailed = Callable[[PodReference, frozenset[str]], None]
"""Called with the pod that was to displace others, and the uids of those that stay."""


class Evictor:
    """Deletes victims through the outbox's lane of evictions."""

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        recorder: Recorder,
        failed: PreemptionFailed,
        *,
        take_back: Callable[[str], bool] = lambda uid: False,
        waits: Callable[[str], bool] = lambda uid: True,
    ) -> None:
        self.evicted = 0
        self.failures = 0
        self._connection = connection
        self._outbox = outbox
        self._recorder = recorder
        self._failed = failed
        self._take_back = take_back
        self._waits = waits

    def submit(self, preemptor: PodReference, preemption: Preemption) -> None:
        """Queue the victims; each is a request of its own, so that one that hangs does not hold up the others."""
        for victim in preemption.victims:
            if self._take_back(victim.uid):
                self._tell(preemptor, victim, preemption, " before it was bound")
            else:
                self._queue(preemptor, victim, preemption)

    def _queue(self, preemptor: PodReference, victim: PodReference, preemption: Preemption) -> None:
        self._outbox.put(Lane.EVICTION, lambda: self._evict(preemptor, victim, preemption))

    async def _evict(self, preemptor: PodReference, victim: PodReference, preemption: Preemption) -> None:
        if not self._waits(preemptor.uid):
            self._failed(preemptor, frozenset({victim.uid}))
            return
        path = f"/api/v1/namespaces/{victim.namespace}/pods/{victim.name}"
        deletion = {"preconditions": {"uid": victim.uid}}
        try:
            condition = disruption_patch(victim.uid, preemption.scheduler_name)
            await self._send("PATCH", f"{path}/status", "pods/status", condition, Body.STRATEGIC_MERGE_PATCH)
            await self._send("DELETE", path, "pods", deletion, Body.JSON)
        except NotFound:
            # Gone: the watch shows it.
            return
        except OperatorError as error:
            self.failures += 1
            logger.warning("Pod %s was not displaced for %s: %s", victim, preemptor, error)
            self._failed(preemptor, frozenset({victim.uid}))
            return
        except Exception:
            # A defect, which the outbox counts and tells; the pod must not wait for it for ever.
            self._failed(preemptor, frozenset({victim.uid}))
            raise
        self.evicted += 1
        self._tell(preemptor, victim, preemption)

    def _tell(self, preemptor: PodReference, victim: PodReference, preemption: Preemption, when: str = "") -> None:
        note = f"Preempted by pod {preemptor.uid} on node {preemption.node}{when}"
        self._recorder.normal(
            victim, "Preempted", note, action="Preempting", controller=preemption.scheduler_name, related=preemptor
        )

    async def _send(self, method: str, path: str, resource: str, body: object, meaning: Body) -> None:
        """Send until there is a clear answer, or too many attempts had none. Raises what the last one ended in."""
        wait = _FIRST_WAIT_SECONDS
        for attempt in range(ATTEMPTS):
            try:
                await self._connection.request(
                    method, path, resource=resource, verb=method.lower(), body=body, meaning=meaning
                )
            except TRANSIENT as error:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(error.retry_after if isinstance(error, TooManyRequests) else wait)
                wait *= 2
            else:
                return


def disruption_patch(uid: str, scheduler_name: str) -> Mapping[str, Any]:
    """A strategic merge patch of pods/status, in kube-scheduler's words."""
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "PreemptionByScheduler",
        "message": f"{scheduler_name}: preempting to accommodate a higher priority pod",
        "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {"metadata": {"uid": uid}, "status": {"conditions": [condition]}}
