"""Finds where two answers about the same pod differ. Everything an answer holds is compared, exactly.

Where a plugin of kube-scheduler fails while it scores (a preferred term that cannot be parsed does that), there are no
scores to compare: kube-scheduler leaves such a pod pending, HYDATIS leaves such a term out. The rest is compared.

Where one fails already while it filters, there is nothing to compare. That takes a plugin without the company of those
that refuse such a pod before (NodeVolumeLimits alone, with an ephemeral volume's claim that is another pod's).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hydatis.sandbox.verifying.answers import NO_SCORE, Answer, Room
from hydatis.scheduler.plugins.default_preemption import DefaultPreemption

PREEMPTION = DefaultPreemption.name
_NAMED = "found a potential placement for pod on node "


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which the two disagree."""

    part: str
    """`prefilter`, `filter`, `code`, `feasible`, `score`, `total`, `best`, `message`, `victims`, `room` (the nodes that
    preemption may choose) or `decision`.
    """
    plugin: str
    """Empty where the part is of all plugins together."""
    node: str
    """Empty where the part is of all nodes together."""
    ours: Any
    theirs: Any

    @property
    def kind(self) -> tuple[str, str]:
        """What the differences of one defect have in common."""
        return (self.part, self.plugin)


def compare(ours: Answer, theirs: Answer) -> tuple[Difference, ...]:
    """Return every difference, those of single plugins first."""
    return tuple(_differences(ours, theirs))


def _differences(ours: Answer, theirs: Answer) -> Iterator[Difference]:
    if theirs.failed_to_filter:
        return
    if ours.prefilter != theirs.prefilter:
        yield Difference("prefilter", "", "", ours.prefilter, theirs.prefilter)
    if ours.rejections != theirs.rejections:
        for plugin in sorted(ours.rejections.keys() | theirs.rejections.keys()):
            our_nodes, their_nodes = ours.rejections.get(plugin, {}), theirs.rejections.get(plugin, {})
            for node in sorted(our_nodes.keys() | their_nodes.keys()):
                if our_nodes.get(node) != their_nodes.get(node):
                    yield Difference("filter", plugin, node, our_nodes.get(node), their_nodes.get(node))
    if ours.resolvable_in_prefilter != theirs.resolvable_in_prefilter:
        yield Difference("code", "", "", ours.resolvable_in_prefilter, theirs.resolvable_in_prefilter)
    if ours.resolvable != theirs.resolvable:
        yield from _differences_in_codes(ours, theirs)
    if ours.feasible != theirs.feasible:
        yield Difference("feasible", "", "", sorted(ours.feasible), sorted(theirs.feasible))
    if theirs.failure is None:
        yield from _differences_in_scores(ours, theirs)
    if ours.message not in _texts(theirs):
        yield Difference("message", "", "", ours.message, theirs.message)
    if ours.room != theirs.room:
        yield from _differences_in_room(ours.room, theirs.room)
    if ours.decision is not None:
        # Which of the best it is, is for chance to say, in kube-scheduler as well.
        acceptable = theirs.best if theirs.failure is None else theirs.feasible
        chosen, said = ours.decision.node, ours.decision.message
        if said not in _texts(theirs) or (said is None and chosen not in acceptable):
            yield Difference("decision", "", "", chosen or said, theirs.message or sorted(acceptable))


def _texts(answer: Answer) -> frozenset[str | None]:
    """The FailedScheduling text, once for each node that preemption may as well have named."""
    if answer.message is None or answer.room is None or len(answer.room.best) < 2:
        return frozenset({answer.message})
    before, _, after = answer.message.partition(_NAMED)
    count = after.partition(", ")[2]
    return frozenset(f"{before}{_NAMED}{node}, {count}" for node in answer.room.best)


def _differences_in_room(ours: Room | None, theirs: Room | None) -> Iterator[Difference]:
    our_candidates = {} if ours is None else ours.candidates
    their_candidates = {} if theirs is None else theirs.candidates
    for node in sorted(our_candidates.keys() | their_candidates.keys()):
        if our_candidates.get(node) != their_candidates.get(node):
            yield Difference("victims", PREEMPTION, node, our_candidates.get(node), their_candidates.get(node))
    our_best = None if ours is None else sorted(ours.best)
    their_best = None if theirs is None else sorted(theirs.best)
    if our_best != their_best:
        yield Difference("room", PREEMPTION, "", our_best, their_best)


def _differences_in_codes(ours: Answer, theirs: Answer) -> Iterator[Difference]:
    """Where one rejects and the other does not is a difference of another kind."""
    for plugin in sorted(ours.resolvable.keys() | theirs.resolvable.keys()):
        our_nodes, their_nodes = ours.resolvable.get(plugin, frozenset()), theirs.resolvable.get(plugin, frozenset())
        both = ours.rejections.get(plugin, {}).keys() & theirs.rejections.get(plugin, {}).keys()
        for node in sorted((our_nodes ^ their_nodes) & both):
            yield Difference("code", plugin, node, node in our_nodes, node in their_nodes)


def _differences_in_scores(ours: Answer, theirs: Answer) -> Iterator[Difference]:
    for plugin in sorted(ours.scores.keys() | theirs.scores.keys()):
        our_scores, their_scores = ours.scores.get(plugin, {}), theirs.scores.get(plugin, {})
        for node in sorted(our_scores.keys() | their_scores.keys()):
            our_score, their_score = our_scores.get(node, NO_SCORE), their_scores.get(node, NO_SCORE)
            if our_score != their_score:
                yield Difference("score", plugin, node, our_score, their_score)
    for node in sorted(ours.totals.keys() | theirs.totals.keys()):
        if ours.totals.get(node) != theirs.totals.get(node):
            yield Difference("total", "", node, ours.totals.get(node), theirs.totals.get(node))
    if ours.best != theirs.best:
        yield Difference("best", "", "", sorted(ours.best), sorted(theirs.best))
