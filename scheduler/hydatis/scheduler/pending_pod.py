"""A pod that waits for a node: what the queue and the scheduling cycle know about it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.filter_args import FilterArgs
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.turns import Turns


class PodState(StrEnum):
    """Where a pod is on its way through the queue; kube-scheduler's queue names where it has the same queue."""

    NEW = "new"
    ACTIVE = "active"
    BACKOFF = "backoff"
    UNSCHEDULABLE = "unschedulable"
    GATED = "gated"
    BINDING = "binding"
    GONE = "gone"


@dataclass(eq=False, slots=True)
class PendingPod:
    """One pod without a node. Times are seconds on the driver's clock."""

    reference: PodReference
    scheduler_name: str
    pod_class: PodClass
    priority: int
    annotations: Mapping[str, str]
    gated: bool
    queued_at: float = 0.0
    """When it was first seen, or last failed: of pods of equal priority, the one with the earliest goes first."""
    nominated_node_seen: str = ""
    """`status.nominatedNodeName` as last seen; what the core keeps for the pod may be ahead of it."""
    state: PodState = PodState.NEW
    attempts: int = 0
    first_queued_at: float | None = None
    """When it first became ready; None while it never was."""
    unschedulable_count: int = 0
    """How often plugins rejected it. With `consecutive_errors` it says how long the pod backs off."""
    consecutive_errors: int = 0
    """Failed bindings since plugins last rejected it."""
    flushed: bool = False
    """Whether the flush of the unschedulable brought it back last."""
    paused: bool = False
    """Whether it waits because its policy is paused."""
    entry: object = None
    """Its one valid place in the queue's heaps; others are void."""
    parked_in: "ParkedClass | None" = None
    """Where it is among the unschedulable."""
    parked_number: int = 0
    """Which parking of all this is; 0 while it is not parked."""

    def is_to_be_tried(self, attempts: int) -> bool:
        """Tell whether the pod, made ready when it had so many attempts, has still to be tried."""
        return self.attempts == attempts and self.state in (PodState.ACTIVE, PodState.BACKOFF)


@dataclass(eq=False, slots=True)
class ParkedClass:
    """Unschedulable pods of one class."""

    pod_class: PodClass
    """As it was when the pods were parked: an update may give a pod another one."""
    args: FilterArgs
    """With which the plugins rejected them."""
    rejected_by: frozenset[str]
    """Plugins, each of which is the first to reject the class on some node, or was so once."""
    priority: int
    """The highest among its pods."""
    pods: dict[str, PendingPod] = field(default_factory=dict)
    """By uid, first come first."""
    turns: Turns = field(default_factory=Turns)
    """The order in which they come back."""
    suspected: bool = False
    """Whether something happened that may have made it feasible, and `waking` has still to look."""
    failed_at: float = -math.inf
    """When a pod of the class last failed for reasons that all of them share."""
    flushed: tuple[PendingPod, int] | None = None
    """The pod that the flush brought back last, and its attempts then."""
