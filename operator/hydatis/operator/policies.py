"""MLSchedulerPolicy in the live cluster: which policies are in force, and their status.

kopf watches the objects and calls `PolicyKeeper.observe` and `gone`; the keeper parses, tells the core, and writes the
status subresource when it differs. Invariants: a wrong policy never stops scheduling, its last good spec stays in
force, also over a restart (`status.inForce`); no finalizer and no annotation is ever put on the object. A list once a
minute repairs what a cut watch missed, since kopf tells of no deletion that happened while it was not watching.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import kopf

from hydatis.operator.connection import Body, Connection
from hydatis.operator.errors import NotFound, OperatorError, Rejected, TooManyRequests
from hydatis.scheduler.decision import Mode
from hydatis.scheduler.events import Event, PolicyGone, PolicyInForce
from hydatis.scheduler.policy import Policy, PolicyInvalid, parse_policy

logger = logging.getLogger(__name__)

GROUP, VERSION, PLURAL = "hydatis.io", "v1alpha1", "mlschedulerpolicies"
PATH = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
RECONCILE_SECONDS = 60.0
RETRY_SECONDS = 2.0
FIRST_LIST_RETRY_SECONDS = 0.2
MESSAGE_BYTES = 32 * 1024
"""The longest condition message that the custom resource's schema admits."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What became of one version of a policy."""

    ready: bool
    reason: str
    message: str
    in_force: Mapping[str, Any] | None
    """`status.inForce`: generation and spec of what is in force."""


@dataclass(slots=True)
class _Known:
    uid: str
    generation: int
    policy: Policy | None
    in_force: Mapping[str, Any] | None


class PolicyKeeper:
    """Keeps the core's policies and the objects' status in step with the cluster."""

    def __init__(self, connection: Connection, tell: Callable[[Event], None]) -> None:
        self.listed = asyncio.Event()
        """Set once all policies that exist have been told."""
        self._connection = connection
        self._tell = tell
        self._known: dict[str, _Known] = {}
        self._unwritten = False

    def register(self, registry: kopf.OperatorRegistry) -> None:
        """Let kopf call the keeper for every change."""

        @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry, id="policy")
        async def changed(event: kopf.RawEvent, **_: Any) -> None:
            manifest: Mapping[str, Any] = event["object"]
            if event["type"] == "DELETED":
                self.gone(manifest["metadata"]["name"], manifest["metadata"]["uid"])
            else:
                await self.observe(manifest)

    async def run(self) -> None:
        """List all policies now and then again every minute, or sooner after a status could not be written."""
        while True:
            wait = RECONCILE_SECONDS
            try:
                await self._reconcile()
            except TooManyRequests as busy:
                # For a moment after the definition was installed every list is answered so; the start waits for it.
                wait = busy.retry_after if self.listed.is_set() else FIRST_LIST_RETRY_SECONDS
            except OperatorError as error:
                wait = RETRY_SECONDS
                logger.warning("The policies could not be listed, trying again: %s", error)
            await asyncio.sleep(min(wait, RETRY_SECONDS) if self._unwritten else wait)

    async def observe(self, manifest: Mapping[str, Any]) -> None:
        """A policy was listed, added or modified."""
        metadata = manifest["metadata"]
        name, uid, generation = metadata["name"], metadata["uid"], metadata.get("generation", 0)
        known = self._known.get(name)
        if known is not None and known.uid != uid:
            known = None
        if known is not None and generation < known.generation:
            return
        verdict = self._judge(manifest, known)
        await self._write_status(manifest, verdict)

    def gone(self, name: str, uid: str) -> None:
        """A policy was deleted."""
        known = self._known.get(name)
        if known is not None and known.uid == uid:
            del self._known[name]
            if known.policy is not None:
                self._tell(PolicyGone(name))

    async def _reconcile(self) -> None:
        before = set(self._known)
        self._unwritten = False
        listing = await self._connection.get(PATH, resource=PLURAL, verb="list")
        items = listing.get("items") or ()
        names = {item["metadata"]["name"] for item in items}
        for name in before - names:
            known = self._known.get(name)
            if known is not None:
                self.gone(name, known.uid)
        for item in items:
            # Items of a list do not say what they are.
            await self.observe({"apiVersion": f"{GROUP}/{VERSION}", "kind": "MLSchedulerPolicy", **item})
        self.listed.set()

    def _judge(self, manifest: Mapping[str, Any], known: _Known | None) -> _Verdict:
        """Parse, put into force what is good, and say what became of it."""
        metadata = manifest["metadata"]
        name, uid, generation = metadata["name"], metadata["uid"], metadata.get("generation", 0)
        try:
            policy = parse_policy(manifest)
        except PolicyInvalid as invalid:
            message = _joined([str(error) for error in invalid.errors])
            good, in_force = _last_good(manifest, known)
            reason = "Invalid" if good is None else "LastGoodInForce"
            verdict = _Verdict(False, reason, message, in_force)
        else:
            good, in_force = policy, {"generation": generation, "spec": manifest["spec"]}
            verdict = _Verdict(True, "InForce", "The policy is in force.", in_force)
        in_force_before = known.policy if known is not None else None
        self._known[name] = _Known(uid, generation, good, in_force)
        if good is not None and good != in_force_before:
            self._tell(PolicyInForce(good))
        elif good is None and in_force_before is not None:
            self._tell(PolicyGone(name))
        return verdict

    async def _write_status(self, manifest: Mapping[str, Any], verdict: _Verdict) -> None:
        metadata = manifest["metadata"]
        present = manifest.get("status") or {}
        wanted = wanted_status(present, verdict, metadata.get("generation", 0), datetime.now(UTC))
        if wanted == present:
            return
        path = f"{PATH}/{metadata['name']}/status"
        # A merge patch would merge the old and the new inForce.spec; replacing needs a JSON patch.
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
            {"op": "add", "path": "/status", "value": wanted},
        ]
        try:
            await self._connection.request(
                "PATCH", path, resource=f"{PLURAL}/status", verb="patch", body=patch, meaning=Body.JSON_PATCH
            )
        except NotFound:
            return
        except Rejected as error:
            logger.warning("The status of policy %s was refused: %s", metadata["name"], error)
        except OperatorError as error:
            self._unwritten = True
            logger.warning("The status of policy %s was not written, trying again: %s", metadata["name"], error)


