"""ONNX of a forecaster: rows of features in, points and upper bounds out, in percent of the machine's CPU.

The trees are written by onnxmltools; around them stand the last sample, to which they add the change, and the moves of
the bound.
"""

import re
import warnings
from typing import Any

import lightgbm
import numpy as np
from onnx import TensorProto

from hydatis.simulations.training.forecasting.features import LAST
from hydatis.simulations.training.forecasting.forecaster import Forecaster
from hydatis.simulations.training.onnx_writing import OnnxGraph

INPUT = "features"
OUTPUT = "forecast"
_OPSET = 15
_OPSETS = {"": _OPSET, "ai.onnx.ml": 3}
_OBJECTIVE = re.compile(r"^objective=regression_l1\n", re.MULTILINE)


def onnx_of(forecaster: Forecaster) -> bytes:
    """Return the model: input `features`, float32 (rows, features) in the order of `feature_names`; output `forecast`,
    float32 (rows, 2): the point, the upper bound.
    """
    width = len(forecaster.names)
    graph = OnnxGraph()
    changes = []
    for part, booster in (("point", forecaster.point), ("upper", forecaster.upper)):
        trees = _trees(booster, width)
        del trees.input[:], trees.output[:]
        trees.input.append(INPUT)
        trees.output.append(part)
        trees.name = f"trees_{part}"
        graph.nodes.append(trees)
        changes.append(part)
    point, upper = changes
    moves = forecaster.moves.moves.astype(np.float32)
    moved = graph.add("Add", upper, graph.constant(moves[:1]))
    if len(moves) > 1:
        spread = graph.add("Sub", upper, point)
        above = graph.add("Greater", spread, graph.constant(forecaster.moves.edges.astype(np.float32)[np.newaxis]))
        steps = graph.add(
            "MatMul", graph.add("Cast", above, to=TensorProto.FLOAT), graph.constant(np.diff(moves)[:, np.newaxis])
        )
        moved = graph.add("Add", moved, steps)
    both = graph.add("Concat", point, graph.add("Max", moved, point), axis=1)
    last = graph.add("Gather", INPUT, graph.constant(np.array([forecaster.names.index(LAST)], dtype=np.int64)), axis=1)
    graph.add("Max", graph.add("Add", both, last), graph.constant(np.zeros(1, dtype=np.float32)), outputs=[OUTPUT])
    return graph.written("forecast", source=(INPUT, width), output=OUTPUT, shape=["rows", 2], opsets=_OPSETS)


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
