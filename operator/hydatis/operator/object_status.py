"""The parts that the status subresources of HYDATIS' own custom resources have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MESSAGE_BYTES = 32 * 1024
"""The longest condition message that the custom resources' schemas admit."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as it should be."""

    type: str
    status: str
    """True, False or Unknown."""
    reason: str
    message: str


def with_conditions(
    present: Mapping[str, Any], wanted: Sequence[Condition], owned: frozenset[str], generation: int, now: datetime
) -> list[Mapping[str, Any]]:
    """Return the whole list of conditions: those wanted first, and of the others those that are not `owned`.

    `lastTransitionTime` is kept where the status stays the same.
    """
    listed: Sequence[Mapping[str, Any]] = present.get("conditions") or ()
    before = {condition.get("type"): condition for condition in listed}
    conditions: list[Mapping[str, Any]] = []
    for one in wanted:
        known = before.get(one.type, {})
        changed_at = known.get("lastTransitionTime") if known.get("status") == one.status else None
        conditions.append(
            {
                "type": one.type,
                "status": one.status,
                "observedGeneration": generation,
                "lastTransitionTime": changed_at or now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "reason": one.reason,
                "message": one.message,
            }
        )
    return [*conditions, *(condition for condition in listed if condition.get("type") not in owned)]


def joined(sentences: Sequence[str], what: str = "errors") -> str:
    """One sentence a line, within `MESSAGE_BYTES`; those that do not fit are counted."""
    kept: list[str] = []
    size = 0
    for index, sentence in enumerate(sentences):
        size += len(sentence.encode()) + 1
        if size > MESSAGE_BYTES - 64:
            kept.append(f"… and {len(sentences) - index} more {what}")
            break
        kept.append(sentence)
    return "\n".join(kept)


def status_patch(uid: str, wanted: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the JSON patch that replaces the whole status of the object with this uid, and of no other."""
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "add", "path": "/status", "value": wanted},
    ]
