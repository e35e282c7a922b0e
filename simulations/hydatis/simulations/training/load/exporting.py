"""ONNX of the load model: rows of `PLACEMENT_SCHEMA` in, what the pod adds to each node's overload out."""

from typing import Any

from onnx import TensorProto, helper

from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.simulations.training.load.learning import LABEL_SCALE
from hydatis.simulations.training.onnx_writing import sealed

INPUT = "features"
OUTPUT = "added"
_OPSET = 15


def onnx_of(booster: Any) -> bytes:
    """Return the model of a booster that `learn` made: input `features`, float32 (rows, features); output `added`,
    float32 (rows, 1), at least 0.
    """
    from onnxmltools import convert_lightgbm  # noqa: PLC0415 - the commands say what to install where it is missing
    from onnxmltools.convert.common.data_types import FloatTensorType  # noqa: PLC0415

    kinds = [(INPUT, FloatTensorType([None, PLACEMENT_SCHEMA.width]))]
    model = convert_lightgbm(booster, name="load", initial_types=kinds, target_opset=_OPSET)
    graph = model.graph
    predicted = graph.output[0].name
    graph.initializer.append(helper.make_tensor("scale", TensorProto.FLOAT, [], [LABEL_SCALE]))
    graph.node.append(helper.make_node("Div", [predicted, "scale"], [OUTPUT]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["rows", 1]))
    # The operators' own version, beside that of trees, which the converter leaves at 8.
    return sealed(model, {"": _OPSET, "ai.onnx.ml": 1})
