"""Holds one decision of kube-scheduler against what the simulation's decision core says on the same state, and says why
they differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hydatis.sandbox.replaying.scheduler_log import Attempt

_NORMALIZED_OVER_NODES = frozenset({"InterPodAffinity", "NodeAffinity", "PodTopologySpread", "TaintToleration"})
"""Plugins of kube-scheduler that relate a node's score to those of the other feasible nodes (NormalizeScore)."""
_MOST_DETAILS = 10
"""Of one decision; one defect shows on many nodes."""


class Agreement(StrEnum):
    """How two decisions about one pod compare."""

    SAME_NODE = "same node"
    SAME_SCORE = "another node of the same score"
    SAME_REFUSAL = "unschedulable for both"
    DIFFERENT = "different"


class Reason(StrEnum):
    """Why two decisions are not the same, by what is known of both."""

    TIE = "equal scores, and each has its own way with ties"
    SAMPLING = "kube-scheduler looked at a sample of the nodes"
    REUSED_SCORES = "kube-scheduler took a node by the scores of the pod before"
    SCORE = "a plugin scores a node differently"
    FEASIBLE_NODES = "other nodes are feasible"
    ONE_REFUSES = "unschedulable on one side"
    REFUSAL_TEXT = "both refuse for other reasons"
    LEFT_WAITING = "kube-scheduler leaves it waiting although it fits"
    UNKNOWN = "unknown"

    @property
    def is_a_liberty(self) -> bool:
        """Whether kube-scheduler could as well have done what the simulation does: nobody is wrong."""
        return self in (Reason.TIE, Reason.SAMPLING, Reason.REUSED_SCORES)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the decision core says of a pod, and what it would do with it."""

    node: str | None
    """None: no node is feasible."""
    message: str | None
    """The FailedScheduling text; None when some node is feasible."""
    nodes: int
    """In the cluster."""
    parts: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    """Plugin to feasible node to weighted score."""
    totals: Mapping[str, int] = field(default_factory=dict[str, int])
    """Feasible node to the sum of its weighted scores."""
    best: frozenset[str] = frozenset()
    """The feasible nodes with the highest total: any of them may be chosen."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One decision, compared."""

    agreement: Agreement
    reason: Reason | None
    """None: there is nothing to explain."""
    details: tuple[str, ...] = ()
    """The facts behind the reason, a sentence each."""
    scores_compared: int = 0
    """Scores of single plugins on single nodes."""
    scores_different: int = 0


def compare(attempt: Attempt, opinion: Opinion) -> Comparison:
    """Compare a complete attempt of kube-scheduler with the core's opinion on the same state."""
    if attempt.node is None or opinion.node is None:
        return _compare_refusals(attempt, opinion)
    agreement = _agreement(attempt.node, opinion)
    if attempt.node not in opinion.totals:
        detail = f"{attempt.node} is not feasible in the simulation"
        return Comparison(Agreement.DIFFERENT, Reason.FEASIBLE_NODES, (detail,))
    if attempt.reused:
        return _explained(agreement, Reason.REUSED_SCORES, _distance(attempt.node, opinion))
    sampled = attempt.evaluated < opinion.nodes
    feasible = () if sampled else _other_feasible_nodes(attempt, opinion)
    if feasible:
        return Comparison(agreement, Reason.FEASIBLE_NODES, feasible)
    compared, different = _other_scores(attempt, opinion, sampled=sampled)
    if different:
        details = (*different[:_MOST_DETAILS], *_left_out(different))
        return Comparison(agreement, Reason.SCORE, details, compared, len(different))
    detail = _distance(attempt.node, opinion)
    if sampled:
        detail = f"{attempt.evaluated} of {opinion.nodes} nodes looked at, {attempt.feasible} feasible; {detail}"
    found = _explained(agreement, Reason.SAMPLING if sampled else Reason.UNKNOWN, detail)
    return Comparison(found.agreement, found.reason, found.details, compared)


def _compare_refusals(attempt: Attempt, opinion: Opinion) -> Comparison:
    if attempt.node is None and opinion.node is None:
        if attempt.message == opinion.message:
            return Comparison(Agreement.SAME_REFUSAL, None)
        details = (f"kube-scheduler: {attempt.message}", f"simulation: {opinion.message}")
        return Comparison(Agreement.SAME_REFUSAL, Reason.REFUSAL_TEXT, details)
    placed = f"placed on {attempt.node or opinion.node}"
    details = (
        f"kube-scheduler: {attempt.message if attempt.node is None else placed}",
        f"simulation: {opinion.message if opinion.node is None else placed}",
    )
    return Comparison(Agreement.DIFFERENT, Reason.ONE_REFUSES, details)


def _agreement(node: str, opinion: Opinion) -> Agreement:
    if node == opinion.node:
        return Agreement.SAME_NODE
    return Agreement.SAME_SCORE if {node, opinion.node} <= opinion.best else Agreement.DIFFERENT


def _explained(agreement: Agreement, reason: Reason, detail: str) -> Comparison:
    """Give the reason for a difference; ties are one whatever else kube-scheduler did."""
    if agreement is Agreement.SAME_NODE:
        return Comparison(agreement, None)
    if agreement is Agreement.SAME_SCORE:
        return Comparison(agreement, Reason.TIE, (detail,))
    return Comparison(agreement, reason, (detail,))


def _distance(node: str, opinion: Opinion) -> str:
    highest = max(opinion.totals.values())
    return f"{opinion.totals[node]} for {node}, highest {highest} on {len(opinion.best)} of {len(opinion.totals)}"


def _other_feasible_nodes(attempt: Attempt, opinion: Opinion) -> tuple[str, ...]:
    if attempt.feasible != len(opinion.totals):
        return (f"feasible nodes: {attempt.feasible} for kube-scheduler, {len(opinion.totals)} in the simulation",)
    other = sorted(attempt.totals.keys() ^ opinion.totals.keys()) if attempt.totals else []
    return (f"feasible on one side only: {', '.join(other)}",) if other else ()


def _other_scores(attempt: Attempt, opinion: Opinion, *, sampled: bool) -> tuple[int, list[str]]:
    """Count the scores that both gave, and name those that differ. A plugin that is not heard of gave every node 0.

    Of a sample, only the scores are compared that do not depend on which nodes there are beside.
    """
    different = []
    left_out = _NORMALIZED_OVER_NODES if sampled else frozenset()
    plugins = sorted((attempt.parts.keys() | opinion.parts.keys()) - left_out) if attempt.totals else []
    nodes = sorted(attempt.totals.keys() & opinion.totals.keys())
    for plugin in plugins:
        theirs, ours = attempt.parts.get(plugin, {}), opinion.parts.get(plugin, {})
        for node in nodes:
            if theirs.get(node, 0) != ours.get(node, 0):
                scores = f"{theirs.get(node, 0)} by kube-scheduler, {ours.get(node, 0)} in the simulation"
                different.append(f"{plugin} on {node}: {scores}")
    return len(plugins) * len(nodes), different


def _left_out(details: list[str]) -> tuple[str, ...]:
    more = len(details) - _MOST_DETAILS
    return (f"and {more} more",) if more > 0 else ()
