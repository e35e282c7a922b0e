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
from hydatis.operator.object_status import Condition, joined, status_patch, with_conditions
from hydatis.scheduler.ensemble_weights import ModelPart
from hydatis.scheduler.events import Event, PolicyGone, PolicyInForce
from hydatis.scheduler.policy import Policy, PolicyInvalid, PolicyMode, parse_policy

logger = logging.getLogger(__name__)

GROUP, VERSION, PLURAL = "hydatis.io", "v1alpha1", "mlschedulerpolicies"
PATH = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
RECONCILE_SECONDS = 60.0
RETRY_SECONDS = 2.0
FIRST_LIST_RETRY_SECONDS = 0.2
READY, MODELS_LOADED = "Ready", "ModelsLoaded"
MODELS_MISSING = "ModelsMissing"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What became of one version of a policy."""

    ready: bool
    reason: str
    message: str
    in_force: Mapping[str, Any] | None
    """`status.inForce`: generation and spec of what is in force."""
    needs_models: bool = False
    """Whether it is not Ready without them."""


@dataclass(frozen=True, slots=True)
class ModelsOfPolicy:
    """What is there of the models that a policy needs."""

    mode: PolicyMode
    """What happens under the policy now."""
    loaded: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """For each that is missing, why."""


@dataclass(slots=True)
class _Known:
    name: str
    uid: str
    generation: int
    policy: Policy | None
    verdict: _Verdict
    present: Mapping[str, Any]
    """The status that the API server has."""


class PolicyKeeper:
    """Keeps the core's policies and the objects' status in step with the cluster."""

    def __init__(
        self,
        connection: Connection,
        tell: Callable[[Event], None],
        *,
        mode_of: Callable[[Policy], PolicyMode] = lambda policy: policy.mode_with({}),
        why_missing: Callable[[ModelPart], str | None] = lambda _: None,
    ) -> None:
        """`mode_of` says what happens under a policy now, `why_missing` why a model is not loaded; None: it is."""
        self.listed = asyncio.Event()
        """Set once all policies that exist have been told."""
        self._connection = connection
        self._tell = tell
        self._mode_of = mode_of
        self._why_missing = why_missing
        self._known: dict[str, _Known] = {}
        self._unwritten = False
        self._stale = asyncio.Event()
        """Set when the models changed, and with them what the status of policies says."""
        self._writing = asyncio.Lock()

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
            await self._wait(wait)

    def models_changed(self) -> None:
        """Models came or went, or others are missing: the status of policies that name them may differ."""
        self._stale.set()

    async def _wait(self, seconds: float) -> None:
        """Wait until it is time to list again, and write every status that changes meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            if self._unwritten:
                until = min(until, loop.time() + RETRY_SECONDS)
            try:
                async with asyncio.timeout_at(until):
                    await self._stale.wait()
            except TimeoutError:
                return
            self._stale.clear()
            for known in tuple(self._known.values()):
                await self._write_status(known)

    async def observe(self, manifest: Mapping[str, Any]) -> None:
        """A policy was listed, added or modified."""
        metadata = manifest["metadata"]
        name, uid, generation = metadata["name"], metadata["uid"], metadata.get("generation", 0)
        known = self._known.get(name)
        if known is not None and known.uid != uid:
            known = None
        if known is not None and generation < known.generation:
            return
        await self._write_status(self._judge(manifest, known))

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

    def _judge(self, manifest: Mapping[str, Any], known: _Known | None) -> _Known:
        """Parse, put into force what is good, and say what became of it."""
        metadata = manifest["metadata"]
        name, uid, generation = metadata["name"], metadata["uid"], metadata.get("generation", 0)
        try:
            policy = parse_policy(manifest)
        except PolicyInvalid as invalid:
            message = joined([str(error) for error in invalid.errors])
            good, in_force = _last_good(manifest, known)
            reason = "Invalid" if good is None else "LastGoodInForce"
            verdict = _Verdict(False, reason, message, in_force)
        else:
            good, in_force = policy, {"generation": generation, "spec": manifest["spec"]}
            verdict = _Verdict(True, "InForce", "The policy is in force.", in_force, policy.mode is PolicyMode.ENSEMBLE)
        in_force_before = known.policy if known is not None else None
        now_known = _Known(name, uid, generation, good, verdict, manifest.get("status") or {})
        self._known[name] = now_known
        if good is not None and good != in_force_before:
            self._tell(PolicyInForce(good))
        elif good is None and in_force_before is not None:
            self._tell(PolicyGone(name))
        return now_known

    def _models_of(self, policy: Policy | None) -> ModelsOfPolicy | None:
        if policy is None:
            return None
        loaded, missing = [], []
        for part in policy.ensemble.needed() if policy.ensemble is not None else ():
            why = self._why_missing(part)
            if why is None:
                loaded.append(part.model)
            else:
                missing.append(why)
        return ModelsOfPolicy(self._mode_of(policy), tuple(loaded), tuple(missing))

    async def _write_status(self, known: _Known) -> None:
        """Write the status if it differs. One at a time: the last word stays the last."""
        async with self._writing:
            if self._known.get(known.name) is not known:
                return
            models = self._models_of(known.policy)
            wanted = wanted_status(known.present, known.verdict, models, known.generation, datetime.now(UTC))
            if wanted == known.present:
                return
            try:
                await self._connection.request(
                    "PATCH",
                    f"{PATH}/{known.name}/status",
                    resource=f"{PLURAL}/status",
                    verb="patch",
                    # A merge patch would merge the old and the new inForce.spec; replacing needs a JSON patch.
                    body=status_patch(known.uid, wanted),
                    meaning=Body.JSON_PATCH,
                )
            except NotFound:
                return
            except Rejected as error:
                logger.warning("The status of policy %s was refused: %s", known.name, error)
            except OperatorError as error:
                self._unwritten = True
                logger.warning("The status of policy %s was not written, trying again: %s", known.name, error)
            else:
                known.present = wanted


