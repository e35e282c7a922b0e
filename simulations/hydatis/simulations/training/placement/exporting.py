"""ONNX of a trained agent: rows of `PLACEMENT_SCHEMA` in, scores of 0 to 100 out. Written operator by operator.

What is served is the part of Q in which choices differ: the cost that the pod adds to a node. Its power of ten becomes
the score, 0 for 1 or more, 100 for 10^-12 or less, as of `ExpectedOverload`'s, so that the two average well.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.simulations.training.placement.network import (
    LEAST,
    LEAST_LOGGED,
    MOST,
    MOST_DEVIATIONS,
    NodeCost,
)

INPUT = "features"
OUTPUT = "score"
DECADES = 12.0
_OPSET = 17
_IR_VERSION = 8
"""Old enough for any ONNX Runtime that is still in use."""


class _Graph:
    """Nodes and constants, named as they come."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: NDArray[Any] | float) -> str:
        name = f"constant_{len(self.constants)}"
        array = np.asarray(values)
        kept = array.astype(np.float32) if array.dtype.kind == "f" else array
        self.constants.append(numpy_helper.from_array(kept, name))
        return name

    def add(self, operator: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any) -> str:
        names = list(outputs) or [f"{operator.lower()}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names[0]

    def columns(self, names: Sequence[str]) -> str:
        """Columns of the input."""
        indices = np.array([PLACEMENT_SCHEMA.index(name) for name in names], dtype=np.int64)
        return self.add("Gather", INPUT, self.constant(indices), axis=1)

    def cut(self, values: str, low: float, high: float) -> str:
        return self.add("Clip", values, self.constant(low), self.constant(high))


def onnx_of(added: NodeCost) -> bytes:
    """Return the model: input `features`, float32 (rows, features); output `score`, float32 (rows, 1)."""
    graph = _Graph()
    weights = {name: value.detach().cpu().numpy() for name, value in added.state_dict().items()}
    logged = graph.add("Max", graph.columns(added.reads.logged), graph.constant(LEAST_LOGGED))
    decades = graph.add("Div", graph.add("Log", logged), graph.constant(float(np.log(10.0))))
    read = graph.add("Concat", graph.columns(added.reads.plain), decades, axis=1)
    centred = graph.add("Sub", read, graph.constant(weights["mean"]))
    standard = graph.add("Div", centred, graph.constant(weights["deviation"]))
    found = graph.cut(standard, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    for number in range(len(added.hidden)):
        found = graph.add("Tanh", _linear(graph, found, weights, f"hidden.{number}"))
    found = _linear(graph, found, weights, "last")
    skipped = graph.add("Mul", graph.columns(["overload_added"]), graph.constant(weights["weight"]))
    power = graph.cut(graph.add("Add", skipped, found), LEAST, MOST)
    score = graph.add("Mul", power, graph.constant(-100.0 / DECADES))
    low, high = graph.constant(0.0), graph.constant(100.0)
    graph.add("Clip", score, low, high, outputs=[OUTPUT])
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "placement",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["rows", PLACEMENT_SCHEMA.width])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["rows", 1])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="hydatis",
    )
    onnx.checker.check_model(model, full_check=True)
    written: bytes = model.SerializeToString()
    return written


def _linear(graph: _Graph, values: str, weights: dict[str, Any], name: str) -> str:
    factors, offsets = graph.constant(weights[f"{name}.weight"]), graph.constant(weights[f"{name}.bias"])
    return graph.add("Gemm", values, factors, offsets, transB=1)
