"""MLModel in the live cluster: which models are verified and loaded, and their status.

The watch calls `ModelKeeper.seen` and `gone`; `verify` takes one model after the other, gets its weights, has them
tried in a process of its own, loads them in a thread and tells the core; `write_statuses` writes what differs.
Invariants: scheduling never waits for any of this; the core has a model under a name only while an MLModel of that
name exists whose weights were verified; what may come right by itself is tried again, ever more rarely.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from hydatis.operator.connection import Body, Connection
from hydatis.operator.errors import NotFound, OperatorError, Rejected
from hydatis.operator.model_trial import try_model
from hydatis.operator.model_weights import WeightsMissing, get_weights
from hydatis.operator.object_status import Condition, joined, status_patch, with_conditions
from hydatis.scheduler.ensemble_weights import MODEL_FIELDS, ModelPart
from hydatis.scheduler.events import Event, ModelGone, ModelLoaded
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.models.model_spec import PLURAL, ModelInvalid, ModelSpec, parse_model
from hydatis.scheduler.models.refusal import ModelRefused, Refusal
from hydatis.scheduler.models.schemas import KNOWN_SCHEMAS, KnownSchemas, width_of
from hydatis.scheduler.models.weights import Weights
from hydatis.scheduler.policy import API_VERSION, GROUP, VERSION, Policy

logger = logging.getLogger(__name__)

PATH = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
KIND = "MLModel"
RETRY_FIRST_SECONDS = 2.0
RETRY_MOST_SECONDS = 300.0
STATUS_RETRY_SECONDS = 2.0
IN_USE_MAX = 64
"""Most policies that `status.inUse` names."""
VERIFIED = "Verified"
VERIFYING = "Verifying"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is known of a model's weights."""

    status: str
    """Of the condition Verified."""
    reason: str
    message: str
    size: int | None = None


_UNDER_WAY = _Verdict("Unknown", VERIFYING, "The weights are being fetched and verified.")


@dataclass(slots=True)
class _Known:
    name: str
    uid: str
    generation: int
    spec: ModelSpec | None
    """None: the manifest is wrong."""
    present: Mapping[str, Any]
    """The status that the API server has."""
    verdict: _Verdict
    loaded: bool = False
    failures: int = 0
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)


