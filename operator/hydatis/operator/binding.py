"""Binds pods: POST pods/binding, and finds out what became of it when no clear answer comes back.

`claiming` hands over each `Bind` instruction once its volumes are bound; `done` hears what became of it exactly once
for each, unless the operator stops first. A pod is never bound twice blindly: after an unknown outcome the pod is read
until it is known, and every binding names the pod's uid, so that a pod created anew under the same name is left alone
(Kubernetes' pkg/registry/core/pod/storage, BindingREST).
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

from hydatis.operator.connection import Connection
from hydatis.operator.errors import (
    OUTCOME_UNKNOWN,
    ApiError,
    Conflict,
    Misconfigured,
    NotFound,
    OperatorError,
    TooManyRequests,
)
from hydatis.operator.outbox import Lane, Outbox
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.instructions import Bind

logger = logging.getLogger(__name__)

BIND_BUDGET_SECONDS = 30.0
"""How long a bind obeys 429 answers before the core gets the pod back; its backoff then spaces the attempts."""
BIND_TIMEOUT_SECONDS = 10.0
SETTLE_SECONDS = 1.0
"""A binding that timed out may still be on its way through the API server: only a pod that is unbound for this long
counts as not bound, or its node would look free while the binding lands there."""
_READ_BACKOFF_SECONDS = (0.05, 2.0)


BOUND = frozenset({"bound", "bound_after_read"})
VOLUMES_NOT_BOUND = "volumes_not_bound"
"""The pod was not bound, because its volumes were not (`claiming`)."""
OUTCOMES = (
    *sorted(BOUND),
    "conflict",
    "gone",
    "not_bound_after_read",
    "rejected",
    "throttled",
    VOLUMES_NOT_BOUND,
    "withdrawn",
)
BindDone = Callable[[Bind, str, str | None], None]
"""Called with the instruction, its outcome, and why it did not happen (None: the pod is bound)."""
WhyWithdraw = Callable[[str], str | None]
"""Called with the pod's uid right before its binding leaves; a reason keeps it from leaving."""


class Binder:
    """Turns `Bind` instructions into requests, through the outbox's first lane."""

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        done: BindDone,
        *,
        why_withdraw: WhyWithdraw = lambda uid: None,
        jitter: random.Random,
    ) -> None:
        self._connection = connection
        self._outbox = outbox
        self._done = done
        self._why_withdraw = why_withdraw
        self._jitter = jitter

    def submit(self, instruction: Bind) -> None:
        """Queue the bind; `done` hears of it later."""
        self._outbox.put(Lane.BIND, lambda: self._bind(instruction))

    async def _bind(self, instruction: Bind) -> None:
        try:
            outcome, reason = await self._outcome(instruction.pod, instruction.node)
        except Exception:
            # A defect, which the outbox counts and tells; the pod must not be lost to it.
            self._done(instruction, "rejected", "an unexpected fault, see the log")
            raise
        self._done(instruction, outcome, reason)

    async def _outcome(self, pod: PodReference, node: str) -> tuple[str, str | None]:
        try:
            return await self._post(pod, node)
        except OUTCOME_UNKNOWN as fault:
            logger.debug("The outcome of binding %s to %s is unknown, reading it: %s", pod, node, fault)
            return await self._find_out(pod, node, settle_seconds=SETTLE_SECONDS)
        except Conflict as conflict:
            # Also what a proxy that repeats requests makes of a binding that succeeded: only the pod itself tells.
            outcome, reason = await self._find_out(pod, node, settle_seconds=0.0)
            return ("conflict", str(conflict)) if outcome == "not_bound_after_read" else (outcome, reason)

    async def _post(self, pod: PodReference, node: str) -> tuple[str, str | None]:
        """Send the binding, unless it is withdrawn; returns (outcome, why not). Obeys 429 within the budget. Raises
        what leaves it unknown.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + BIND_BUDGET_SECONDS
        path = f"{_pod_path(pod)}/binding"
        body = binding_body(pod, node)
        while True:
            # The decision may have waited its turn, and others have bound to the same node meanwhile.
            withdrawn = self._why_withdraw(pod.uid)
            if withdrawn is not None:
                return "withdrawn", withdrawn
            try:
                await self._connection.request(
                    "POST", path, resource="pods/binding", verb="create", body=body, timeout=BIND_TIMEOUT_SECONDS
                )
            except TooManyRequests as busy:
                wait = busy.retry_after + self._jitter.uniform(0.0, 0.25)
                if loop.time() + wait > give_up_at:
                    return "throttled", f"the API server was too busy for {BIND_BUDGET_SECONDS:.0f} s"
                await asyncio.sleep(wait)
            except Misconfigured as fault:
                # Without credentials nothing was sent, or it was answered 401.
                return "rejected", str(fault)
            except ApiError as error:
                if error.status >= 500 or isinstance(error, Conflict):
                    raise
                return "gone" if isinstance(error, NotFound) else "rejected", str(error)
            else:
                return "bound", None

    async def _find_out(self, pod: PodReference, node: str, *, settle_seconds: float) -> tuple[str, str | None]:
        """Read the pod until the API server says whether it is bound to `node`, or that it stays unbound."""
        loop = asyncio.get_running_loop()
        delay, longest = _READ_BACKOFF_SECONDS
        unbound_since: float | None = None
        while True:
            await asyncio.sleep(self._jitter.uniform(delay / 2, delay))
            delay = min(longest, delay * 2)
            try:
                manifest = await self._connection.get(_pod_path(pod), resource="pods")
            except NotFound:
                return "gone", "the pod is gone"
            except TooManyRequests as busy:
                await asyncio.sleep(busy.retry_after)
            except OperatorError as error:
                logger.debug("Pod %s could not be read, trying again: %s", pod, error)
            else:
                verdict = _verdict(manifest, pod, node)
                if verdict is not None:
                    return verdict
                unbound_since = loop.time() if unbound_since is None else unbound_since
                if loop.time() - unbound_since >= settle_seconds:
                    return "not_bound_after_read", "the binding did not take effect"


def binding_body(pod: PodReference, node: str) -> Mapping[str, Any]:
    """A core/v1 Binding; the uid makes the API server refuse a pod that was created anew (409)."""
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }


def _pod_path(pod: PodReference) -> str:
    # Names of pods and namespaces are DNS labels or subdomains, so they need no quoting.
    return f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"


def _verdict(manifest: Mapping[str, Any], pod: PodReference, node: str) -> tuple[str, str | None] | None:
    """(outcome, why not) of a pod as read, or None while it is not bound anywhere."""
    if manifest["metadata"]["uid"] != pod.uid:
        return "gone", "the pod was deleted and created anew"
    bound_to = manifest["spec"].get("nodeName")
    if bound_to == node:
        return "bound_after_read", None
    if bound_to:
        return "conflict", f"the pod is bound to {bound_to}"
    return None
