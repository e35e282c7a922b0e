"""Whether models score nodes under a policy, and whether its pods are scheduled at all."""

from enum import StrEnum


class PolicyMode(StrEnum):
    """`spec.mode` of a policy. What scores the nodes at a time is `Policy.mode_with`, one of the last four."""

    AUTO = "Auto"
    """The ensemble with those of its parts whose models are loaded; the heuristic when none is left."""
    ENSEMBLE = "Ensemble"
    """As AUTO, but a policy whose models are not all loaded is not Ready."""
    FALLBACK = "Fallback"
    """The heuristic, whatever is loaded."""
    SHADOW = "Shadow"
    """The heuristic decides; what the ensemble would have chosen is recorded."""
    PAUSED = "Paused"
    """The policy's pods wait."""