class ModelKeeper:
    """Keeps the core's models and the objects' status in step with the cluster."""

    def __init__(
        self,
        connection: Connection,
        tell: Callable[[Event], None],
        *,
        namespace: str,
        policies: Callable[[], Iterable[Policy]],
        schemas: KnownSchemas = KNOWN_SCHEMAS,
    ) -> None:
        """`namespace` is where ConfigMaps with weights are; `policies` returns the policies in force."""
        self.changed: Callable[[], None] = lambda: None
        """Called when it changed which models are loaded, or why one is not."""
        self.namespace = namespace
        self._connection = connection
        self._tell = tell
        self._policies = policies
        self._schemas = schemas
        self._known: dict[str, _Known] = {}
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._unwritten: dict[str, None] = {}
        """Names of models whose status may differ from what it should be, in the order of writing."""
        self._written = asyncio.Event()

    # What the watch tells

    def seen(self, manifest: Mapping[str, Any]) -> None:
        """A model was listed, added or modified. Its spec never changes, so only a new one is looked at."""
        metadata = manifest["metadata"]
        name, uid = metadata["name"], metadata["uid"]
        known = self._known.get(name)
        if known is not None and known.uid != uid:
            self.gone(name)
            known = None
        present: Mapping[str, Any] = manifest.get("status") or {}
        if known is not None:
            known.present, known.generation = present, metadata.get("generation", known.generation)
        else:
            try:
                spec = parse_model({"apiVersion": API_VERSION, "kind": KIND, **manifest})
                verdict = _UNDER_WAY
            except ModelInvalid as invalid:
                spec = None
                verdict = _Verdict("False", Refusal.INVALID, joined([str(error) for error in invalid.errors]))
            self._known[name] = _Known(name, uid, metadata.get("generation", 0), spec, present, verdict)
            if spec is not None:
                self._waiting.put_nowait(name)
            self.changed()
        self._write_soon(name)

    def gone(self, name: str) -> None:
        """A model was deleted."""
        known = self._known.pop(name, None)
        if known is None:
            return
        if known.timer is not None:
            known.timer.cancel()
        if known.loaded:
            self._tell(ModelGone(name))
        self.changed()

    def policies_changed(self) -> None:
        """Other policies are in force: other models may be in use."""
        for name in self._known:
            self._write_soon(name)

    def why_missing(self, part: ModelPart) -> str | None:
        """Say why a part of an ensemble goes without its model; None: it does not."""
        where = f"spec.ensemble.{MODEL_FIELDS[part.kind]}.model is {part.model}"
        known = self._known.get(part.model)
        if known is None:
            return f"{where}: there is no MLModel of this name; create it, or name another"
        if known.spec is not None and known.spec.kind is not part.kind:
            return f"{where}: it is of the kind {known.spec.kind}; name one of the kind {part.kind}"
        if known.loaded:
            return None
        return f"{where}: {known.verdict.reason}: {known.verdict.message}"

    # Verifying

    async def verify(self) -> None:
        """Verify the models that wait for it, one after the other, for ever."""
        while True:
            name = await self._waiting.get()
            known = self._known.get(name)
            if known is None or known.spec is None or known.loaded:
                continue
            verdict, model, again = await self._verified(known.spec)
            if self._known.get(name) is not known:
                continue
            known.verdict = verdict
            if model is not None:
                known.loaded = True
                # The text is not needed again.
                known.spec = replace(known.spec, inline="")
                self._tell(ModelLoaded(model))
                logger.info("The model %s is verified and loaded.", model)
            else:
                logger.warning("The model %s is not used: %s: %s", name, verdict.reason, verdict.message)
                if again:
                    self._verify_later(known)
            self._write_soon(name)
            self.changed()

    async def _verified(self, spec: ModelSpec) -> tuple[_Verdict, Model | None, bool]:
        """Return the verdict, the model if it is good, and whether to try again if it is not."""
        try:
            width = width_of(spec.kind, spec.schema_hash, self._schemas)
            weights = await get_weights(spec, self._connection, self.namespace)
            passed = await try_model(spec, weights, width)
            model = await asyncio.to_thread(_load, spec, weights, passed.width)
        except WeightsMissing as missing:
            return _Verdict("False", missing.reason, missing.message), None, True
        except ModelRefused as refused:
            # Elsewhere there may be other bytes tomorrow; and a trial may have failed for want of memory.
            elsewhere = not spec.inline and refused.reason is not Refusal.WRONG_SCHEMA
            again = elsewhere or refused.reason is Refusal.TRIAL_FAILED
            return _Verdict("False", refused.reason, refused.message), None, again
        except Exception as fault:  # a defect in here must end neither the other models nor the operator
            logger.exception("The model %s could not be verified.", spec.name)
            message = f"The verification ended in a defect of HYDATIS ({type(fault).__name__}); its log has more."
            return _Verdict("False", Refusal.TRIAL_FAILED, message), None, True
        message = f"The weights are sound: {passed.size} bytes of ONNX, SHA-256 {spec.sha256[:12]}…"
        return _Verdict("True", VERIFIED, message, passed.size), model, False

    def _verify_later(self, known: _Known) -> None:
        delay = min(RETRY_FIRST_SECONDS * 2 ** min(known.failures, 16), RETRY_MOST_SECONDS)
        known.failures += 1
        known.timer = asyncio.get_running_loop().call_later(delay, self._waiting.put_nowait, known.name)

    # Status

    async def write_statuses(self) -> None:
        """Write the status of models for which it differs, for ever."""
        while True:
            await self._written.wait()
            self._written.clear()
            faulty = False
            for name in tuple(self._unwritten):
                self._unwritten.pop(name, None)
                known = self._known.get(name)
                if known is not None and not await self._write(known):
                    self._unwritten[name] = None
                    faulty = True
            if faulty:
                await asyncio.sleep(STATUS_RETRY_SECONDS)
                self._written.set()

    def _write_soon(self, name: str) -> None:
        self._unwritten[name] = None
        self._written.set()

    async def _write(self, known: _Known) -> bool:
        """Write one status if it differs; whether it needs no other attempt."""
        in_use = sorted(policy.name for policy in self._policies() if policy.names_model(known.name))
        wanted = wanted_status(known.present, known.verdict, in_use, known.generation, datetime.now(UTC))
        if wanted == known.present:
            return True
        path = f"{PATH}/{known.name}/status"
        body = status_patch(known.uid, wanted)
        try:
            await self._connection.request(
                "PATCH", path, resource=f"{PLURAL}/status", verb="patch", body=body, meaning=Body.JSON_PATCH
            )
        except NotFound:
            return True
        except Rejected as error:
            logger.warning("The status of model %s was refused: %s", known.name, error)
            return True
        except OperatorError as error:
            logger.warning("The status of model %s was not written, trying again: %s", known.name, error)
            return False
        known.present = wanted
        return True


def wanted_status(
    present: Mapping[str, Any], verdict: _Verdict, in_use: list[str], generation: int, now: datetime
) -> Mapping[str, Any]:
    """The whole status as it should be; equal to `present` when nothing is to be written."""
    condition = Condition(VERIFIED, verdict.status, verdict.reason, verdict.message)
    wanted = {
        **present,
        "observedGeneration": generation,
        "conditions": with_conditions(present, [condition], frozenset({VERIFIED}), generation, now),
        "inUse": in_use[:IN_USE_MAX],
    }
    wanted.pop("size", None)
    if verdict.size is not None:
        wanted["size"] = verdict.size
    return wanted


def _load(spec: ModelSpec, weights: Weights, width: int) -> Model:
    """Load what passed its trial; in a thread, for the first of them imports ONNX Runtime."""
    from hydatis.scheduler.models.onnx_model import OnnxModel  # noqa: PLC0415 - see above

    # The digest says that these are the bytes that were judged.
    return OnnxModel.load_judged(
        weights.read(spec.sha256),
        kind=spec.kind,
        name=spec.name,
        version=spec.version,
        schema_hash=spec.schema_hash,
        width=width,
    )
