"""What a scheduler says about one pod on one cluster, in a form in which HYDATIS and kube-scheduler can be compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hydatis.scheduler.inspecting import Inspection

_RESOLVABLE = "Unschedulable"

Reasons = tuple[str, ...]
Score = tuple[int, int, int]
"""Raw, normalised, weighted."""

NO_SCORE: Score = (0, 0, 0)
"""A plugin that skips a pod adds nothing; so does one that gives every node 0."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The end of a scheduling cycle: a node, or the FailedScheduling text."""

    node: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node on which preemption makes room."""

    victims: tuple[str, ...]
    """Uids, in order."""
    violations: int


@dataclass(frozen=True, slots=True)
class Room:
    """What preemption says."""

    candidates: Mapping[str, Candidate]
    """By node."""
    best: frozenset[str]
    """Chance decides between them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One scheduler's answer."""

    prefilter: str | None
    """Why no node was looked at."""
    rejections: Mapping[str, Mapping[str, Reasons]]
    """Plugin to node to sorted reasons, each plugin asked alone."""
    feasible: frozenset[str]
    scores: Mapping[str, Mapping[str, Score]]
    """Plugin to feasible node to score."""
    totals: Mapping[str, int]
    best: frozenset[str]
    """The nodes with the highest total."""
    message: str | None
    """The FailedScheduling text; where preemption has a choice, it names one of the best nodes."""
    resolvable: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Plugin to those of the nodes it rejects on which preemption might help: code Unschedulable, and not
    UnschedulableAndUnresolvable.
    """
    resolvable_in_prefilter: bool = False
    """Whether preemption might help although PreFilter rejected the pod."""
    room: Room | None = None
    """None where no preemption is tried."""
    decision: Decision | None = None
    """What a whole scheduling cycle did with the pod; only HYDATIS tells, and not of a pod that names its node."""
    searched: frozenset[str] = frozenset()
    """The nodes that PreFilter left to look at; only the oracle tells."""
    narrowed: Mapping[str, int] = field(default_factory=dict[str, int])
    """Plugin to the number of nodes that its PreFilter alone left out; only the oracle tells."""
    failure: str | None = None
    """Why kube-scheduler could not filter, or not score the feasible nodes; it then leaves the pod pending and tries
    again.
    """

    @property
    def failed_to_filter(self) -> bool:
        """Whether it came to no feasible nodes at all."""
        return self.failure is not None and not self.feasible

    def as_json(self) -> dict[str, Any]:
        """Return the answer for a report."""
        return {
            "prefilter": self.prefilter,
            "rejections": {plugin: dict(nodes) for plugin, nodes in self.rejections.items()},
            "resolvable": {plugin: sorted(nodes) for plugin, nodes in self.resolvable.items()},
            "feasible": sorted(self.feasible),
            "scores": {plugin: dict(nodes) for plugin, nodes in self.scores.items()},
            "totals": dict(self.totals),
            "best": sorted(self.best),
            "message": self.message,
            "preemption": None
            if self.room is None
            else {"candidates": dict(self.room.candidates), "best": sorted(self.room.best)},
        } | (
            {}
            if self.decision is None
            else {"decision": {"node": self.decision.node, "message": self.decision.message}}
        )


def from_oracle(verdict: Mapping[str, Any]) -> Answer:
    """Read one entry of the oracle's `answers`."""
    prefilter = verdict.get("prefilter")
    return Answer(
        prefilter=None if prefilter is None else ", ".join(prefilter["reasons"]),
        rejections={
            plugin: {node: tuple(sorted(rejection["reasons"])) for node, rejection in nodes.items()}
            for plugin, nodes in (verdict.get("filters") or {}).items()
        },
        resolvable={
            plugin: resolvable
            for plugin, nodes in (verdict.get("filters") or {}).items()
            if (resolvable := frozenset(node for node, said in nodes.items() if said["code"] == _RESOLVABLE))
        },
        resolvable_in_prefilter=prefilter is not None and prefilter["code"] == _RESOLVABLE,
        feasible=frozenset(verdict["feasible"]),
        scores={
            plugin: {node: (raw, normalized, weighted) for node, (raw, normalized, weighted) in nodes.items()}
            for plugin, nodes in (verdict.get("scores") or {}).items()
        },
        totals=verdict.get("totals") or {},
        best=frozenset(verdict["best"]),
        message=verdict.get("message"),
        room=_room(verdict.get("preemption")),
        searched=frozenset(verdict["space"]),
        narrowed=verdict.get("narrowed") or {},
        failure=verdict.get("error"),
    )


def _room(preemption: Mapping[str, Any] | None) -> Room | None:
    if preemption is None:
        return None
    candidates = {
        node: Candidate(tuple(candidate["victims"]), candidate["violations"])
        for node, candidate in preemption["candidates"].items()
    }
    return Room(candidates, frozenset(preemption["best"]))


def from_inspection(inspection: Inspection, decision: Decision | None = None) -> Answer:
    """Read what the decision core says, and what it did."""
    return Answer(
        prefilter=inspection.prefilter,
        rejections={
            plugin: {node: tuple(sorted(reasons)) for node, reasons in nodes.items()}
            for plugin, nodes in inspection.filters.items()
            if nodes
        },
        resolvable={plugin: nodes for plugin, nodes in inspection.resolvable.items() if nodes},
        feasible=inspection.feasible,
        scores={
            plugin: {node: (part.raw, part.normalized, part.weighted) for node, part in nodes.items()}
            for plugin, nodes in inspection.scores.items()
        },
        totals=inspection.totals,
        best=inspection.best,
        message=inspection.message,
        room=None
        if inspection.preemption is None
        else Room(
            {
                node: Candidate(candidate.victims, candidate.violations)
                for node, candidate in inspection.preemption.candidates.items()
            },
            inspection.preemption.best,
        ),
        decision=decision,
    )