def wanted_status(
    present: Mapping[str, Any], verdict: _Verdict, models: ModelsOfPolicy | None, generation: int, now: datetime
) -> Mapping[str, Any]:
    """The whole status as it should be; equal to `present` when nothing is to be written."""
    ready, reason, message = verdict.ready, verdict.reason, verdict.message
    conditions: list[Condition] = []
    if models is not None and (models.loaded or models.missing):
        told = joined([*models.missing, *(f"{name} is loaded" for name in models.loaded)], "models")
        status, why = ("False", MODELS_MISSING) if models.missing else ("True", "AllLoaded")
        conditions.append(Condition(MODELS_LOADED, status, why, told))
        if ready and models.missing and verdict.needs_models:
            ready, reason = False, MODELS_MISSING
            message = "The policy is in force, and its mode is Ensemble; ModelsLoaded says which models are missing."
    conditions.insert(0, Condition(READY, "True" if ready else "False", reason, message))
    owned = frozenset({READY, MODELS_LOADED})
    wanted = {
        **present,
        "observedGeneration": generation,
        "conditions": with_conditions(present, conditions, owned, generation, now),
    }
    wanted.pop("inForce", None)
    wanted.pop("mode", None)
    if verdict.in_force is not None and models is not None:
        wanted["inForce"] = verdict.in_force
        wanted["mode"] = models.mode.value
    return wanted


def _last_good(manifest: Mapping[str, Any], known: _Known | None) -> tuple[Policy | None, Mapping[str, Any] | None]:
    """The policy that stays in force: what this process knows, else what the status says."""
    if known is not None and known.policy is not None:
        return known.policy, known.verdict.in_force
    in_force = (manifest.get("status") or {}).get("inForce")
    if not isinstance(in_force, Mapping):
        return None, None
    metadata = {**manifest["metadata"], "generation": in_force.get("generation", 0)}
    try:
        return parse_policy({**manifest, "metadata": metadata, "spec": in_force.get("spec")}), in_force
    except PolicyInvalid:
        return None, None
