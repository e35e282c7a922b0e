"""Placed pods that keep others away from their topology domain by required anti-affinity.

kube-scheduler honours the anti-affinity of pods that already run, not only that of the pod to place. Until the
InterPodAffinity plugin is here, a pod that such a rule speaks of waits, instead of being placed where the rule may
forbid it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.field_errors import FieldsInvalid
from hydatis.scheduler.label_selectors import LabelSelector


@dataclass(frozen=True, slots=True)
class _Term:
    namespaces: frozenset[str] | None
    """None: a selector of namespaces by their labels, taken as «any» to be on the safe side."""
    selector: LabelSelector

    def matches(self, namespace: str, labels: Mapping[str, str]) -> bool:
        return (self.namespaces is None or namespace in self.namespaces) and self.selector.matches(labels)


class ExistingAntiAffinity:
    """The required anti-affinity terms of the placed pods."""

    def __init__(self) -> None:
        self._terms: dict[str, tuple[PodReference, tuple[_Term, ...]]] = {}
        self.departures = 0
        """How many pods with such terms have left; a pod that waits for one of them is worth another try when this
        grows.
        """

    def add(self, pod: PodReference, spec: Mapping[str, Any]) -> None:
        """Note a placed pod's terms, if it has any."""
        affinity = (spec.get("affinity") or {}).get("podAntiAffinity") or {}
        manifests = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
        if manifests and pod.uid not in self._terms:
            self._terms[pod.uid] = (pod, tuple(_parse(term, pod.namespace) for term in manifests))

    def remove(self, uid: str) -> None:
        """Forget a pod that left."""
        if self._terms.pop(uid, None) is not None:
            self.departures += 1

    def match(self, namespace: str, labels: Mapping[str, str]) -> PodReference | None:
        """Return a placed pod whose anti-affinity speaks of a pod with these labels, if there is one."""
        for pod, terms in self._terms.values():
            if any(term.matches(namespace, labels) for term in terms):
                return pod
        return None


def _parse(manifest: Mapping[str, Any], own_namespace: str) -> _Term:
    try:
        selector = LabelSelector.parse(manifest.get("labelSelector"), "labelSelector")
    except FieldsInvalid:
        # The API server admits only valid selectors; should one still be unreadable, nothing is known to be safe from
        # it.
        selector = LabelSelector()
    if manifest.get("namespaceSelector") is not None:
        return _Term(None, selector)
    return _Term(frozenset(manifest.get("namespaces") or (own_namespace,)), selector)
