"""The unschedulable pods, by class and by the arguments of plugins that filter, and what rejected each class.

The scheduling queue owns it; `waking` looks through it. Invariants: a class is here as long as a pod of it is; for
every node, one of the plugins in `rejected_by` rejects the class there, unless something that helps against this
plugin happened since and `waking` has still to look; an empty `rejected_by` says nothing, and anything may help.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator

from hydatis.scheduler.filter_args import FilterArgs
from hydatis.scheduler.pending_pod import ParkedClass, PendingPod
from hydatis.scheduler.pod_class import PodClass


class UnschedulablePods:
    """Classes of unschedulable pods."""

    def __init__(self) -> None:
        self._classes: dict[tuple[PodClass, FilterArgs], ParkedClass] = {}
        self._by_rejection: defaultdict[frozenset[str], dict[ParkedClass, None]] = defaultdict(dict)
        self._number = 0

    def __len__(self) -> int:
        """Return how many classes there are."""
        return len(self._classes)

    def rejections(self) -> Collection[frozenset[str]]:
        """Return the sets of plugins that reject a class; they are few, however many classes there are."""
        return tuple(self._by_rejection)

    def classes_rejected_by(self, plugins: frozenset[str]) -> Iterator[ParkedClass]:
        """Yield the classes that exactly these plugins reject."""
        yield from tuple(self._by_rejection.get(plugins, ()))

    def pods(self) -> Iterator[PendingPod]:
        """Yield every pod."""
        for parked in tuple(self._classes.values()):
            yield from tuple(parked.pods.values())

    def add(self, pod: PendingPod, rejected_by: frozenset[str], args: FilterArgs) -> ParkedClass:
        """Take in a pod that these plugins, with these arguments, rejected; return where it is now."""
        key = (pod.pod_class, args)
        parked = self._classes.get(key)
        if parked is None:
            parked = self._classes[key] = ParkedClass(pod.pod_class, args, rejected_by, pod.priority)
            self._by_rejection[rejected_by][parked] = None
        else:
            known = parked.rejected_by and rejected_by
            self._set_rejected_by(parked, parked.rejected_by | rejected_by if known else frozenset())
        parked.priority = max(parked.priority, pod.priority)
        parked.pods[pod.reference.uid] = pod
        self._number += 1
        pod.parked_in, pod.parked_number = parked, self._number
        parked.turns.add(pod, len(parked.pods))
        return parked

    def remove(self, pod: PendingPod) -> None:
        """Let a pod go."""
        parked = pod.parked_in
        assert parked is not None, f"{pod.reference} is not parked"  # noqa: S101  a fault of the core itself
        pod.parked_in, pod.parked_number = None, 0
        del parked.pods[pod.reference.uid]
        if not parked.pods:
            del self._classes[parked.pod_class, parked.args]
            self._forget_rejection(parked)

    def learn(self, parked: ParkedClass, rejected_by: frozenset[str], *, everywhere: bool) -> None:
        """Note which plugins reject the class on nodes that were looked at again. Where none is known, what some nodes
        say does not tell what can help on the others.
        """
        if everywhere or parked.rejected_by:
            self._set_rejected_by(parked, parked.rejected_by | rejected_by)

    def _set_rejected_by(self, parked: ParkedClass, plugins: frozenset[str]) -> None:
        if plugins != parked.rejected_by:
            self._forget_rejection(parked)
            parked.rejected_by = plugins
            self._by_rejection[plugins][parked] = None

    def _forget_rejection(self, parked: ParkedClass) -> None:
        alike = self._by_rejection[parked.rejected_by]
        del alike[parked]
        if not alike:
            del self._by_rejection[parked.rejected_by]
