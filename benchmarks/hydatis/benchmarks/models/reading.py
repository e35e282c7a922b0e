"""Reads the models to be measured: ONNX files, or manifests of MLModel that hold them.

They are judged and loaded as the operator does, with its settings of ONNX Runtime.
"""

from pathlib import Path

import yaml

from hydatis.benchmarks.errors import BenchError
from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import ModelInvalid, ModelSpec, parse_model
from hydatis.scheduler.models.onnx_model import OnnxModel
from hydatis.scheduler.models.refusal import ModelRefused
from hydatis.scheduler.models.weights import MOST_PACKED_BYTES, Weights, decode_base64

_MANIFESTS = (".yaml", ".yml", ".json")


def read_model(path: Path, kind: ModelKind, option: str) -> OnnxModel:
    """Read one model, whose rows are those that the operator computes for its kind.

    Raises:
        BenchError: it cannot be read, or is no model that the operator would use for this kind.

    """
    schema = SCHEMAS[kind]
    try:
        # Base64 is a third longer, and a manifest holds a little besides.
        if path.stat().st_size > 2 * MOST_PACKED_BYTES:
            raise BenchError(f"{option} {path} is too large for a model; name an ONNX file or an MLModel.")
        data = path.read_bytes()
        name = path.stem
        if path.suffix in _MANIFESTS:
            spec = parse_model(yaml.safe_load(data))
            if spec.kind is not kind or spec.schema_hash != schema.hash:
                raise BenchError(
                    f"{option} {path} is of the kind {spec.kind} and the schema {spec.schema_hash[:12]}; name a "
                    f"model of {kind} and {schema.hash[:12]}."
                )
            name = spec.name
            data = read_weights(spec, f"{option} {path}")
        return OnnxModel.load(data, kind=kind, name=name, version="1", schema_hash=schema.hash, width=schema.width)
    except OSError as error:
        raise BenchError(f"{option} {path} cannot be read: {error.strerror or error}; name an ONNX file.") from error
    except (yaml.YAMLError, AttributeError, UnicodeDecodeError) as error:
        raise BenchError(f"{option} {path} is no manifest of an MLModel; name one, or an ONNX file.") from error
    except ModelInvalid as invalid:
        raise BenchError(f"{option} {path}: {invalid.errors[0]}.") from invalid
    except ModelRefused as refused:
        raise BenchError(f"{option} {path}: {refused}.") from refused


def read_weights(spec: ModelSpec, told_as: str) -> bytes:
    """Return the ONNX file that a manifest holds itself; `told_as` is how errors name the manifest.

    Raises:
        BenchError: it holds none.
        ModelRefused: what it holds is not what it says.

    """
    if not spec.inline:
        raise BenchError(f"{told_as} holds no weights itself; name the ONNX file.")
    packed = decode_base64(spec.inline, "spec.weights.inline")
    return Weights((packed,), True, "spec.weights.inline").read(spec.sha256)
