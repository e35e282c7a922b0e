"""Patterns that pods match: the namespaces and labels of an affinity term or a spread constraint.

Semantics of k8s.io/kube-scheduler framework/types.go, AffinityTerm: a pattern without namespaces and without a
namespace selector means the namespace of the pod that states it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydatis.scheduler.field_errors import FieldsInvalid
from hydatis.scheduler.label_selectors import LabelSelector
from hydatis.scheduler.pod_identity import PodIdentity

NOTHING = LabelSelector(None)

NamespaceLabels = Mapping[str, Mapping[str, str]]
"""Labels of every namespace, by name."""


@dataclass(frozen=True, slots=True)
class PodPattern:
    """Pods in some namespaces with some labels."""

    namespaces: frozenset[str]
    namespace_selector: LabelSelector
    selector: LabelSelector

    def matches(self, pod: PodIdentity, namespaces: NamespaceLabels) -> bool:
        """Tell whether the pod is meant."""
        if pod.namespace in self.namespaces or self.namespace_selector.matches(namespaces.get(pod.namespace, {})):
            return self.selector.matches(pod.labels)
        return False


@dataclass(frozen=True, slots=True)
class AffinityTerm:
    """A pattern of pods and the node label whose value says how near."""

    pattern: PodPattern
    topology_key: str


@dataclass(frozen=True, slots=True)
class WeightedTerm:
    """A term that attracts (weight above 0) or repels (below 0)."""

    weight: int
    term: AffinityTerm


def parse_selector(manifest: Any) -> LabelSelector:
    """Read a label selector of a pod; one that is malformed, which the API server does not admit, matches nothing."""
    try:
        return LabelSelector.parse(manifest, "labelSelector")
    except FieldsInvalid:
        return NOTHING


@dataclass(frozen=True, slots=True)
class PodAffinity:
    """A pod's own inter-pod affinity, in the terms of its own namespace."""

    required: tuple[AffinityTerm, ...] = ()
    forbidden: tuple[AffinityTerm, ...] = ()
    """Required anti-affinity."""
    preferred: tuple[WeightedTerm, ...] = ()
    """Preferred affinity and, with negative weights, preferred anti-affinity."""

    def __bool__(self) -> bool:
        return bool(self.required or self.forbidden or self.preferred)

    @classmethod
    def parse(cls, affinity: Mapping[str, Any], namespace: str) -> "PodAffinity":
        """Read `spec.affinity` of a pod in `namespace`."""
        towards = affinity.get("podAffinity") or {}
        away = affinity.get("podAntiAffinity") or {}
        required, preferred = (
            "requiredDuringSchedulingIgnoredDuringExecution",
            "preferredDuringSchedulingIgnoredDuringExecution",
        )
        return cls(
            tuple(_term(term, namespace) for term in towards.get(required) or ()),
            tuple(_term(term, namespace) for term in away.get(required) or ()),
            tuple(
                WeightedTerm(sign * entry["weight"], _term(entry.get("podAffinityTerm") or {}, namespace))
                for sign, kind in ((1, towards), (-1, away))
                for entry in kind.get(preferred) or ()
            ),
        )


def _term(manifest: Mapping[str, Any], namespace: str) -> AffinityTerm:
    named = manifest.get("namespaces") or ()
    by_labels = manifest.get("namespaceSelector")
    namespaces = frozenset(named) if named or by_labels is not None else frozenset({namespace})
    pattern = PodPattern(namespaces, parse_selector(by_labels), parse_selector(manifest.get("labelSelector")))
    return AffinityTerm(pattern, manifest.get("topologyKey", ""))
