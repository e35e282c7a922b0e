"""MLSchedulerPolicy: which pods a policy selects, and how their nodes are scored.

Owns the meaning of the custom resource: its defaults, its bounds and its validation. The operator and
`hydatis policy validate` parse manifests here; the decision core asks `select_policy` for each pod. Invariants: a
`Policy` is complete, valid and immutable; `parse_policy` returns one or raises PolicyInvalid with every error, whatever
it is given; it refuses everything that the schema in crds/mlschedulerpolicies.hydatis.io.yaml refuses.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any

from hydatis.scheduler.ensemble_weights import EnsembleWeights, read_ensemble
from hydatis.scheduler.field_errors import FieldError, FieldReader, FieldsInvalid, described, keyed, quoted
from hydatis.scheduler.label_selectors import EVERYTHING, LabelSelector, is_dns_label, is_dns_subdomain
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.plugin_args import SCORING_ONLY, PluginArgs, read_plugin_args
from hydatis.scheduler.policy_mode import PolicyMode

__all__ = [
    "API_VERSION",
    "BUILT_IN_POLICY",
    "GROUP",
    "KIND",
    "PLURAL",
    "POLICY_ANNOTATION",
    "SCORE_PLUGIN_WEIGHTS",
    "VERSION",
    "EnsembleWeights",
    "FieldError",
    "Heuristic",
    "PodSelector",
    "Policy",
    "PolicyInvalid",
    "PolicyMode",
    "parse_policy",
    "select_policy",
]

GROUP = "hydatis.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "MLSchedulerPolicy"
PLURAL = "mlschedulerpolicies"

POLICY_ANNOTATION = "hydatis.io/policy"
"""The pod annotation that names the pod's policy and so overrides all selectors and priorities."""

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

WEIGHT_MAX = 100
"""Largest weight of a score plugin. Weights only count relative to each other, so two digits are enough."""

NAMESPACES_MAX = 256
"""Most namespaces that a policy lists by name; beyond that, a namespace selector is the better tool."""

SCHEDULER_NAMES_MAX = 16
"""Most scheduler names that a policy lists; an operator has one or a few."""

SELECTOR_ITEMS_MAX = 64
"""Most labels, expressions and values of one expression; bounds the cost of the API server's validation rules."""

PLUGIN_WEIGHTS_MAX = 64
"""Most entries of the map of plugin weights: more than there will be plugins."""

SCORE_PLUGIN_WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "VolumeBinding": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }
)
"""The score plugins there are, with their default weights, which are kube-scheduler's own.

Source: pkg/scheduler/apis/config/v1/default_plugins.go of Kubernetes 1.37.
"""


class Heuristic(StrEnum):
    """How nodes are scored without any model."""

    KUBE_SCHEDULER = "KubeScheduler"
    """kube-scheduler's score plugins, each multiplied by the policy's weight for it."""
    LEAST_ALLOCATED = "LeastAllocated"
    """NodeResourcesFit alone, which prefers the nodes with the most room: spreads."""
    MOST_ALLOCATED = "MostAllocated"
    """NodeResourcesFit alone, which prefers the nodes with the least room: packs."""


class PolicyInvalid(FieldsInvalid):
    """A manifest is no valid MLSchedulerPolicy; `errors` holds every FieldError."""


@dataclass(frozen=True, slots=True)
class PodSelector:
    """The pods a policy is for: those that all four parts select. The empty selector selects every pod."""

    namespaces: frozenset[str] = frozenset()
    """Names of the namespaces; empty: every namespace. Excludes `namespace_selector`."""
    namespace_selector: LabelSelector = EVERYTHING
    """Labels of the namespaces; default: every namespace."""
    pod_selector: LabelSelector = EVERYTHING
    """Labels of the pods; default: every pod."""
    scheduler_names: frozenset[str] = frozenset()
    """Scheduler names of the pods; empty: every name that HYDATIS schedules for."""

    def matches(
        self,
        namespace: str,
        namespace_labels: Mapping[str, str],
        pod_labels: Mapping[str, str],
        scheduler_name: str,
    ) -> bool:
        """Whether a pod with these labels and this scheduler name, in this namespace, is selected."""
        return (
            (not self.scheduler_names or scheduler_name in self.scheduler_names)
            and (not self.namespaces or namespace in self.namespaces)
            and self.namespace_selector.matches(namespace_labels)
            and self.pod_selector.matches(pod_labels)
        )


