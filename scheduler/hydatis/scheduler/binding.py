"""Bind: hand the decision to the driver, which carries it out and reports the outcome."""

from hydatis.scheduler.decision import Decision
from hydatis.scheduler.instructions import Bind, VolumesToBind


def bind(node: str, decision: Decision, volumes: VolumesToBind) -> Bind:
    """Return the instruction that ends a successful scheduling cycle."""
    return Bind(decision.pod, node, decision, volumes)
