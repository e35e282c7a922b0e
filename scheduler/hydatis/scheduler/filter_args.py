"""Arguments of plugins that filter, in a policy: NodeAffinity's added affinity and PodTopologySpread's default
constraints (kubernetes pkg/scheduler/apis/config/types_pluginargs.go, NodeAffinityArgs and PodTopologySpreadArgs).

`plugin_args` reads them here. Invariants: what is returned is valid and immutable, and equal when it says the same;
reading adds every error to the reader and never raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hydatis.scheduler.field_errors import FieldReader, described, quoted
from hydatis.scheduler.label_selectors import (
    LABEL_KEY_SYNTAX,
    LABEL_SYNTAX,
    is_dns_subdomain,
    is_label_key,
    is_label_value,
)
from hydatis.scheduler.node_selectors import (
    AddedAffinity,
    LabelRequirement,
    NameRequirement,
    NodeSelectorTerm,
    PreferredTerm,
)
from hydatis.scheduler.spread_constraints import SYSTEM_DEFAULTS, DefaultConstraint, SpreadDefaults

TERMS_MAX = 16
"""Most terms, and most requirements of one term; bounds the cost of the API server's validation rules."""
VALUES_MAX = 64
"""Most values of a requirement."""
CONSTRAINTS_MAX = 16
"""Most default constraints."""
INT32_MAX = 2**31 - 1
_DIGITS_MAX = 18
"""Most digits of a number that Gt or Lt compares with: all such numbers fit 64 bits."""

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_ACTIONS: Final = ("DoNotSchedule", "ScheduleAnyway")
_POLICIES: Final = ("Honor", "Ignore")
_DEFAULTING: Final = ("System", "List")


@dataclass(frozen=True, slots=True)
class FilterArgs:
    """What a policy says about which nodes can run a pod; None where it says nothing."""

    added_affinity: AddedAffinity | None = None
    """Of NodeAffinity: must hold beside what each pod asks for itself."""
    spread_defaults: SpreadDefaults | None = None
    """Of PodTopologySpread: for pods that state no constraint."""


NO_FILTER_ARGS: Final = FilterArgs()


def read_filter_args(reader: FieldReader, plugins: Mapping[str, Any], path: str) -> FilterArgs:
    """Read the arguments of NodeAffinity and PodTopologySpread."""
    affinity = reader.fields(plugins.get("NodeAffinity"), f"{path}.NodeAffinity", ("addedAffinity",))
    added = None
    if "addedAffinity" in affinity:
        added = _read_affinity(reader, affinity["addedAffinity"], f"{path}.NodeAffinity.addedAffinity")
    spread_path = f"{path}.PodTopologySpread"
    spread = reader.fields(plugins.get("PodTopologySpread"), spread_path, ("defaultingType", "defaultConstraints"))
    defaults = _read_defaults(reader, spread, spread_path) if spread else None
    return FilterArgs(added, defaults) if added or defaults else NO_FILTER_ARGS


# Node affinity


def _read_affinity(reader: FieldReader, value: object, path: str) -> AddedAffinity | None:
    fields = reader.fields(value, path, (REQUIRED, PREFERRED))
    if not fields:
        reader.refuse(path, "has no terms", f"give it {REQUIRED} or {PREFERRED}, or remove it")
        return None
    required = None
    if REQUIRED in fields:
        terms_path = f"{path}.{REQUIRED}.nodeSelectorTerms"
        terms = reader.fields(fields[REQUIRED], f"{path}.{REQUIRED}", ("nodeSelectorTerms",)).get("nodeSelectorTerms")
        if not terms:
            reader.refuse(terms_path, "is empty", f"list at least one term, or remove {REQUIRED}")
        items = reader.items(terms, terms_path, max_items=TERMS_MAX)
        required = tuple(_read_term(reader, item, f"{terms_path}[{index}]") for index, item in enumerate(items))
    preferred = []
    for index, item in enumerate(reader.items(fields.get(PREFERRED), f"{path}.{PREFERRED}", max_items=TERMS_MAX)):
        item_path = f"{path}.{PREFERRED}[{index}]"
        entry = reader.fields(item, item_path, ("weight", "preference"))
        weight = _required_integer(reader, entry, f"{item_path}.weight", "weight", maximum=100)
        term = _read_term(reader, entry.get("preference"), f"{item_path}.preference")
        preferred.append(PreferredTerm(weight or 1, term))
    return AddedAffinity(required, tuple(preferred))