@dataclass(frozen=True)
class Policy:
    """One MLSchedulerPolicy that is valid, with every default filled in."""

    name: str
    """The name of the object; the policies of one cluster are told apart by it."""
    generation: int = 0
    """metadata.generation of the spec this was parsed from; 0 for a manifest that no API server has seen."""
    priority: int = 0
    """int32; of the policies that select a pod, the one with the highest is used."""
    selector: PodSelector = PodSelector()
    """The pods this policy is for; default: every pod."""
    heuristic: Heuristic = Heuristic.KUBE_SCHEDULER
    """Scores the nodes when no model does."""
    plugin_weights: Mapping[str, int] = field(default_factory=dict[str, int], hash=False)
    """Score plugin to weight, 0-100, 0: off. Read-only and complete: the plugins not given have their defaults."""

    plugin_args: PluginArgs = field(default_factory=PluginArgs)
    """Those of NodeAffinity and PodTopologySpread also say which nodes can run the pods."""
    mode: PolicyMode = PolicyMode.AUTO
    """What the policy asks for; `mode_with` says what it gets."""
    ensemble: EnsembleWeights | None = None
    """What scores the nodes when its models are there; None: nothing but the heuristic does."""

    def __post_init__(self) -> None:
        complete = MappingProxyType({**SCORE_PLUGIN_WEIGHTS, **self.plugin_weights})
        object.__setattr__(self, "plugin_weights", complete)

    def mode_with(self, models: Mapping[str, Model]) -> PolicyMode:
        """Return what happens under the policy while these models are loaded: ENSEMBLE, FALLBACK, SHADOW or PAUSED."""
        if self.mode in (PolicyMode.PAUSED, PolicyMode.FALLBACK):
            return self.mode
        if self.ensemble is None or self.ensemble.usable_with(models) is None:
            return PolicyMode.FALLBACK
        return PolicyMode.SHADOW if self.mode is PolicyMode.SHADOW else PolicyMode.ENSEMBLE

    @cached_property
    def as_if_it_counted(self) -> "Policy":
        """The same policy in mode AUTO: how nodes would be scored if the ensemble of a SHADOW decided."""
        return replace(self, mode=PolicyMode.AUTO)

    def names_model(self, name: str) -> bool:
        """Whether the ensemble names the MLModel of this name, whatever its weight."""
        return self.ensemble is not None and any(part.model == name for part in self.ensemble.model_parts())


BUILT_IN_POLICY = Policy(name="built-in", priority=INT32_MIN)
"""In force for the pods that no other policy selects: kube-scheduler's score plugins with their default weights."""


def select_policy(
    policies: Iterable[Policy],
    *,
    namespace: str,
    namespace_labels: Mapping[str, str],
    pod_labels: Mapping[str, str],
    pod_annotations: Mapping[str, str],
    scheduler_name: str,
) -> Policy:
    """The policy for a pod, whatever the order of `policies`.

    The policy that the pod's annotation `hydatis.io/policy` names, if there is one of that name; else, of those that
    select the pod, the one with the highest priority, and of equals the first by name; else `BUILT_IN_POLICY`.
    """
    named = pod_annotations.get(POLICY_ANNOTATION)
    best: Policy | None = None
    for policy in policies:
        if policy.name == named:
            return policy
        if best is not None and (-policy.priority, policy.name) > (-best.priority, best.name):
            continue
        if policy.selector.matches(namespace, namespace_labels, pod_labels, scheduler_name):
            best = policy
    return BUILT_IN_POLICY if best is None else best


