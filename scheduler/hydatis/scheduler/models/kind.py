"""What a model predicts, and so which part of the ensemble it serves."""

from enum import StrEnum


class ModelKind(StrEnum):
    """`spec.kind` of an MLModel."""

    LOAD = "Load"
    """How much a node is going to use."""
    PLACEMENT = "Placement"
    """How good a node is for a pod."""
    ANOMALY = "Anomaly"
    """How unlike others a node behaves."""
