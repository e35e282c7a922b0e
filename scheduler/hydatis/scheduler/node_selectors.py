"""Node selectors: `nodeSelector` and the terms of node affinity, matched against many nodes at once.

Semantics of component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go`: terms are ORed, a term's requirements
ANDed, an empty term matches nothing, and a term that cannot be parsed matches nothing without spoiling the others.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.label_selectors import is_label_value
from hydatis.scheduler.node_labels import NodeLabels

_INTEGER = re.compile(r"[+-]?\d{1,19}")
_NAME_FIELD: Final = "metadata.name"


def _integer(text: str) -> int | None:
    """Read what Go's strconv.ParseInt(text, 10, 64) reads."""
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


@dataclass(frozen=True, slots=True)
class LabelRequirement:
    """One condition on a node label: In, NotIn, Exists, DoesNotExist, Gt or Lt."""

    key: str
    operator: str
    values: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether Kubernetes could parse it (labels.NewRequirement)."""
        if not all(map(is_label_value, self.values)):
            return False
        match self.operator:
            case "In" | "NotIn":
                return bool(self.values)
            case "Exists" | "DoesNotExist":
                return not self.values
            case "Gt" | "Lt":
                return len(self.values) == 1 and _integer(self.values[0]) is not None
        return False

    def matches(self, labels: NodeLabels, rows: Rows) -> BoolArray:
        """Return one verdict a row. The requirement must be valid."""
        match self.operator:
            case "Exists":
                return labels.present(self.key, rows)
            case "DoesNotExist":
                return ~labels.present(self.key, rows)
            case "In":
                return labels.any_of(self.key, self.values, rows)
            case "NotIn":
                return ~labels.any_of(self.key, self.values, rows)
        bound = _integer(self.values[0])
        assert bound is not None  # noqa: S101  `valid` has been asked before
        greater = self.operator == "Gt"

        def holds(text: str) -> bool:
            number = _integer(text)
            return number is not None and (number > bound if greater else number < bound)

        return labels.where(self.key, holds, rows)


@dataclass(frozen=True, slots=True)
class NameRequirement:
    """One condition on the node's name, from `matchFields`."""

    operator: str
    names: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Kubernetes takes In and NotIn with exactly one value."""
        return self.operator in {"In", "NotIn"} and len(self.names) == 1

    def matches(self, labels: NodeLabels, rows: Rows) -> BoolArray:
        """Return one verdict a row. The requirement must be valid."""
        same = labels.named(self.names[0], rows)
        return same if self.operator == "In" else ~same


@dataclass(frozen=True, slots=True)
class NodeSelectorTerm:
    """Requirements that a node must meet all together."""

    labels: tuple[LabelRequirement, ...]
    fields: tuple[NameRequirement, ...]
    valid: bool
    """False for a term that is empty or that Kubernetes cannot parse; it matches no node."""

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "NodeSelectorTerm":
        """Read one term."""
        expressions = manifest.get("matchExpressions") or ()
        match_fields = manifest.get("matchFields") or ()
        labels = tuple(
            LabelRequirement(e.get("key", ""), e.get("operator", ""), tuple(e.get("values") or ())) for e in expressions
        )
        fields = tuple(NameRequirement(f.get("operator", ""), tuple(f.get("values") or ())) for f in match_fields)
        known_fields = all(f.get("key") == _NAME_FIELD for f in match_fields)
        empty = not expressions and not match_fields
        valid = not empty and known_fields and all(r.valid for r in labels) and all(r.valid for r in fields)
        return cls(labels, fields, valid)

    def matches(self, labels: NodeLabels, rows: Rows) -> BoolArray:
        """Return one verdict a row."""
        verdicts = np.full(len(rows), self.valid)
        if self.valid:
            for requirement in self.labels:
                verdicts &= requirement.matches(labels, rows)
            for field in self.fields:
                verdicts &= field.matches(labels, rows)
        return verdicts

    def node_names(self) -> frozenset[str] | None:
        """Return the only node names this term can match; None when it does not speak of names."""
        sets = [frozenset(field.names) for field in self.fields if field.operator == "In"]
        return frozenset.intersection(*sets) if sets else None


@dataclass(frozen=True, slots=True)
class RequiredNodeAffinity:
    """What a node must satisfy: `nodeSelector` and, when given, any of the required terms."""

    node_selector: tuple[LabelRequirement, ...]
    terms: tuple[NodeSelectorTerm, ...] | None
    """None when the pod states no required node affinity; an empty tuple matches no node."""

    @classmethod
    def parse(cls, spec: Mapping[str, Any]) -> "RequiredNodeAffinity":
        """Read it from a pod's specification."""
        selector = tuple(LabelRequirement(k, "In", (v,)) for k, v in (spec.get("nodeSelector") or {}).items())
        node_affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
        required = node_affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
        if required is None:
            return cls(selector, None)
        return cls(selector, tuple(map(NodeSelectorTerm.parse, required.get("nodeSelectorTerms") or ())))

    def __bool__(self) -> bool:
        return bool(self.node_selector) or self.terms is not None

    def matches(self, labels: NodeLabels, rows: Rows) -> BoolArray:
        """Return one verdict a row."""
        verdicts = np.ones(len(rows), dtype=np.bool_)
        for requirement in self.node_selector:
            verdicts &= requirement.matches(labels, rows)
        if self.terms is not None:
            any_term = np.zeros_like(verdicts)
            for term in self.terms:
                any_term |= term.matches(labels, rows)
            verdicts &= any_term
        return verdicts

    def node_names(self) -> frozenset[str] | None:
        """Return the only nodes that can match, when every term names its nodes; None when any node may.

        An empty set means that the terms contradict themselves.
        """
        if not self.terms:
            return None
        names: frozenset[str] = frozenset()
        for term in self.terms:
            term_names = term.node_names()
            if term_names is None:
                return None
            names |= term_names
        return names


@dataclass(frozen=True, slots=True)
class PreferredTerm:
    """A preference for nodes that match a term; weight 1-100."""

    weight: int
    term: NodeSelectorTerm


@dataclass(frozen=True, slots=True)
class AddedAffinity:
    """Node affinity that a scheduler adds to that of every pod."""

    required: tuple[NodeSelectorTerm, ...] | None = None
    """A node must match one of them; None: any node will do."""
    preferred: tuple[PreferredTerm, ...] = ()

    def matches(self, labels: NodeLabels, rows: Rows) -> BoolArray:
        """Return one verdict a row."""
        return RequiredNodeAffinity((), self.required).matches(labels, rows)


def parse_preferred_terms(spec: Mapping[str, Any]) -> tuple[PreferredTerm, ...]:
    """Read the preferred node affinity, leaving out terms that are empty, without weight or not parseable."""
    node_affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    preferred = []
    for manifest in node_affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
        term = NodeSelectorTerm.parse(manifest.get("preference") or {})
        weight = manifest.get("weight") or 0
        if term.valid and weight:
            preferred.append(PreferredTerm(weight, term))
    return tuple(preferred)