def parse_policy(manifest: Mapping[str, Any]) -> Policy:
    """Reads a decoded MLSchedulerPolicy and fills in the defaults.

    `manifest` is the whole object, with apiVersion, kind, metadata.name and spec; metadata.generation may be absent.
    Raises PolicyInvalid, with every error and its path, and nothing else.
    """
    reader = FieldReader()
    fields = reader.fields(manifest, "", ("apiVersion", "kind", "metadata", "spec", "status"))
    _check_type(reader, fields)
    name, generation = _read_metadata(reader, fields)
    if "spec" not in fields:
        reader.refuse("spec", "is missing", "add it; `spec: {}` selects every pod and keeps every default")
    spec = reader.fields(
        fields.get("spec"),
        "spec",
        ("selector", "priority", "mode", "ensemble", "pluginWeights", "pluginArgs", "fallback"),
    )
    selector = _read_selector(reader, spec.get("selector"), "spec.selector")
    priority = reader.integer(spec.get("priority", 0), "spec.priority", minimum=INT32_MIN, maximum=INT32_MAX)
    mode = _read_mode(reader, spec, "spec.mode")
    ensemble = read_ensemble(reader, spec.get("ensemble"), "spec.ensemble")
    weights = _read_plugin_weights(reader, spec.get("pluginWeights"), "spec.pluginWeights")
    args = read_plugin_args(reader, spec.get("pluginArgs"), "spec.pluginArgs")
    fallback = reader.fields(spec.get("fallback"), "spec.fallback", ("heuristic",))
    heuristic = _read_heuristic(reader, fallback, "spec.fallback.heuristic")
    policy = Policy(name, generation, priority or 0, selector, heuristic, weights, args, mode, ensemble)
    if ensemble is None and mode in (PolicyMode.ENSEMBLE, PolicyMode.SHADOW) and "ensemble" not in spec:
        remedy = "add spec.ensemble with at least one part, or choose another mode"
        reader.refuse("spec.mode", f"is {mode}, and there is no ensemble", remedy)
    if heuristic is Heuristic.KUBE_SCHEDULER and not any(policy.plugin_weights.values()):
        reader.refuse(
            "spec.pluginWeights",
            f"are all 0, so that the heuristic {heuristic} has nothing to score with",
            "give at least one plugin a weight above 0, or choose another spec.fallback.heuristic",
        )
    given = spec.get("pluginArgs")
    for plugin in SCORING_ONLY:
        if isinstance(given, Mapping) and given.get(plugin) is not None and heuristic is not Heuristic.KUBE_SCHEDULER:
            reader.refuse(
                f"spec.pluginArgs.{plugin}",
                f"has no effect with the heuristic {heuristic}",
                f"remove it, or choose the spec.fallback.heuristic {Heuristic.KUBE_SCHEDULER}",
            )
    if reader.errors:
        raise PolicyInvalid(reader.errors)
    return policy


def _check_type(reader: FieldReader, fields: Mapping[str, object]) -> None:
    for path, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        if path not in fields:
            reader.refuse(path, "is missing", f"write {path}: {expected}")
        elif fields[path] != expected:
            reader.refuse(path, f"is {described(fields[path])}", f"write {path}: {expected}")


def _read_metadata(reader: FieldReader, fields: Mapping[str, object]) -> tuple[str, int]:
    metadata = reader.entries(fields.get("metadata"), "metadata")
    value = metadata.get("name")
    name = None
    if value is None:
        reader.refuse("metadata.name", "is missing", "name the policy")
    else:
        name = reader.text(value, "metadata.name")
    if name is not None and not is_dns_subdomain(name):
        remedy = (
            "use at most 253 lowercase letters, digits, '-' and '.', with a letter or digit at both ends of each part"
        )
        reader.refuse("metadata.name", f"is {quoted(name)}, which is no valid name", remedy)
    if name == BUILT_IN_POLICY.name:
        reader.refuse(
            "metadata.name", f"is {quoted(name)}, the name of HYDATIS' own default policy", "choose another name"
        )
    generation = metadata.get("generation")
    number = None
    if generation is not None:
        number = reader.integer(generation, "metadata.generation", minimum=0, maximum=2**63 - 1)
    return name or "", number or 0


