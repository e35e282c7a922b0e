"""Puts the same clusters before the oracle and the decision core, compares what they say, and shrinks what differs.

One session has one oracle process; questions go out one batch ahead, so that the oracle works while the core does.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from hydatis.sandbox.verifying.answers import Answer, from_oracle
from hydatis.sandbox.verifying.arguments import plugin_arguments
from hydatis.sandbox.verifying.cases import Cluster
from hydatis.sandbox.verifying.comparing import Difference, compare
from hydatis.sandbox.verifying.judging import judge, plugin_names
from hydatis.sandbox.verifying.oracle import Oracle
from hydatis.sandbox.verifying.shrinking import shrink
from hydatis.sandbox.verifying.tallying import Tally
from hydatis.scheduler.profile import Profile

_BATCH = 32

Signature = tuple[tuple[str, str], ...]
"""The (part, plugin) pairs in which a case differs. One defect shows in many cases; one small case of it is enough."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A case on which the two schedulers differ, shrunk."""

    cluster: int
    candidate: int
    """Together with the seed they name the case as it was made."""
    differences: tuple[Difference, ...]
    case: Cluster
    ours: Answer
    theirs: Answer

    def as_json(self) -> dict[str, Any]:
        """Return the disagreement for a report."""
        return {
            "cluster": self.cluster,
            "candidate": self.candidate,
            "differences": [
                {"part": d.part, "plugin": d.plugin, "node": d.node, "hydatis": d.ours, "kube_scheduler": d.theirs}
                for d in self.differences
            ],
            "case": {
                "nodes": self.case.nodes,
                "pods": self.case.pods,
                "nominated": self.case.nominated,
                "objects": self.case.objects,
                "pod": self.case.candidates[0],
            },
            "hydatis": self.ours.as_json(),
            "kube_scheduler": self.theirs.as_json(),
        }


@dataclass(slots=True)
class Outcome:
    """What a session found. Outcomes of several workers add up."""

    tally: Tally = field(default_factory=Tally)
    disagreements: list[Disagreement] = field(default_factory=list)
    """Shrunk, about one of each kind."""

    def add(self, other: "Outcome") -> None:
        """Add another outcome to this one."""
        self.tally.add(other.tally)
        known = {_signature(disagreement.differences) for disagreement in self.disagreements}
        self.disagreements += [d for d in other.disagreements if _signature(d.differences) not in known]


class Session:
    """A profile of the core held against the same plugins of kube-scheduler."""

    def __init__(self, oracle: Oracle, profile: Profile) -> None:
        self._oracle = oracle
        self._profile = profile
        self._plugins = plugin_names(profile)
        self._arguments = plugin_arguments(profile)
        self._shrunk: set[Signature] = set()

    def verify(self, clusters: Iterable[Cluster]) -> Outcome:
        """Judge every candidate on every cluster."""
        outcome = Outcome()
        found: dict[Signature, tuple[Cluster, int]] = {}
        for cluster, theirs in self._answered(clusters):
            ours = judge(cluster, self._profile)
            for candidate, (our_answer, their_answer) in enumerate(zip(ours, theirs, strict=True)):
                differences = compare(our_answer, their_answer)
                outcome.tally.count(self._profile, their_answer, differences)
                if differences:
                    found.setdefault(_signature(differences), (cluster, candidate))
        # Shrinking asks the oracle, too, so every answer must have been read by now.
        for signature, (cluster, candidate) in found.items():
            if signature not in self._shrunk:
                self._shrunk.add(signature)
                outcome.disagreements.append(self._shrink(cluster, candidate, signature))
        return outcome

    def answers(self, case: Cluster) -> tuple[Answer, Answer]:
        """Return the core's answer and kube-scheduler's about a case's only candidate."""
        self._oracle.ask([case.request(self._plugins, self._arguments)])
        theirs = _read(self._oracle.answers(1)[0])
        return judge(case, self._profile)[0], theirs[0]

    def _answered(self, clusters: Iterable[Cluster]) -> Iterator[tuple[Cluster, list[Answer]]]:
        """Yield each cluster with the oracle's answers about its candidates."""
        remaining = iter(clusters)
        asked = self._ask(remaining)
        while asked:
            following = self._ask(remaining)
            for cluster, answer in zip(asked, self._oracle.answers(len(asked)), strict=True):
                yield cluster, _read(answer)
            asked = following

    def _ask(self, clusters: Iterator[Cluster]) -> list[Cluster]:
        batch = list(islice(clusters, _BATCH))
        self._oracle.ask(cluster.request(self._plugins, self._arguments) for cluster in batch)
        return batch

    def _shrink(self, cluster: Cluster, candidate: int, signature: Signature) -> Disagreement:
        kinds = set(signature)

        def still_disagrees(case: Cluster) -> bool:
            ours, theirs = self.answers(case)
            return not kinds.isdisjoint(difference.kind for difference in compare(ours, theirs))

        case = shrink(cluster.with_only(candidate), still_disagrees)
        ours, theirs = self.answers(case)
        return Disagreement(cluster.number, candidate, compare(ours, theirs), case, ours, theirs)


def _read(answer: Mapping[str, Any]) -> list[Answer]:
    return [from_oracle(verdict) for verdict in answer["answers"]]


def _signature(differences: Iterable[Difference]) -> Signature:
    """What tells one defect from another: the plugins that differ; else, the parts that do."""
    kinds = {difference.kind for difference in differences}
    return tuple(sorted({kind for kind in kinds if kind[1]} or kinds))
