"""Writes PodScheduled=False, reason Unschedulable: the condition that cluster autoscalers act on.

The `driver` tells it what the pods' conditions are (from their manifests) and what they should be. A PATCH goes out
only when reason or message differ from what is there, and is repeated until the API server has taken or refused it. It
names the pod's uid, so that it never lands on a pod created anew under the same name.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hydatis.operator.connection import Body, Connection
from hydatis.operator.errors import TRANSIENT, Conflict, NotFound, OperatorError, TooManyRequests
from hydatis.operator.outbox import Lane, Outbox
from hydatis.scheduler.decision import PodReference

logger = logging.getLogger(__name__)

REASON = "Unschedulable"
RETRY_SECONDS = 1.0


class ConditionWriter:
    """Keeps the PodScheduled condition of unschedulable pods as the core sees it."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self.written = 0
        self.failed = 0
        self._connection = connection
        self._outbox = outbox
        self._present: dict[str, str] = {}
        """uid to the message of the Unschedulable condition that the API server has."""
        self._wanted: dict[str, tuple[PodReference, str]] = {}
        """uid to what the queued PATCH will write; a newer message replaces an older one that has not left yet."""

    def observe(self, uid: str, manifest: Mapping[str, Any]) -> None:
        """A pending pod's manifest was seen: remember the condition it has."""
        for condition in manifest.get("status", {}).get("conditions") or ():
            if condition.get("type") == "PodScheduled":
                if condition.get("status") == "False" and condition.get("reason") == REASON:
                    self._present[uid] = condition.get("message", "")
                else:
                    self._present.pop(uid, None)
                return

    def forget(self, uid: str) -> None:
        """The pod is bound or gone."""
        self._present.pop(uid, None)
        self._wanted.pop(uid, None)

    def submit(self, pod: PodReference, message: str) -> None:
        """The pod is unschedulable for this reason."""
        if pod.uid in self._wanted:
            self._wanted[pod.uid] = (pod, message)
        elif self._present.get(pod.uid) != message:
            self._wanted[pod.uid] = (pod, message)
            self._outbox.put(Lane.CONDITION, lambda: self._write(pod.uid))

    async def _write(self, uid: str) -> None:
        wanted = self._wanted.pop(uid, None)
        if wanted is None:
            return
        pod, message = wanted
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/status"
        body = condition_patch(uid, message, changed_at=None if uid in self._present else datetime.now(UTC))
        try:
            await self._connection.request(
                "PATCH", path, resource="pods/status", verb="patch", body=body, meaning=Body.STRATEGIC_MERGE_PATCH
            )
        except (NotFound, Conflict):
            return
        except TRANSIENT as error:
            await asyncio.sleep(error.retry_after if isinstance(error, TooManyRequests) else RETRY_SECONDS)
            self.submit(*self._wanted.get(uid, wanted))
        except OperatorError as error:
            self.failed += 1
            logger.warning("The PodScheduled condition of %s was not written: %s", pod, error)
        else:
            self.written += 1
            self._present[uid] = message


def condition_patch(uid: str, message: str, *, changed_at: datetime | None) -> Mapping[str, Any]:
    """A strategic merge patch of pods/status; `changed_at` only when the condition's status changes."""
    condition = {"type": "PodScheduled", "status": "False", "reason": REASON, "message": message}
    if changed_at is not None:
        condition["lastTransitionTime"] = changed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"metadata": {"uid": uid}, "status": {"conditions": [condition]}}