def wanted_status(present: Mapping[str, Any], verdict: _Verdict, generation: int, now: datetime) -> Mapping[str, Any]:
    """The whole status as it should be; equal to `present` when nothing is to be written."""
    status = "True" if verdict.ready else "False"
    conditions = [condition for condition in present.get("conditions") or () if condition.get("type") != "Ready"]
    before: Mapping[str, Any] = next((c for c in present.get("conditions") or () if c.get("type") == "Ready"), {})
    changed_at = before.get("lastTransitionTime") if before.get("status") == status else None
    ready = {
        "type": "Ready",
        "status": status,
        "observedGeneration": generation,
        "lastTransitionTime": changed_at or now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": verdict.reason,
        "message": verdict.message,
    }
    wanted = {**present, "observedGeneration": generation, "conditions": [ready, *conditions]}
    wanted.pop("inForce", None)
    wanted.pop("mode", None)
    if verdict.in_force is not None:
        wanted["inForce"] = verdict.in_force
        wanted["mode"] = Mode.FALLBACK.value
    return wanted


def _last_good(manifest: Mapping[str, Any], known: _Known | None) -> tuple[Policy | None, Mapping[str, Any] | None]:
    """The policy that stays in force: what this process knows, else what the status says."""
    if known is not None and known.policy is not None:
        return known.policy, known.in_force
    in_force = (manifest.get("status") or {}).get("inForce")
    if not isinstance(in_force, Mapping):
        return None, None
    metadata = {**manifest["metadata"], "generation": in_force.get("generation", 0)}
    try:
        return parse_policy({**manifest, "metadata": metadata, "spec": in_force.get("spec")}), in_force
    except PolicyInvalid:
        return None, None


def _joined(errors: list[str]) -> str:
    """One error a line, within `MESSAGE_BYTES`; what does not fit is counted."""
    kept: list[str] = []
    size = 0
    for index, error in enumerate(errors):
        size += len(error.encode()) + 1
        if size > MESSAGE_BYTES - 64:
            kept.append(f"… and {len(errors) - index} more errors")
            break
        kept.append(error)
    return "\n".join(kept)
