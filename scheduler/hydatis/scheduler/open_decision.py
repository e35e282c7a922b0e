"""A decision whose choice of a node is left to whoever drives the core, such as an agent that learns."""

from dataclasses import dataclass

from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.pod_class import PodClass


@dataclass(frozen=True, slots=True)
class OpenDecision:
    """The pod whose turn it is, and the nodes that pass every filter, at least one."""

    pod: PodReference
    pod_class: PodClass
    nodes: frozenset[str]
