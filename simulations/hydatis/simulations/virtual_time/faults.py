"""When nodes fail, are drained, come back and join: drawn before a run begins, the same for every policy."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from hydatis.simulations.virtual_time.scenario import Assumptions

_DAY_SECONDS = 86_400.0


class NodeChange(IntEnum):
    """What happens to a node."""

    FAILS = 0
    """Its pods stop; nobody knows yet."""
    IS_KNOWN_LOST = 1
    """Its taints say that it cannot be reached."""
    PODS_ARE_DELETED = 2
    """Its pods' owners make them again."""
    IS_DRAINED = 3
    """It is cordoned, and its pods are evicted."""
    LEAVES = 4
    """It is taken away."""
    JOINS = 5
    """It is there, empty, and ready: for the first time or again."""


@dataclass(frozen=True, slots=True, order=True)
class PlannedChange:
    """One change of one node."""

    seconds: float
    node: int
    change: NodeChange


def plan_changes(
    nodes: int, length_seconds: float, assumptions: Assumptions, random: np.random.Generator
) -> tuple[list[PlannedChange], frozenset[int]]:
    """Return all changes of a run in order of time, and which nodes are not there at the beginning.

    A node does not fail while it is drained or away, and the other way round.
    """
    late = np.flatnonzero(random.random(nodes) < assumptions.late_share).tolist()
    # However many join late, one node is there to begin with.
    late = late[: nodes - 1]
    joins = {node: _rounded(random.uniform(0.0, length_seconds)) for node in late}
    changes = [PlannedChange(seconds, node, NodeChange.JOINS) for node, seconds in joins.items()]
    for node in range(nodes):
        changes += _faults_of(node, joins.get(node, 0.0), length_seconds, assumptions, random)
    return sorted(changes), frozenset(late)


def _faults_of(
    node: int, there_from: float, length_seconds: float, assumptions: Assumptions, random: np.random.Generator
) -> list[PlannedChange]:
    a_day = assumptions.failures_a_node_day + assumptions.drains_a_node_day
    changes: list[PlannedChange] = []
    if not a_day:
        return changes
    now = there_from
    while True:
        gap = random.exponential(_DAY_SECONDS / a_day)
        if now + gap >= length_seconds:
            return changes
        now += _rounded(gap)
        if random.random() * a_day < assumptions.failures_a_node_day:
            known = now + assumptions.detection_seconds
            deleted = known + assumptions.toleration_seconds
            back = deleted + _rounded(random.exponential(assumptions.repair_seconds))
            steps: tuple[tuple[float, NodeChange], ...] = (
                (now, NodeChange.FAILS),
                (known, NodeChange.IS_KNOWN_LOST),
                (deleted, NodeChange.PODS_ARE_DELETED),
                (back, NodeChange.JOINS),
            )
        else:
            away = now + assumptions.drain_seconds
            back = away + _rounded(random.exponential(assumptions.maintenance_seconds))
            steps = ((now, NodeChange.IS_DRAINED), (away, NodeChange.LEAVES), (back, NodeChange.JOINS))
        changes += [PlannedChange(seconds, node, change) for seconds, change in steps]
        now = back


def _rounded(seconds: float) -> float:
    """Cut to thousandths, so that the last bit of a machine's logarithm changes nothing; at least one."""
    return max(1, round(1000 * seconds)) / 1000
