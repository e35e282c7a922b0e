"""PodDisruptionBudgets: how many pods of a kind may go at the moment.

The scheduler keeps them up to date; the search for victims prefers nodes where no budget is broken. As in
kube-scheduler (framework/preemption/util.go, FilterVictimsWithPDBViolation), a budget makes victims dearer, it does not
protect them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from hydatis.scheduler.label_selectors import LabelSelector
from hydatis.scheduler.pod_identity import PodIdentity
from hydatis.scheduler.pod_patterns import parse_selector


@dataclass(frozen=True, slots=True)
class _Budget:
    selector: LabelSelector
    disruptions_allowed: int
    disrupted_pods: frozenset[str]
    """Names of pods whose disruption is counted already."""

    def covers(self, pod: PodIdentity) -> bool:
        """Tell whether the pod counts; an empty selector covers nothing, and so does a pod without labels."""
        return bool(pod.labels and self.selector.requirements) and self.selector.matches(pod.labels)


_Pod = TypeVar("_Pod")


class DisruptionBudgets:
    """The budgets by namespace and name."""

    def __init__(self) -> None:
        self._budgets: dict[str, dict[str, _Budget]] = {}

    def set(self, manifest: Mapping[str, Any]) -> None:
        """Add or update a budget."""
        metadata, status = manifest["metadata"], manifest.get("status") or {}
        self._budgets.setdefault(metadata["namespace"], {})[metadata["name"]] = _Budget(
            parse_selector((manifest.get("spec") or {}).get("selector")),
            status.get("disruptionsAllowed") or 0,
            frozenset(status.get("disruptedPods") or ()),
        )

    def remove(self, namespace: str, name: str) -> None:
        """Forget a budget."""
        budgets = self._budgets.get(namespace, {})
        budgets.pop(name, None)
        if not budgets:
            self._budgets.pop(namespace, None)

    def violations(self, pods: Iterable[tuple[_Pod, PodIdentity, str]]) -> Iterator[tuple[_Pod, bool]]:
        """Yield each pod, given with its identity and name, and whether removing it breaks a budget, when all pods
        before it go as well.
        """
        left: dict[tuple[str, str], int] = {}
        for pod, identity, name in pods:
            violating = False
            for key, budget in self._budgets.get(identity.namespace, {}).items():
                if not budget.covers(identity) or name in budget.disrupted_pods:
                    continue
                allowed = left.get((identity.namespace, key), budget.disruptions_allowed) - 1
                left[identity.namespace, key] = allowed
                if allowed < 0:
                    violating = True
                    break
            yield pod, violating
