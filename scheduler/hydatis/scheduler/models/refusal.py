"""Why weights are not used: one word for programs, one sentence for people."""

from enum import StrEnum


class Refusal(StrEnum):
    """The reasons, as they stand in the condition Verified."""

    INVALID = "Invalid"
    """The manifest itself is wrong."""
    WRONG_SCHEMA = "WrongSchema"
    NOT_BASE64 = "NotBase64"
    NOT_GZIP = "NotGzip"
    TRUNCATED = "Truncated"
    TRAILING_DATA = "TrailingData"
    TOO_LARGE = "TooLarge"
    WRONG_DIGEST = "WrongDigest"
    NOT_ONNX = "NotOnnx"
    UNKNOWN_OPERATOR = "UnknownOperator"
    SUBGRAPH = "Subgraph"
    LOCAL_FUNCTION = "LocalFunction"
    EXTERNAL_DATA = "ExternalData"
    WRONG_TYPE = "WrongType"
    WRONG_SHAPE = "WrongShape"
    CYCLIC_TREE = "CyclicTree"
    NOT_LOADABLE = "NotLoadable"
    """ONNX Runtime refuses it."""
    NOT_RUNNABLE = "NotRunnable"
    """It fails on the rows of the trial."""
    NOT_FINITE = "NotFinite"
    BATCH_DEPENDENT = "BatchDependent"
    """A row's prediction depends on the rows beside it."""
    TOO_SLOW = "TooSlow"
    TRIAL_FAILED = "TrialFailed"
    """The process of the trial ended before it had an answer."""


class ModelRefused(Exception):  # noqa: N818 - it says what happened to the model
    """Weights that are not used. `message` names the field and the remedy."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"
