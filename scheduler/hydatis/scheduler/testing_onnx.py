"""Small ONNX files for tests, sound ones and hostile ones.

Called by tests alone.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper

OPSET = 17
ML_OPSET = 3


def graph_file(
    nodes: Sequence[NodeProto],
    *,
    width: int = 3,
    initializers: Sequence[TensorProto] = (),
    rows: int | str | None = None,
    input_type: int = TensorProto.FLOAT,
    output_shape: Sequence[int | str | None] | None = (None, 1),
    output_type: int = TensorProto.FLOAT,
    functions: Sequence[onnx.FunctionProto] = (),
    domains: Sequence[str] = (),
) -> bytes:
    """Return an ONNX file whose nodes lead from `x`, (rows, width), to `y`."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info("x", input_type, [rows, width])],
        [helper.make_tensor_value_info("y", output_type, None if output_shape is None else list(output_shape))],
        list(initializers),
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    opsets += [helper.make_opsetid(domain, 1) for domain in domains]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(functions))
    return bytes(model.SerializeToString())


def floats(name: str, values: Any) -> TensorProto:
    """Return a float32 tensor that the file holds."""
    array = np.asarray(values, dtype=np.float32)
    return helper.make_tensor(name, TensorProto.FLOAT, array.shape, array.ravel().tolist())


def linear(weights: Sequence[float] = (1.0, 2.0, 3.0), bias: float = 0.0) -> bytes:
    """Return a file that predicts the weighted sum of the features."""
    return graph_file(
        [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["y"])],
        width=len(weights),
        initializers=[floats("w", np.array(weights).reshape(-1, 1)), floats("b", [bias])],
    )


def tree(*, right: int = 2, width: int = 3) -> bytes:
    """Return one tree: 10 where the first feature is at most 0, else 20. `right` is where its root's false branch
    leads.
    """
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_values=[0.0, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[right, 0, 0],
        nodes_missing_value_tracks_true=[0, 0, 0],
        target_treeids=[0, 0],
        target_nodeids=[1, 2],
        target_ids=[0, 0],
        target_weights=[10.0, 20.0],
    )
    return graph_file([node], width=width)
