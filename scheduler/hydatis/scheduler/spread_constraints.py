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


@dataclass(frozen=True, slots=True)
class DefaultConstraint:
    """A constraint for pods that state none; whom it counts follows from each pod's services and controller."""

    topology_key: str
    max_skew: int
    required: bool
    """DoNotSchedule."""
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False

    def counting(self, selector: LabelSelector) -> SpreadConstraint:
        """Return the constraint on pods that the selector matches."""
        return SpreadConstraint(
            self.topology_key, self.max_skew, self.min_domains, self.honor_affinity, self.honor_taints, selector
        )


@dataclass(frozen=True, slots=True)
class SpreadDefaults:
    """How pods that state no constraint are spread."""

    constraints: tuple[DefaultConstraint, ...]
    by_system: bool
    """Whether nobody asked for them: they then hold on nodes without the labels, too."""

    def counting(self, selector: LabelSelector) -> SpreadConstraints:
        """Return the constraints on pods that the selector matches."""
        return SpreadConstraints(
            tuple(default.counting(selector) for default in self.constraints if default.required),
            tuple(default.counting(selector) for default in self.constraints if not default.required),
        )


SYSTEM_DEFAULTS = SpreadDefaults(
    (
        DefaultConstraint("kubernetes.io/hostname", 3, required=False),
        DefaultConstraint("topology.kubernetes.io/zone", 5, required=False),
    ),
    by_system=True,
)
"""kube-scheduler's own (plugins/podtopologyspread/plugin.go, systemDefaultConstraints)."""


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
