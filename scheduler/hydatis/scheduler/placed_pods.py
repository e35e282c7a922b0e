"""Which pods run on which rows, counted by what selectors see of them.

The cluster state owns it and keeps it up to date with every placement; the plugins that look across nodes
(InterPodAffinity, PodTopologySpread) read counters: arrays with the number of matching pods on each row. A counter is
made when a class of pods first asks for its pattern and lives as long as somebody holds it, so that a placement costs
only the counters that it matches.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from weakref import WeakValueDictionary, ref

import numpy as np

from hydatis.scheduler.arrays import Int64Array
from hydatis.scheduler.pod_identity import PodIdentity
from hydatis.scheduler.pod_patterns import AffinityTerm, NamespaceLabels, PodAffinity, PodPattern

HARD_POD_AFFINITY_WEIGHT = 1
"""What a running pod's required affinity counts for in scoring (kube-scheduler's default hardPodAffinityWeight)."""


class PodCounter:
    """Matching pods by row. `counts` is replaced when the table grows; it is not to be written by readers."""

    __slots__ = ("__weakref__", "counts")

    def __init__(self, capacity: int) -> None:
        self.counts: Int64Array = np.zeros(capacity, dtype=np.int64)

    def grow(self, capacity: int) -> None:
        """Make room for more rows."""
        self.counts = np.append(self.counts, np.zeros(capacity - len(self.counts), dtype=np.int64))


@dataclass(frozen=True, slots=True)
class CountedPods:
    """What a counter counts: pods that match every pattern."""

    patterns: tuple[PodPattern, ...]
    terminating_too: bool

    def matches(self, pod: PodIdentity, namespaces: NamespaceLabels) -> bool:
        """Tell whether the pod counts."""
        if pod.terminating and not self.terminating_too:
            return False
        return all(pattern.matches(pod, namespaces) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class CarriedTerm:
    """A term of pods that run, which speaks of pods still to come."""

    term: AffinityTerm
    weight: int
    """What it adds to the score of a pod that it speaks of; 0: it forbids that pod its topology domain."""


@dataclass(slots=True)
class _Group:
    """The placed pods of one identity."""

    identity: PodIdentity
    rows: Counter[int] = field(default_factory=Counter)
    counters: list[ref[PodCounter]] = field(default_factory=list)
    """Those that count these pods; a counter that nobody holds any more is dropped when it is next met."""

    def add(self, row: int, amount: int) -> None:
        """Count pods of this group on a row."""
        self.rows[row] += amount
        if not self.rows[row]:
            del self.rows[row]
        dropped = False
        for reference in self.counters:
            counter = reference()
            if counter is None:
                dropped = True
            else:
                counter.counts[row] += amount
        if dropped:
            self.counters = [reference for reference in self.counters if reference() is not None]


@dataclass(slots=True)
class _Carried:
    counter: PodCounter
    pods: int = 0


class PlacedPods:
    """Counts of placed pods."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._namespaces: dict[str, dict[str, str]] = {}
        self._groups: dict[PodIdentity, _Group] = {}
        self._counters: WeakValueDictionary[CountedPods, PodCounter] = WeakValueDictionary()
        self._carried: dict[CarriedTerm, _Carried] = {}
        self.version = 0
        """Grows when what a pod must heed may have changed: a new kind of term is carried, or none carries it any
        more, or a namespace changed its labels.
        """

    @property
    def namespaces(self) -> NamespaceLabels:
        """The labels of every namespace."""
        return self._namespaces

    def grow(self, capacity: int) -> None:
        """Make room for `capacity` rows."""
        self._capacity = capacity
        for counter in (*self._counters.values(), *(carried.counter for carried in self._carried.values())):
            counter.grow(capacity)

    def set_namespace(self, name: str, labels: dict[str, str] | None) -> None:
        """Set a namespace's labels, or forget it; counters that select namespaces are counted anew."""
        if self._namespaces.get(name) == labels:
            return
        if labels is None:
            del self._namespaces[name]
        else:
            self._namespaces[name] = labels
        self.version += 1
        for counted, counter in list(self._counters.items()):
            if any(pattern.namespace_selector.requirements is not None for pattern in counted.patterns):
                self._recount(counted, counter)

    def place(self, row: int, pod: PodIdentity, affinity: PodAffinity) -> None:
        """Count a pod on a row."""
        group = self._groups.get(pod)
        if group is None:
            group = self._groups[pod] = _Group(pod)
            counters = list(self._counters.items())
            group.counters = [ref(counter) for counted, counter in counters if counted.matches(pod, self._namespaces)]
        group.add(row, 1)
        for term in _carried_by(affinity):
            carried = self._carry(term)
            carried.pods += 1
            carried.counter.counts[row] += 1

    def remove(self, row: int, pod: PodIdentity, affinity: PodAffinity) -> None:
        """Stop counting a pod that was placed on the row."""
        group = self._groups[pod]
        group.add(row, -1)
        if not group.rows:
            del self._groups[pod]
        for term in _carried_by(affinity):
            self._carried[term].counter.counts[row] -= 1
            self._drop(term)

    def hold_terms(self, affinity: PodAffinity) -> None:
        """Keep the terms of a pod that is not placed, or is taken away for a moment, so that placing it changes no
        version. A term that nobody carries says nothing about any node.
        """
        for term in _carried_by(affinity):
            self._carry(term).pods += 1

    def release_terms(self, affinity: PodAffinity) -> None:
        """Undo `hold_terms`."""
        for term in _carried_by(affinity):
            self._drop(term)

    def counter(self, counted: CountedPods) -> PodCounter:
        """Return the counter of these pods; it stays up to date while it is held."""
        counter = self._counters.get(counted)
        if counter is None:
            counter = PodCounter(self._capacity)
            self._recount(counted, counter)
            self._counters[counted] = counter
        return counter

    def carried_terms(self, pod: PodIdentity) -> Iterator[tuple[CarriedTerm, PodCounter]]:
        """Yield the terms of placed pods that speak of such a pod, with the number of pods that carry each, by row."""
        for term, carried in self._carried.items():
            if term.term.pattern.matches(pod, self._namespaces):
                yield term, carried.counter

    def _carry(self, term: CarriedTerm) -> _Carried:
        carried = self._carried.get(term)
        if carried is None:
            carried = self._carried[term] = _Carried(PodCounter(self._capacity))
            self.version += 1
        return carried

    def _drop(self, term: CarriedTerm) -> None:
        carried = self._carried[term]
        carried.pods -= 1
        if not carried.pods:
            del self._carried[term]
            self.version += 1

    def _recount(self, counted: CountedPods, counter: PodCounter) -> None:
        counter.counts = np.zeros(self._capacity, dtype=np.int64)
        for group in self._groups.values():
            known = next((reference for reference in group.counters if reference() is counter), None)
            if counted.matches(group.identity, self._namespaces):
                rows = np.fromiter(group.rows.keys(), dtype=np.intp, count=len(group.rows))
                counter.counts[rows] += np.fromiter(group.rows.values(), dtype=np.int64, count=len(group.rows))
                if known is None:
                    group.counters.append(ref(counter))
            elif known is not None:
                group.counters.remove(known)


def _carried_by(affinity: PodAffinity) -> Iterator[CarriedTerm]:
    for term in affinity.forbidden:
        yield CarriedTerm(term, 0)
    for term in affinity.required:
        yield CarriedTerm(term, HARD_POD_AFFINITY_WEIGHT)
    for weighted in affinity.preferred:
        yield CarriedTerm(weighted.term, weighted.weight)
