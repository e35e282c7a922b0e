"""Makes a policy name another model, remembers the one before, and finds the way back.

Invariants: a policy is only changed in the state that was read; what it named before stands in its annotation
`hydatis.io/previous-<part>-model` in the same write.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydatis.operator.connection import Connection
from hydatis.operator.errors import Conflict
from hydatis.registry.cluster import find_model, find_policy, patch_policy
from hydatis.registry.errors import RegistryError, printable
from hydatis.registry.pushing import POLL_SECONDS, condition
from hydatis.scheduler.ensemble_weights import MODEL_FIELDS
from hydatis.scheduler.label_selectors import is_dns_subdomain
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.policy import GROUP

ATTEMPTS = 20
"""Writes of a policy that somebody else keeps changing, the operator's status among them."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a policy named before, and names now."""

    before: str | None
    after: str
    mode: str
    """`spec.mode` of the policy."""

    @property
    def none(self) -> bool:
        """Whether it named the model already."""
        return self.before == self.after


def annotation(kind: ModelKind) -> str:
    """Return the annotation of a policy that remembers what it named before for this part."""
    return f"{GROUP}/previous-{MODEL_FIELDS[kind]}-model"


async def check_policy(connection: Connection, name: str, kind: ModelKind, weight: int | None) -> None:
    """Find out before anything is created whether the policy can name a model of this kind. Raises RegistryError."""
    _patch(await _policy(connection, name), kind, "-", weight)


async def name_model(connection: Connection, policy: str, kind: ModelKind, model: str, weight: int | None) -> Change:
    """Make the policy name this model, with this weight or the one it has.

    Raises:
        RegistryError: there is no such policy, it has no such part and no weight was given, or others keep changing it.

    """
    for attempt in range(ATTEMPTS):
        present = await _policy(connection, policy)
        patch, change = _patch(present, kind, model, weight)
        if not patch:
            return change
        try:
            await patch_policy(connection, policy, patch)
        except Conflict:
            await asyncio.sleep(0.01 * attempt)
            continue
        return change
    raise RegistryError(f"the policy {policy} is changed by others all the time; try again.")


async def previous_model(connection: Connection, policy: str, kind: ModelKind) -> str:
    """Return the model that the policy named before. Raises RegistryError when it remembers none."""
    metadata = (await _policy(connection, policy))["metadata"]
    previous = (metadata.get("annotations") or {}).get(annotation(kind))
    if not previous:
        raise RegistryError(
            f"the policy {policy} remembers no {MODEL_FIELDS[kind]} model from before: nothing was promoted there; "
            "name one with hydatis model promote."
        )
    if not is_dns_subdomain(previous):
        raise RegistryError(
            f"the annotation {annotation(kind)} of the policy {policy} is {printable(previous, 80)!r}, which names no "
            "MLModel; correct it, or name one with hydatis model promote."
        )
    return str(previous)


async def wait_until_in_use(connection: Connection, policy: str, model: str, seconds: float) -> None:
    """Return when HYDATIS says that the policy in force names the model. Raises RegistryError after so long."""
    end = time.monotonic() + seconds
    while True:
        present = await find_model(connection, model) or {}
        if policy in (present.get("status", {}).get("inUse") or ()):
            return
        if time.monotonic() > end:
            status, reason, message = condition(await _policy(connection, policy), "Ready")
            why = f"{reason}: {printable(message, 600)}" if status == "False" else "check that it runs"
            raise RegistryError(
                f"the policy {policy} names {model}, and HYDATIS did not put that into force within "
                f"{seconds:g} s: {why}."
            )
        await asyncio.sleep(POLL_SECONDS)


async def _policy(connection: Connection, name: str) -> Mapping[str, Any]:
    if not is_dns_subdomain(name):
        raise RegistryError(f"--policy {printable(name, 80)!r} is no valid name; name an MLSchedulerPolicy.")
    found = await find_policy(connection, name)
    if found is None:
        raise RegistryError(f"there is no MLSchedulerPolicy {name}; kubectl get mlsp lists those that there are.")
    return found


def _patch(
    present: Mapping[str, Any], kind: ModelKind, model: str, weight: int | None
) -> tuple[Mapping[str, Any] | None, Change]:
    """Return what to merge into the policy, None for nothing, and what that changes. Raises RegistryError."""
    metadata, spec = present["metadata"], present.get("spec", {})
    field = MODEL_FIELDS[kind]
    part = (spec.get("ensemble") or {}).get(field)
    if part is None and weight is None:
        raise RegistryError(
            f"the policy {metadata['name']} has no spec.ensemble.{field}; say with --weight what the model is to "
            "count for."
        )
    before = part.get("model") if part else None
    change = Change(before, model, spec.get("mode", "Auto"))
    wanted: dict[str, Any] = {"model": model}
    if weight is not None:
        wanted["weight"] = weight
    if part is not None and wanted.items() <= part.items():
        return None, change
    patch: dict[str, Any] = {
        "metadata": {"resourceVersion": metadata["resourceVersion"]},
        "spec": {"ensemble": {field: wanted}},
    }
    if not change.none:
        # Null removes what an earlier promotion left: before this one there was nothing.
        patch["metadata"]["annotations"] = {annotation(kind): before}
    return patch, change
