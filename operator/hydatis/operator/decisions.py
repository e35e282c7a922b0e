"""The last decisions, kept to be explained: a ring bounded in number and in bytes.

The `driver` notes each decision as it is made and what became of its binding; `explanations` reads. Noting costs a
few microseconds: nothing is computed and nothing is written as text before somebody asks. A pod that is told over and
over that no node will do takes one place, that of its last attempt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from hydatis.scheduler.decision import Decision
from hydatis.scheduler.instructions import Bind, Instruction

MOST_DECISIONS = 1000
MOST_BYTES = 16 * 2**20
"""Of all records together, as far as their size can be told."""
_RECORD_BYTES = 1500
"""About what a record takes apart from its evidence, its message and its rejections."""


class State(StrEnum):
    """What became of a decision."""

    BINDING = "Binding"
    """The binding, or that of the pod's volumes, is on its way."""
    BOUND = "Bound"
    FAILED = "Failed"
    """It was not bound; it is decided about again unless it is gone."""
    UNSCHEDULABLE = "Unschedulable"
    PAUSED = "Paused"


@dataclass(slots=True)
class Record:
    """One decision and what became of it."""

    decision: Decision
    at: float
    """When, in seconds since 1970."""
    state: State
    message: str = ""
    """Why no node would do, or why the binding failed."""
    nominated_node: str = ""
    """The node on which others make way for the pod."""
    victims: int = 0
    """How many do."""

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        evidence = self.decision.evidence
        rejected = sum(
            300 + sum(100 + len(reason) for reason in one.reasons) + 100 * len(one.examples)
            for one in self.decision.rejected
        )
        return _RECORD_BYTES + 2 * len(self.message) + rejected + (0 if evidence is None else evidence.bytes)


class DecisionLog:
    """The last decisions; the oldest make way."""

    def __init__(self, *, most: int = MOST_DECISIONS, most_bytes: int = MOST_BYTES) -> None:
        self.bytes = 0
        """About how much memory the records take."""
        self._most = most
        self._most_bytes = most_bytes
        self._records: dict[int, Record] = {}
        """By a number that grows, the oldest first."""
        self._last: dict[str, int] = {}
        """The number of the last record of each pod, by its uid."""
        self._sizes: dict[int, int] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._records)

    def note(self, instruction: Instruction, at: float) -> None:
        """A decision was made, at this many seconds since 1970."""
        decision, uid = instruction.decision, instruction.pod.uid
        if isinstance(instruction, Bind):
            record = Record(decision, at, State.BINDING)
        else:
            before = self._last.get(uid)
            if before is not None and self._records[before].state in (State.UNSCHEDULABLE, State.PAUSED):
                self._drop(before)
            record = Record(
                decision,
                at,
                State.PAUSED if instruction.paused else State.UNSCHEDULABLE,
                instruction.message,
                instruction.nominated_node or "",
                0 if instruction.preemption is None else instruction.preemption.victim_count,
            )
        number, size = self._next, record.bytes
        self._next += 1
        self._records[number], self._sizes[number], self._last[uid] = record, size, number
        self.bytes += size
        while len(self._records) > self._most or (self.bytes > self._most_bytes and len(self._records) > 1):
            self._drop(next(iter(self._records)))

    def bound(self, uid: str) -> None:
        """The pod is bound as was decided last."""
        number = self._last.get(uid)
        if number is not None:
            self._records[number].state = State.BOUND

    def not_bound(self, uid: str, reason: str) -> None:
        """The pod could not be bound as was decided last."""
        number = self._last.get(uid)
        if number is not None:
            self._records[number].state, self._records[number].message = State.FAILED, reason

    def latest(self, limit: int) -> list[Record]:
        """Return the last decisions, the newest first."""
        return [record for record, _ in zip(self._newest_first(), range(limit), strict=False)]

    def of_pod(self, namespace: str, name: str) -> list[Record]:
        """Return what is left of the decisions about pods of this name, the newest first."""
        return [
            record
            for record in self._newest_first()
            if (record.decision.pod.namespace, record.decision.pod.name) == (namespace, name)
        ]

    def _newest_first(self) -> Iterator[Record]:
        return reversed(self._records.values())

    def _drop(self, number: int) -> None:
        record = self._records.pop(number)
        self.bytes -= self._sizes.pop(number)
        uid = record.decision.pod.uid
        if self._last[uid] == number:
            del self._last[uid]
