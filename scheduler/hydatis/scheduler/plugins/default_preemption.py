"""DefaultPreemption: which pods of lower priority make way, and on which node (kubernetes plugins/defaultpreemption,
framework/preemption).

The rules alone; `preempting` searches the nodes by them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

NEVER = "not eligible due to preemptionPolicy=Never."
VICTIM_TERMINATING = "not eligible due to a terminating pod on the nominated node."
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"

_ABOVE_EVERY_PRIORITY = 2**31
"""Added to each priority, so that a few pods of negative priority do not look dearer than many."""


class Victim(NamedTuple):
    """A pod that may have to go."""

    uid: str
    priority: int
    started_at: str
    """Sorts by time; the earlier a pod started, the more important it is among those of its priority."""
    turn: int = 0
    """Of pods of its node that have not started, which comes first; 0 for those that have. kube-scheduler takes each as
    started at the moment at which it looks at it (framework/preemption/types.go, NewPodVictim).
    """


class Candidate(NamedTuple):
    """A node on which a pod fits once the victims are gone."""

    row: int
    victims: tuple[Victim, ...]
    """The most important first; at least one."""
    violations: int
    """Victims whose removal breaks a PodDisruptionBudget."""


@dataclass(frozen=True, slots=True)
class DefaultPreemption:
    """PostFilter. The arguments are those of kube-scheduler's DefaultPreemptionArgs."""

    name: ClassVar[str] = "DefaultPreemption"

    minimum_candidate_nodes_percentage: int = 10
    minimum_candidate_nodes_absolute: int = 100

    def candidates_wanted(self, nodes: int) -> int:
        """Return how many candidates, out of so many nodes worth a look, are enough to choose from."""
        share = nodes * self.minimum_candidate_nodes_percentage // 100
        return min(max(share, self.minimum_candidate_nodes_absolute), nodes)

    def by_importance(self, victims: Iterable[Victim]) -> list[Victim]:
        """Sort the most important first; equals keep their order."""
        return sorted(victims, key=lambda victim: (-victim.priority, victim.started_at, victim.turn))

    def best(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Return the candidates that no rule tells apart from the best; any of them may be chosen."""
        for cost in _COSTS:
            costs = [cost(candidate) for candidate in candidates]
            lowest = min(costs)
            candidates = [candidate for candidate, its in zip(candidates, costs, strict=True) if its == lowest]
        # Among equals the one that ran for the shortest time.
        latest = max(map(_earliest_start, candidates))
        return [candidate for candidate in candidates if _earliest_start(candidate) == latest]


def _violations(candidate: Candidate) -> int:
    return candidate.violations


def _highest_priority(candidate: Candidate) -> int:
    return candidate.victims[0].priority


def _sum_of_priorities(candidate: Candidate) -> int:
    return sum(victim.priority + _ABOVE_EVERY_PRIORITY for victim in candidate.victims)


def _number_of_victims(candidate: Candidate) -> int:
    return len(candidate.victims)


_COSTS: tuple[Callable[[Candidate], int], ...] = (
    _violations,
    _highest_priority,
    _sum_of_priorities,
    _number_of_victims,
)
"""The lowest wins; each decides only between those that are equal by all before it."""


def _earliest_start(candidate: Candidate) -> str:
    highest = _highest_priority(candidate)
    return min(victim.started_at for victim in candidate.victims if victim.priority == highest)