def _read_selector(reader: FieldReader, value: object, path: str) -> PodSelector:
    fields = reader.fields(value, path, ("namespaces", "namespaceSelector", "podSelector", "schedulerNames"))
    if "namespaces" in fields and "namespaceSelector" in fields:
        problem = "has both namespaces and namespaceSelector"
        reader.refuse(path, problem, "keep one: the names of the namespaces, or a selector for their labels")
    return PodSelector(
        namespaces=_read_names(reader, fields.get("namespaces"), f"{path}.namespaces", _NAMESPACES),
        namespace_selector=_read_label_selector(reader, fields, "namespaceSelector", path),
        pod_selector=_read_label_selector(reader, fields, "podSelector", path),
        scheduler_names=_read_names(reader, fields.get("schedulerNames"), f"{path}.schedulerNames", _SCHEDULER_NAMES),
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """What a list of names is about, and which names are good."""

    kind: str
    at_most: int
    is_valid: Callable[[str], bool]
    syntax: str


_NAMESPACES = _Names(
    "namespace",
    NAMESPACES_MAX,
    is_dns_label,
    "use at most 63 lowercase letters, digits and '-', with a letter or digit at both ends",
)
_SCHEDULER_NAMES = _Names(
    "scheduler",
    SCHEDULER_NAMES_MAX,
    is_dns_subdomain,
    "use at most 253 lowercase letters, digits, '-' and '.', with a letter or digit at both ends of each part",
)


def _read_names(reader: FieldReader, value: object, path: str, names: _Names) -> frozenset[str]:
    kind = names.kind
    if isinstance(value, list | tuple) and not value:
        reader.refuse(path, "is empty", f"list at least one {kind}, or remove the field to select every {kind}")
    known: dict[str, int] = {}
    for index, item in enumerate(reader.items(value, path, max_items=names.at_most)):
        item_path = f"{path}[{index}]"
        name = reader.text(item, item_path)
        if name is None:
            continue
        if not names.is_valid(name):
            reader.refuse(item_path, f"is {quoted(name)}, which is no valid name of a {kind}", names.syntax)
        elif name in known:
            reader.refuse(item_path, f"repeats {path}[{known[name]}], {quoted(name)}", f"list each {kind} once")
        known.setdefault(name, index)
    return frozenset(known)


def _read_label_selector(reader: FieldReader, fields: Mapping[str, object], name: str, path: str) -> LabelSelector:
    if name not in fields:
        return EVERYTHING
    try:
        return LabelSelector.parse(fields[name], f"{path}.{name}", max_items=SELECTOR_ITEMS_MAX)
    except FieldsInvalid as invalid:
        reader.errors.extend(invalid.errors)
        return EVERYTHING


def _read_plugin_weights(reader: FieldReader, value: object, path: str) -> dict[str, int]:
    weights = {}
    for plugin, entry in reader.entries(value, path, max_items=PLUGIN_WEIGHTS_MAX).items():
        entry_path = keyed(path, plugin)
        if plugin not in SCORE_PLUGIN_WEIGHTS:
            reader.refuse(entry_path, "is no score plugin", f"use one of {', '.join(SCORE_PLUGIN_WEIGHTS)}")
            continue
        weight = reader.integer(entry, entry_path, minimum=0, maximum=WEIGHT_MAX)
        if weight is not None:
            weights[plugin] = weight
    return weights


def _read_heuristic(reader: FieldReader, fallback: Mapping[str, object], path: str) -> Heuristic:
    value = fallback.get("heuristic", Heuristic.KUBE_SCHEDULER)
    if isinstance(value, str) and value in Heuristic.__members__.values():
        return Heuristic(value)
    reader.refuse(path, f"is {described(value)}, which is no heuristic", f"use one of {', '.join(Heuristic)}")
    return Heuristic.KUBE_SCHEDULER


def _read_mode(reader: FieldReader, spec: Mapping[str, object], path: str) -> PolicyMode:
    value = spec.get("mode", PolicyMode.AUTO)
    if isinstance(value, str) and value in PolicyMode.__members__.values():
        return PolicyMode(value)
    reader.refuse(path, f"is {described(value)}, which is no mode", f"use one of {', '.join(PolicyMode)}")
    return PolicyMode.AUTO
