"""Label selectors: metav1.LabelSelector, parsed once and matched often.

`policy` selects pods and namespaces with them; the parser gives every error with its path. Syntax and meaning are
Kubernetes' own, all of k8s.io/apimachinery: `pkg/api/validate/content/kube.go` and `dns.go` (syntax),
`pkg/apis/meta/v1/validation/validation.go` (which operator needs values) and `pkg/labels/selector.go` (matching).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from hydatis.scheduler.field_errors import FieldReader, FieldsInvalid, described, keyed, quoted

LABEL_MAX_CHARACTERS = 63
"""Longest label value, and longest label key without its prefix."""

SUBDOMAIN_MAX_CHARACTERS = 253
"""Longest DNS subdomain (RFC 1123): object names and the prefixes of label keys."""

_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")

LABEL_SYNTAX = (
    f"use at most {LABEL_MAX_CHARACTERS} letters, digits, '-', '_' and '.', with a letter or digit at both ends"
)
LABEL_KEY_SYNTAX = f"{LABEL_SYNTAX}, after an optional DNS prefix and '/', as in example.com/name"


def is_dns_label(text: str) -> bool:
    """Whether the text is a lowercase RFC 1123 label, such as the name of a namespace."""
    return len(text) <= LABEL_MAX_CHARACTERS and _DNS_LABEL.fullmatch(text) is not None


def is_dns_subdomain(text: str) -> bool:
    """Whether the text is a lowercase RFC 1123 subdomain, such as the name of a custom resource."""
    if len(text) > SUBDOMAIN_MAX_CHARACTERS:
        return False
    return all(_DNS_LABEL.fullmatch(label) for label in text.split("."))


def is_label_key(text: str) -> bool:
    """Whether the text is a qualified name: up to 63 characters, after an optional DNS subdomain and a slash."""
    if len(text) > SUBDOMAIN_MAX_CHARACTERS + 1 + LABEL_MAX_CHARACTERS:
        return False
    prefix, slash, name = text.rpartition("/")
    if slash and not is_dns_subdomain(prefix):
        return False
    return len(name) <= LABEL_MAX_CHARACTERS and _LABEL.fullmatch(name) is not None


def is_label_value(text: str) -> bool:
    """Whether the text may be the value of a label; the empty text may."""
    return text == "" or (len(text) <= LABEL_MAX_CHARACTERS and _LABEL.fullmatch(text) is not None)


class Operator(StrEnum):
    """How a requirement relates a label to its values."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label. An object without the label satisfies NotIn and DoesNotExist."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()
    """The values for In and NotIn; empty for the other two."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy this requirement."""
        value = labels.get(self.key)
        match self.operator:
            case Operator.IN:
                return value is not None and value in self.values
            case Operator.NOT_IN:
                return value is None or value not in self.values
            case Operator.EXISTS:
                return value is not None
            case Operator.DOES_NOT_EXIST:
                return value is None


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Requirements that must all hold. Selectors that say the same in another order are equal."""

    requirements: tuple[Requirement, ...] | None = ()
    """Empty: every object matches. None: no object matches (the selector is absent)."""

    @classmethod
    def parse(cls, manifest: object, path: str, *, max_items: int | None = None) -> Self:
        """Reads a metav1.LabelSelector; None, an absent selector, matches nothing, and an empty one matches everything.

        `path` is the selector's own path, the beginning of the path of every error. `max_items` bounds the labels, the
        expressions and the values of one expression; None leaves them unbounded, as they are in pods. Raises
        FieldsInvalid with every error.
        """
        if manifest is None:
            return cls(None)
        reader = FieldReader()
        fields = reader.fields(manifest, path, ("matchLabels", "matchExpressions"))
        requirements = _match_labels(reader, fields.get("matchLabels"), f"{path}.matchLabels", max_items)
        expressions_path = f"{path}.matchExpressions"
        for index, expression in enumerate(
            reader.items(fields.get("matchExpressions"), expressions_path, max_items=max_items)
        ):
            requirement = _match_expression(reader, expression, f"{expressions_path}[{index}]", max_items)
            if requirement is not None:
                requirements.append(requirement)
        if reader.errors:
            raise FieldsInvalid(reader.errors)
        return cls(tuple(sorted(set(requirements), key=lambda r: (r.key, r.operator, sorted(r.values)))))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return self.requirements is not None and all(requirement.matches(labels) for requirement in self.requirements)


EVERYTHING = LabelSelector()
"""The empty selector."""


def _match_labels(reader: FieldReader, value: object, path: str, max_items: int | None) -> list[Requirement]:
    requirements = []
    for key, entry in reader.entries(value, path, max_items=max_items).items():
        entry_path = keyed(path, key)
        if not is_label_key(key):
            reader.refuse(entry_path, "is not a valid label key", LABEL_KEY_SYNTAX)
        text = _label_value(reader, entry, entry_path)
        if text is not None:
            requirements.append(Requirement(key, Operator.IN, frozenset({text})))
    return requirements


def _match_expression(reader: FieldReader, value: object, path: str, max_items: int | None) -> Requirement | None:
    if value is None:
        reader.refuse(path, "must be an object, not null", "write its key and operator, or remove the item")
        return None
    fields = reader.fields(value, path, ("key", "operator", "values"))
    key = _expression_key(reader, fields, f"{path}.key")
    operator = _expression_operator(reader, fields, f"{path}.operator")
    values_path = f"{path}.values"
    values = reader.items(fields.get("values"), values_path, max_items=max_items)
    texts = [_label_value(reader, item, f"{values_path}[{index}]") for index, item in enumerate(values)]
    given = bool(fields.get("values"))
    if operator in (Operator.IN, Operator.NOT_IN) and not given:
        reader.refuse(values_path, f"must not be empty with operator {operator}", "list at least one value")
    if operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST) and given:
        reader.refuse(values_path, f"must be empty with operator {operator}", "remove the values, or use In or NotIn")
    if key is None or operator is None:
        return None
    return Requirement(key, operator, frozenset(text for text in texts if text is not None))


def _expression_key(reader: FieldReader, fields: Mapping[str, object], path: str) -> str | None:
    if "key" not in fields:
        reader.refuse(path, "is missing", "name the label")
        return None
    key = reader.text(fields["key"], path)
    if key is not None and not is_label_key(key):
        reader.refuse(path, f"{quoted(key)} is not a valid label key", LABEL_KEY_SYNTAX)
        return None
    return key


def _expression_operator(reader: FieldReader, fields: Mapping[str, object], path: str) -> Operator | None:
    remedy = f"use one of {', '.join(Operator)}"
    if "operator" not in fields:
        reader.refuse(path, "is missing", remedy)
        return None
    value = fields["operator"]
    if isinstance(value, str) and value in Operator.__members__.values():
        return Operator(value)
    reader.refuse(path, f"is {described(value)}, which is no operator", remedy)
    return None


def _label_value(reader: FieldReader, value: object, path: str) -> str | None:
    text = reader.text(value, path)
    if text is not None and not is_label_value(text):
        reader.refuse(path, f"is {quoted(text)}, which is not a valid label value", f"leave it empty or {LABEL_SYNTAX}")
        return None
    return text