def _read_term(reader: FieldReader, value: object, path: str) -> NodeSelectorTerm:
    fields = reader.fields(value, path, ("matchExpressions", "matchFields"))
    expressions = reader.items(fields.get("matchExpressions"), f"{path}.matchExpressions", max_items=TERMS_MAX)
    names = reader.items(fields.get("matchFields"), f"{path}.matchFields", max_items=TERMS_MAX)
    if not fields.get("matchExpressions") and not fields.get("matchFields"):
        reader.refuse(path, "has no requirement, so that no node matches it", "give it matchExpressions or matchFields")
    return NodeSelectorTerm(
        tuple(_read_expression(reader, item, f"{path}.matchExpressions[{n}]") for n, item in enumerate(expressions)),
        tuple(_read_name(reader, item, f"{path}.matchFields[{n}]") for n, item in enumerate(names)),
        valid=True,
    )


def _read_expression(reader: FieldReader, value: object, path: str) -> LabelRequirement:
    fields = reader.fields(value, path, ("key", "operator", "values"))
    key = _required_text(reader, fields, f"{path}.key", "key", "name the label")
    if key is not None and not is_label_key(key):
        reader.refuse(f"{path}.key", f"{quoted(key)} is not a valid label key", LABEL_KEY_SYNTAX)
    operator = _one_of(reader, fields, f"{path}.operator", "operator", _OPERATORS)
    values = _read_values(reader, fields, f"{path}.values")
    for index, text in enumerate(values):
        if not is_label_value(text):
            problem = f"is {quoted(text)}, which is not a valid label value"
            reader.refuse(f"{path}.values[{index}]", problem, f"leave it empty or {LABEL_SYNTAX}")
    given = bool(fields.get("values"))
    if operator in ("In", "NotIn") and not given:
        reader.refuse(f"{path}.values", f"must not be empty with operator {operator}", "list at least one value")
    if operator in ("Exists", "DoesNotExist") and given:
        problem = f"must be empty with operator {operator}"
        reader.refuse(f"{path}.values", problem, "remove the values, or use In or NotIn")
    if operator in ("Gt", "Lt") and not (
        len(values) == 1 and values[0].isascii() and values[0].isdigit() and len(values[0]) <= _DIGITS_MAX
    ):
        problem = f"must be one whole number with operator {operator}"
        reader.refuse(f"{path}.values", problem, f"give one number of at most {_DIGITS_MAX} digits, in quotes")
    return LabelRequirement(key or "", operator or "Exists", values)


def _read_name(reader: FieldReader, value: object, path: str) -> NameRequirement:
    fields = reader.fields(value, path, ("key", "operator", "values"))
    _one_of(reader, fields, f"{path}.key", "key", ("metadata.name",))
    operator = _one_of(reader, fields, f"{path}.operator", "operator", ("In", "NotIn"))
    values = _read_values(reader, fields, f"{path}.values")
    if len(values) != 1 or not is_dns_subdomain(values[0]):
        reader.refuse(f"{path}.values", "must be the name of one node", "list just one name; use a term for each node")
    return NameRequirement(operator or "In", values)


def _read_values(reader: FieldReader, fields: Mapping[str, Any], path: str) -> tuple[str, ...]:
    items = reader.items(fields.get("values"), path, max_items=VALUES_MAX)
    texts = [reader.text(item, f"{path}[{index}]") for index, item in enumerate(items)]
    return tuple(text for text in texts if text is not None)


# Topology spread


