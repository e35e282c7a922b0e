"""Counts on what the two schedulers agreed, plugin by plugin and verdict by verdict, and who was never put to the test.

Tallies of several workers add up.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hydatis.sandbox.verifying.answers import NO_SCORE, Answer
from hydatis.sandbox.verifying.comparing import Difference
from hydatis.sandbox.verifying.judging import filter_names, score_names
from hydatis.scheduler.plugins.default_preemption import DefaultPreemption
from hydatis.scheduler.profile import Profile

ENOUGH_CASES = 1000
"""From here on a plugin that never passed or never rejected a node means that the cases are too tame."""


@dataclass(slots=True)
class Tally:
    """Plain counts."""

    cases: int = 0
    disagreeing: int = 0
    """Cases with at least one difference."""
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(plugin, verdict) to nodes on which both agreed; verdicts are `pass`, `reject`, `score`. DefaultPreemption passes
    the nodes on which it can make room, and rejects, once a case, where there is none.
    """
    outcomes: Counter[str] = field(default_factory=Counter)
    """`placed`, `unschedulable`, `rejected_in_prefilter`, `failed` and `failed_to_filter`: what kube-scheduler made of
    the cases.
    """
    differences: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(part, plugin) to differences."""

    def add(self, other: "Tally") -> None:
        """Add another tally to this one."""
        self.cases += other.cases
        self.disagreeing += other.disagreeing
        self.verdicts.update(other.verdicts)
        self.outcomes.update(other.outcomes)
        self.differences.update(other.differences)

    def count(self, profile: Profile, theirs: Answer, differences: Iterable[Difference]) -> None:
        """Count one case by the oracle's answer; where the two differ counts as a difference, not as a verdict."""
        self.cases += 1
        if theirs.failed_to_filter:
            self.outcomes["failed_to_filter"] += 1
            return
        if theirs.failure is not None:
            self.outcomes["failed"] += 1
        elif theirs.prefilter is not None:
            self.outcomes["rejected_in_prefilter"] += 1
        else:
            self.outcomes["placed" if theirs.feasible else "unschedulable"] += 1
        disputed: Counter[tuple[str, str]] = Counter()
        differing = False
        for difference in differences:
            differing = True
            self.differences[difference.kind] += 1
            if difference.part == "filter":
                disputed[difference.plugin, "pass" if difference.theirs is None else "reject"] += 1
            elif difference.part == "score":
                disputed[difference.plugin, "score"] += 1
        self.disagreeing += differing
        for name in filter_names(profile):
            rejected = len(theirs.rejections.get(name, ()))
            self._agreed(name, "reject", rejected, disputed)
            self._agreed(name, "pass", len(theirs.searched) - rejected, disputed)
        if theirs.room is not None and not differing:
            name = DefaultPreemption.name
            self._agreed(name, "pass", len(theirs.room.candidates), disputed)
            self._agreed(name, "reject", not theirs.room.candidates, disputed)
        if not differing:
            # Nodes left out by PreFilter show in the feasible set and the message, which agree.
            for name, nodes in theirs.narrowed.items():
                self._agreed(name, "reject", nodes, disputed)
        for name, scores in theirs.scores.items():
            self._agreed(name, "score", sum(score != NO_SCORE for score in scores.values()), disputed)

    def untested(self, profile: Profile) -> tuple[str, ...]:
        """Say which plugins the cases so far have not put to the test; nothing while there are few."""
        if self.cases < ENOUGH_CASES:
            return ()
        wanted = [(name, verdict) for name in filter_names(profile) for verdict in ("pass", "reject")]
        wanted += [(name, "score") for name in score_names(profile)]
        if profile.preemption is not None:
            wanted += [(profile.preemption.name, verdict) for verdict in ("pass", "reject")]
        # Whether the two agree on it is another question.
        disputed = {plugin for _, plugin in self.differences}
        return tuple(
            f"{plugin} never gave a {verdict}"
            for plugin, verdict in wanted
            if not self.verdicts[plugin, verdict] and plugin not in disputed
        )

    def _agreed(self, plugin: str, verdict: str, count: int, disputed: Counter[tuple[str, str]]) -> None:
        agreed = count - disputed[plugin, verdict]
        if agreed > 0:
            self.verdicts[plugin, verdict] += agreed
