"""How full each node is, kept up as pods are bound.

Called by the pod watch (`add`) and read by the live view and the report.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from hydatis.simulations.clusters import GPU_RESOURCE
from hydatis.simulations.recounting import Amounts, allocatable, requested


class NodeFill:
    """Requests against allocatable, by node."""

    def __init__(self, nodes: Sequence[Mapping[str, Any]]) -> None:
        self.nodes = [node["metadata"]["name"] for node in nodes]
        self._offers = {node["metadata"]["name"]: allocatable(node) for node in nodes}
        self._sums: dict[str, Amounts] = {name: {} for name in self.nodes}

    def add(self, pod: Mapping[str, Any]) -> None:
        """Count a pod that was seen bound."""
        sums = self._sums.setdefault(pod["spec"]["nodeName"], {})
        for resource, amount in requested(pod).items():
            sums[resource] = sums.get(resource, Fraction(0)) + amount

    def share(self, node: str, resource: str) -> float | None:
        """Give the requested part of a resource, 0 to 1; None where the node has none of it."""
        offered = self._offers[node].get(resource)
        return float(self._sums[node].get(resource, Fraction(0)) / offered) if offered else None

    def pods(self, node: str) -> int:
        """Count the pods on a node."""
        return int(self._sums[node].get("pods", 0))

    def gpus(self, node: str) -> str:
        """Write GPUs requested and allocatable, or nothing for a node without any."""
        offered = self._offers[node].get(GPU_RESOURCE)
        return f"{int(self._sums[node].get(GPU_RESOURCE, 0))}/{int(offered)} GPU" if offered else ""


def bar(share: float | None, width: int = 10) -> str:
    """Draw a share of 0 to 1 as a bar of `width` characters; nothing where there is no share."""
    if share is None:
        return " " * width
    filled = min(width, round(share * width))
    return "█" * filled + "░" * (width - filled)
