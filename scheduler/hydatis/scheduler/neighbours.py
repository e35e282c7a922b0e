"""What a pod has to heed of the pods around it: its own affinity and spread constraints, and the terms of pods that
run.

Made for a class of like pods from the counters of `placed_pods`; valid until `PlacedPods.version` changes. Most pods
heed nothing, and then the plugins that look across nodes are not asked.
"""

from dataclasses import dataclass, field

from hydatis.scheduler.placed_pods import CountedPods, PlacedPods, PodCounter
from hydatis.scheduler.pod_identity import PodIdentity
from hydatis.scheduler.pod_patterns import PodAffinity, PodPattern
from hydatis.scheduler.spread_constraints import SpreadConstraint, SpreadConstraints


@dataclass(frozen=True, slots=True)
class Spread:
    """A spread constraint and the pods it counts."""

    constraint: SpreadConstraint
    counter: PodCounter
    counts_itself: bool
    """Whether the pod is one of those it counts."""


@dataclass(frozen=True, slots=True)
class Near:
    """Pods that count by their topology domain."""

    topology_key: str
    counter: PodCounter


@dataclass(frozen=True, slots=True)
class Pull:
    """Pods that draw near (weight above 0) or push away (below 0)."""

    weight: int
    near: Near


@dataclass(frozen=True)
class Neighbours:
    """Everything about other pods that bears on where a class of pods may go."""

    required_spread: tuple[Spread, ...] = ()
    preferred_spread: tuple[Spread, ...] = ()
    spread_by_default: bool = False
    """Whether the preferred spread is not the pod's own wish, and so holds on nodes without a label, too."""
    required_near: tuple[Near, ...] = ()
    """One entry for each required affinity term; all have the same counter, of pods that match every term."""
    may_be_first: bool = False
    """Whether the pod matches its own required affinity, so that it may go anywhere while no other pod does."""
    forbidden_near: tuple[Near, ...] = ()
    """Its own required anti-affinity."""
    forbidden_by: tuple[Near, ...] = ()
    """Required anti-affinity of running pods that speaks of it."""
    pulls: tuple[Pull, ...] = field(default=())
    """Preferences, its own and those of running pods."""

    def __bool__(self) -> bool:
        return bool(
            self.required_spread
            or self.preferred_spread
            or self.required_near
            or self.forbidden_near
            or self.forbidden_by
            or self.pulls
        )


def find_neighbours(
    pod: PodIdentity,
    affinity: PodAffinity,
    spread: SpreadConstraints,
    placed: PlacedPods,
    *,
    by_system: bool,
) -> Neighbours:
    """Look up everything that a pod of this identity has to heed. `by_system`: nobody asked for the spread."""
    # A pod that is to be placed is not terminating, so its own terms see it as it is.
    carried = list(placed.carried_terms(pod))
    own = [Pull(t.weight, Near(t.term.topology_key, _counter(placed, t.term.pattern))) for t in affinity.preferred]
    others = [Pull(term.weight, Near(term.term.topology_key, counter)) for term, counter in carried if term.weight]
    return Neighbours(
        required_spread=tuple(_spread(constraint, pod, placed) for constraint in spread.required),
        preferred_spread=tuple(_spread(constraint, pod, placed) for constraint in spread.preferred),
        spread_by_default=by_system,
        required_near=_required_near(affinity, placed),
        may_be_first=all(term.pattern.matches(pod, placed.namespaces) for term in affinity.required),
        forbidden_near=tuple(Near(term.topology_key, _counter(placed, term.pattern)) for term in affinity.forbidden),
        forbidden_by=tuple(Near(term.term.topology_key, counter) for term, counter in carried if not term.weight),
        pulls=(*own, *others),
    )


def _spread(constraint: SpreadConstraint, pod: PodIdentity, placed: PlacedPods) -> Spread:
    pattern = constraint.pattern(pod)
    counter = placed.counter(CountedPods((pattern,), terminating_too=False))
    # An empty selector counts no pod, but kube-scheduler takes the pod itself for one of them.
    return Spread(constraint, counter, constraint.selector.matches(pod.labels))


def _required_near(affinity: PodAffinity, placed: PlacedPods) -> tuple[Near, ...]:
    if not affinity.required:
        return ()
    patterns = tuple(term.pattern for term in affinity.required)
    counter = placed.counter(CountedPods(patterns, terminating_too=True))
    return tuple(Near(term.topology_key, counter) for term in affinity.required)


def _counter(placed: PlacedPods, pattern: PodPattern) -> PodCounter:
    return placed.counter(CountedPods((pattern,), terminating_too=True))
