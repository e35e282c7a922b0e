"""A model that ONNX Runtime computes, loaded only after its graph and its first predictions were judged.

Whoever has verified weights calls `OnnxModel.load`. Importing this module imports ONNX Runtime, which takes a moment
and some memory: drivers do so when they have a first model to load, and not before. Judging a graph is most of the work
and holds the interpreter: a driver has another process do it (`OnnxModel.load`) and takes what passed (`load_judged`).
"""

from typing import Self

import numpy as np
import onnxruntime

from hydatis.scheduler.arrays import Float32Array, Float64Array
from hydatis.scheduler.field_errors import quoted
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.refusal import ModelRefused, Refusal
from hydatis.scheduler.models.weights import digest_of, verified

TRIAL_ROWS = 7
TOLERANCE = 1e-4
"""How far a row's prediction may be from the same row's in a batch, relative above 1 and absolute below."""
_TRIAL_SEED = 7
_FATAL = 4
"""ONNX Runtime's log level at which it prints nothing short of its own end."""


class OnnxModel:
    """One verified model. It never changes, and several threads may have it predict at once, as ONNX Runtime allows."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        *,
        kind: ModelKind,
        name: str,
        version: str,
        digest: str,
        schema_hash: str,
        width: int,
    ) -> None:
        self.kind = kind
        self.name = name
        self.version = version
        self.digest = digest
        self.schema_hash = schema_hash
        self.width = width
        """How many features a row has."""
        self._session = session
        self._input = session.get_inputs()[0].name
        self._outputs = [session.get_outputs()[0].name]

    def __repr__(self) -> str:
        return f"OnnxModel({self.name!r}, {self.kind}, version {self.version!r}, {self.digest[:12]})"

    @classmethod
    def load(
        cls, data: bytes, *, kind: ModelKind, name: str, version: str, schema_hash: str, width: int | None
    ) -> Self:
        """Judge an ONNX file and make a model of it.

        `width` is how many features the schema has; None takes what the model says. Raises ModelRefused, whatever the
        bytes are.
        """
        from hydatis.scheduler.models.onnx_graph import check_graph, read_graph  # noqa: PLC0415 - it imports onnx

        verified(data, digest_of(data), "spec.weights")
        features = check_graph(read_graph(data), width)
        return cls.load_judged(data, kind=kind, name=name, version=version, schema_hash=schema_hash, width=features)

    @classmethod
    def load_judged(
        cls, data: bytes, *, kind: ModelKind, name: str, version: str, schema_hash: str, width: int
    ) -> Self:
        """Make a model of the very bytes that `load` has made one of before, maybe in another process.

        `width` is how many features that one had. Raises ModelRefused.
        """
        model = cls(
            _session(data),
            kind=kind,
            name=name,
            version=version,
            digest=digest_of(data),
            schema_hash=schema_hash,
            width=width,
        )
        _try(model)
        return model

    def predict(self, features: Float32Array) -> Float64Array:
        """Return one number for each row: (rows, width) to (rows,).

        Where features are far from all that the model was trained on a number may be infinite or NaN; the caller takes
        it for unknown. Raises ValueError for features of another shape.
        """
        if features.ndim != 2 or features.shape[1] != self.width:
            raise ValueError(f"{self.name} takes (rows, {self.width}) features, not {features.shape}")
        if not len(features):
            return np.zeros(0)
        (found,) = self._session.run(self._outputs, {self._input: np.ascontiguousarray(features, dtype=np.float32)})
        answer = np.asarray(found, dtype=np.float64)
        if answer.shape not in ((len(features),), (len(features), 1)):
            raise ValueError(f"{self.name} answers {answer.shape} to {len(features)} rows")
        return answer.reshape(len(features))


def _session(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_profiling = False
    # Batches differ in size from cycle to cycle; an arena would grow to the largest and keep it for each model.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class
        raise ModelRefused(
            Refusal.NOT_LOADABLE,
            f"spec.weights is refused by ONNX Runtime ({_first_line(error)}): export it for an older operator set",
        ) from None


def _try(model: OnnxModel) -> None:
    """Let the model predict, and judge what comes."""
    noise = np.random.default_rng(_TRIAL_SEED).normal(0.0, 3.0, (TRIAL_ROWS, model.width)).astype(np.float32)
    zeros = np.zeros((TRIAL_ROWS, model.width), dtype=np.float32)
    for rows in (zeros, noise, np.abs(noise)):
        together = _predicted(model, rows)
        one_by_one = np.concatenate([_predicted(model, rows[index : index + 1]) for index in range(len(rows))])
        if not np.isfinite(together).all() or not np.isfinite(one_by_one).all():
            raise ModelRefused(
                Refusal.NOT_FINITE,
                "spec.weights predicts NaN or infinity for small numbers: look at its weights, and train it again",
            )
        if (np.abs(together - one_by_one) > TOLERANCE * np.maximum(1.0, np.abs(together))).any():
            raise ModelRefused(
                Refusal.BATCH_DEPENDENT,
                "spec.weights predicts another number for a row when other rows are beside it: "
                "export a model that looks at each row by itself",
            )


def _predicted(model: OnnxModel, rows: Float32Array) -> Float64Array:
    try:
        return model.predict(rows)
    except ValueError as error:
        raise ModelRefused(
            Refusal.WRONG_SHAPE,
            f"spec.weights answers in another shape ({_first_line(error)}): "
            "export the model with one output of the shape (any,) or (any, 1)",
        ) from None
    except Exception as error:  # its errors have no common class
        raise ModelRefused(
            Refusal.NOT_RUNNABLE,
            f"spec.weights fails on {len(rows)} rows ({_first_line(error)}): export the model for any number of rows",
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return quoted(lines[0])
