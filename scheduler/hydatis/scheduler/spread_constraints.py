"""Topology spread constraints of a pod (kubernetes plugins/podtopologyspread/common.go)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydatis.scheduler.label_selectors import EVERYTHING, LabelSelector, Operator, Requirement
from hydatis.scheduler.pod_identity import PodIdentity
from hydatis.scheduler.pod_patterns import NOTHING, PodPattern, parse_selector


@dataclass(frozen=True, slots=True)
class SpreadConstraint:
    """How evenly pods like this one are to be spread over the values of a node label."""

    topology_key: str
    max_skew: int
    """Largest difference in pods between a domain and the emptiest, at least 1."""
    min_domains: int
    """With fewer domains than this, the emptiest counts as empty."""
    honor_affinity: bool
    """Count only nodes that the pod's node selector and affinity allow."""
    honor_taints: bool
    """Count only nodes whose taints the pod tolerates."""
    selector: LabelSelector

    def pattern(self, pod: PodIdentity) -> PodPattern:
        """Which pods are counted: those of the pod's own namespace that the selector matches; an empty selector
        counts none.
        """
        selector = NOTHING if self.selector == EVERYTHING else self.selector
        return PodPattern(frozenset({pod.namespace}), NOTHING, selector)


@dataclass(frozen=True, slots=True)
class SpreadConstraints:
    """A pod's constraints by what happens when they cannot be met."""

    required: tuple[SpreadConstraint, ...] = ()
    """DoNotSchedule."""
    preferred: tuple[SpreadConstraint, ...] = ()
    """ScheduleAnyway."""

    def __bool__(self) -> bool:
        return bool(self.required or self.preferred)

    @classmethod
    def parse(cls, manifests: Any, pod: PodIdentity) -> "SpreadConstraints":
        """Read `spec.topologySpreadConstraints` of a pod."""
        required: list[SpreadConstraint] = []
        preferred: list[SpreadConstraint] = []
        for manifest in manifests or ():
            kind = preferred if manifest.get("whenUnsatisfiable") == "ScheduleAnyway" else required
            kind.append(_parse(manifest, pod))
        return cls(tuple(required), tuple(preferred))


def default_constraints(selector: LabelSelector) -> tuple[SpreadConstraint, ...]:
    """Return how pods that state no constraint are spread (plugins/podtopologyspread/plugin.go,
    systemDefaultConstraints).
    """
    return tuple(
        SpreadConstraint(key, skew, min_domains=1, honor_affinity=True, honor_taints=False, selector=selector)
        for key, skew in (("kubernetes.io/hostname", 3), ("topology.kubernetes.io/zone", 5))
    )


def _parse(manifest: Mapping[str, Any], pod: PodIdentity) -> SpreadConstraint:
    selector = parse_selector(manifest.get("labelSelector"))
    keys = [key for key in manifest.get("matchLabelKeys") or () if key in pod.labels]
    if keys and selector.requirements is not None:
        own = [Requirement(key, Operator.IN, frozenset({pod.labels[key]})) for key in keys]
        selector = LabelSelector((*own, *selector.requirements))
    return SpreadConstraint(
        topology_key=manifest.get("topologyKey", ""),
        max_skew=manifest.get("maxSkew", 1),
        min_domains=manifest.get("minDomains") or 1,
        honor_affinity=(manifest.get("nodeAffinityPolicy") or "Honor") == "Honor",
        honor_taints=manifest.get("nodeTaintsPolicy") == "Honor",
        selector=selector,
    )
