"""ONNX of a forecaster: rows of features in, points and upper bounds out, in percent of the machine's CPU.

The trees are written by onnxmltools; around them stand the last sample, to which they add the change, and the moves of
the bound.
"""

import re
import warnings
from typing import Any

import lightgbm
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hydatis.simulations.training.forecasting.features import LAST
from hydatis.simulations.training.forecasting.forecaster import Forecaster

INPUT = "features"
OUTPUT = "forecast"
_OPSET = 15
_ML_OPSET = 3
_OBJECTIVE = re.compile(r"^objective=regression_l1\n", re.MULTILINE)
_IR_VERSION = 8
"""Old enough for any ONNX Runtime that is still in use."""


def onnx_of(forecaster: Forecaster) -> bytes:
    """Return the model: input `features`, float32 (rows, features) in the order of `feature_names`; output `forecast`,
    float32 (rows, 2): the point, the upper bound.
    """
    width = len(forecaster.names)
    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(values: NDArray[Any]) -> str:
        name = f"constant_{len(constants)}"
        constants.append(numpy_helper.from_array(values, name))
        return name

    def add(operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"{operator.lower()}_{len(nodes)}"
        nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    changes = []
    for part, booster in (("point", forecaster.point), ("upper", forecaster.upper)):
        trees = _trees(booster, width)
        del trees.input[:], trees.output[:]
        trees.input.append(INPUT)
        trees.output.append(part)
        trees.name = f"trees_{part}"
        nodes.append(trees)
        changes.append(part)
    point, upper = changes
    moves = forecaster.moves.moves.astype(np.float32)
    moved = add("Add", upper, constant(moves[:1]))
    if len(moves) > 1:
        spread = add("Sub", upper, point)
        above = add("Greater", spread, constant(forecaster.moves.edges.astype(np.float32)[np.newaxis]))
        steps = add("MatMul", add("Cast", above, to=TensorProto.FLOAT), constant(np.diff(moves)[:, np.newaxis]))
        moved = add("Add", moved, steps)
    both = add("Concat", point, add("Max", moved, point), axis=1)
    last = add("Gather", INPUT, constant(np.array([forecaster.names.index(LAST)], dtype=np.int64)), axis=1)
    add("Max", add("Add", both, last), constant(np.zeros(1, dtype=np.float32)), output=OUTPUT)
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "forecast",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["rows", width])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["rows", 2])],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)],
        ir_version=_IR_VERSION,
        producer_name="hydatis",
    )
    onnx.checker.check_model(model, full_check=True)
    written: bytes = model.SerializeToString()
    return written


def _trees(booster: Any, width: int) -> Any:
    """Return the node that sums a booster's trees."""
    from onnxmltools import convert_lightgbm  # noqa: PLC0415 - slow to import, and only needed here
    from onnxmltools.convert.common.data_types import FloatTensorType  # noqa: PLC0415

    # onnxmltools does not know this objective; like that of least squares it leaves the sum of the trees as it is.
    text = _OBJECTIVE.sub("objective=regression\n", booster.model_to_string(), count=1)
    plain = lightgbm.Booster(model_str=text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = convert_lightgbm(
            plain, initial_types=[(INPUT, FloatTensorType([None, width]))], target_opset=_OPSET, zipmap=False
        )
    (trees,) = (node for node in model.graph.node if node.op_type == "TreeEnsembleRegressor")
    return trees
