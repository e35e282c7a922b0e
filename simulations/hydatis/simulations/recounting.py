"""Counts again, from the API's own objects, what every node was promised and what it can hold.

Called by the demo and the benchmarks as the last check. It shares no code with the decision core on purpose: a check
that used the same arithmetic would repeat the same mistake.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?[0-9]+)?")
_SUFFIX = {
    **{suffix: Fraction(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
    **{
        suffix: Fraction(1000) ** power
        for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), start=-3)
    },
}
_TERMINAL = ("Succeeded", "Failed")

Amounts = dict[str, Fraction]
"""Resource name to exact amount (cores, bytes, pieces)."""


@dataclass(frozen=True, slots=True)
class Overcommitment:
    """A node that was promised more of a resource than it has."""

    node: str
    resource: str
    requested: float
    allocatable: float

    def __str__(self) -> str:
        return f"{self.node}: {self.resource} {self.requested:g} requested, {self.allocatable:g} allocatable"


def quantity(text: str) -> Fraction:
    """Read a Kubernetes quantity exactly; apimachinery pkg/api/resource/quantity.go defines the form.

    Raises:
        ValueError: `text` is not a quantity.

    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a Kubernetes quantity")
    number, suffix = Fraction(match[1]), match[2] or ""
    return number * _SUFFIX[suffix] if suffix in _SUFFIX else number * Fraction(10) ** int(suffix[1:])


def requested(pod: Mapping[str, Any]) -> Amounts:
    """Sum what a pod without sidecars asks for: the larger of its containers together and its largest init container,
    plus overhead.
    """
    spec = pod["spec"]
    total = _added(_requests(container) for container in spec.get("containers", ()))
    for container in spec.get("initContainers", ()):
        for name, amount in _added([_requests(container)]).items():
            total[name] = max(total.get(name, amount), amount)
    total = _summed([total, _added([spec.get("overhead", {})])])
    total["pods"] = Fraction(1)
    return total


def requested_by_node(pods: Iterable[Mapping[str, Any]]) -> dict[str, Amounts]:
    """Sum the requests of the bound pods that are not terminal, by node."""
    sums: dict[str, Amounts] = {}
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node and pod.get("status", {}).get("phase") not in _TERMINAL:
            sums[node] = _summed([sums.get(node, {}), requested(pod)])
    return sums


def allocatable(node: Mapping[str, Any]) -> Amounts:
    """Read what a node offers to pods."""
    return _added([node["status"].get("allocatable", {})])


def overcommitments(nodes: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]) -> list[Overcommitment]:
    """Find every (node, resource) of which more is requested than allocatable; a node that no longer exists offers
    nothing.
    """
    offers = {node["metadata"]["name"]: allocatable(node) for node in nodes}
    found = []
    for name, sums in sorted(requested_by_node(pods).items()):
        for resource, amount in sorted(sums.items()):
            offered = offers.get(name, {}).get(resource, Fraction(0))
            if amount > offered:
                found.append(Overcommitment(name, resource, float(amount), float(offered)))
    return found


def _requests(container: Mapping[str, Any]) -> Mapping[str, str]:
    requests: Mapping[str, str] = container.get("resources", {}).get("requests", {})
    return requests


def _added(lists: Iterable[Mapping[str, str]]) -> Amounts:
    return _summed({name: quantity(text) for name, text in amounts.items()} for amounts in lists)


def _summed(parts: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, Fraction(0)) + amount
    return total