def _read_defaults(reader: FieldReader, fields: Mapping[str, Any], path: str) -> SpreadDefaults | None:
    kind = "System"
    if "defaultingType" in fields:
        kind = _one_of(reader, fields, f"{path}.defaultingType", "defaultingType", _DEFAULTING) or "List"
    constraints_path = f"{path}.defaultConstraints"
    items = reader.items(fields.get("defaultConstraints"), constraints_path, max_items=CONSTRAINTS_MAX)
    if kind == "System":
        if fields.get("defaultConstraints"):
            remedy = f"set {path}.defaultingType to List, or remove the constraints"
            reader.refuse(constraints_path, "must be empty with the defaultingType System", remedy)
        return SYSTEM_DEFAULTS
    positions: dict[tuple[str, bool], int] = {}
    constraints = []
    for index, item in enumerate(items):
        constraint = _read_constraint(reader, item, f"{constraints_path}[{index}]")
        key = (constraint.topology_key, constraint.required)
        if constraint.topology_key and key in positions:
            problem = f"repeats topologyKey and whenUnsatisfiable of {constraints_path}[{positions[key]}]"
            reader.refuse(f"{constraints_path}[{index}]", problem, "list each pair once")
        positions.setdefault(key, index)
        constraints.append(constraint)
    return SpreadDefaults(tuple(constraints), by_system=False)


def _read_constraint(reader: FieldReader, value: object, path: str) -> DefaultConstraint:
    known = ("maxSkew", "topologyKey", "whenUnsatisfiable", "minDomains", "nodeAffinityPolicy", "nodeTaintsPolicy")
    fields = reader.fields(value, path, known)
    skew = _required_integer(reader, fields, f"{path}.maxSkew", "maxSkew", maximum=INT32_MAX)
    key = _required_text(reader, fields, f"{path}.topologyKey", "topologyKey", "name a label of nodes")
    if key is not None and not is_label_key(key):
        reader.refuse(f"{path}.topologyKey", f"{quoted(key)} is not a valid label key", LABEL_KEY_SYNTAX)
    action = _one_of(reader, fields, f"{path}.whenUnsatisfiable", "whenUnsatisfiable", _ACTIONS)
    domains = None
    if "minDomains" in fields:
        if action == "ScheduleAnyway":
            remedy = "remove it, or set whenUnsatisfiable to DoNotSchedule"
            reader.refuse(f"{path}.minDomains", "is only for DoNotSchedule", remedy)
        domains = reader.integer(fields["minDomains"], f"{path}.minDomains", minimum=1, maximum=INT32_MAX)
    inclusion = [
        _one_of(reader, fields, f"{path}.{name}", name, _POLICIES) if name in fields else default
        for name, default in (("nodeAffinityPolicy", "Honor"), ("nodeTaintsPolicy", "Ignore"))
    ]
    return DefaultConstraint(
        topology_key=key or "",
        max_skew=skew or 1,
        required=action == "DoNotSchedule",
        min_domains=domains or 1,
        honor_affinity=inclusion[0] == "Honor",
        honor_taints=inclusion[1] == "Honor",
    )


def _required_text(reader: FieldReader, fields: Mapping[str, Any], path: str, name: str, remedy: str) -> str | None:
    if name not in fields:
        reader.refuse(path, "is missing", remedy)
        return None
    return reader.text(fields[name], path)


def _required_integer(
    reader: FieldReader, fields: Mapping[str, Any], path: str, name: str, *, maximum: int
) -> int | None:
    if name not in fields:
        reader.refuse(path, "is missing", f"give a whole number from 1 to {maximum}")
        return None
    return reader.integer(fields[name], path, minimum=1, maximum=maximum)


def _one_of(reader: FieldReader, fields: Mapping[str, Any], path: str, name: str, known: tuple[str, ...]) -> str | None:
    remedy = f"use one of {', '.join(known)}" if len(known) > 1 else f"use {known[0]}"
    if name not in fields:
        reader.refuse(path, "is missing", remedy)
        return None
    value = fields[name]
    if isinstance(value, str) and value in known:
        return value
    reader.refuse(path, f"is {described(value)}, which is not possible here", remedy)
    return None
