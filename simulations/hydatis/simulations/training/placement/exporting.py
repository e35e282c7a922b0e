"""ONNX of a trained agent: rows of `PLACEMENT_SCHEMA` in, scores of 0 to 100 out. Written operator by operator.

What is served is the part of Q in which choices differ: the cost that the pod adds to a node. Its power of ten becomes
the score, 0 for 1 or more, 100 for 10^-12 or less: nearly the steps of `ExpectedOverload`'s, of which 10^-12 scores 90,
so that the two average well.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.plugins.expected_overload import DECADES
from hydatis.simulations.training.onnx_writing import OnnxGraph
from hydatis.simulations.training.placement.network import (
    LEAST,
    LEAST_LOGGED,
    MOST,
    MOST_DEVIATIONS,
    NodeCost,
)

INPUT = "features"
OUTPUT = "score"
_OPSETS = {"": 17}


def onnx_of(added: NodeCost) -> bytes:
    """Return the model: input `features`, float32 (rows, features); output `score`, float32 (rows, 1)."""
    graph = OnnxGraph()
    weights = {name: value.detach().cpu().numpy() for name, value in added.state_dict().items()}
    logged = graph.add("Max", _columns(graph, added.reads.logged), graph.constant(LEAST_LOGGED))
    decades = graph.add("Div", graph.add("Log", logged), graph.constant(float(np.log(10.0))))
    read = graph.add("Concat", _columns(graph, added.reads.plain), decades, axis=1)
    centred = graph.add("Sub", read, graph.constant(weights["mean"]))
    standard = graph.add("Div", centred, graph.constant(weights["deviation"]))
    found = _cut(graph, standard, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    for number in range(len(added.hidden)):
        found = graph.add("Tanh", _linear(graph, found, weights, f"hidden.{number}"))
    found = _linear(graph, found, weights, "last")
    skipped = graph.add("Mul", _columns(graph, ["overload_added"]), graph.constant(weights["weight"]))
    power = _cut(graph, graph.add("Add", skipped, found), LEAST, MOST)
    score = graph.add("Mul", power, graph.constant(-100.0 / DECADES))
    low, high = graph.constant(0.0), graph.constant(100.0)
    graph.add("Clip", score, low, high, outputs=[OUTPUT])
    source = (INPUT, PLACEMENT_SCHEMA.width)
    return graph.written("placement", source=source, output=OUTPUT, shape=["rows", 1], opsets=_OPSETS)


def _columns(graph: OnnxGraph, names: Sequence[str]) -> str:
    """Columns of the input."""
    indices = np.array([PLACEMENT_SCHEMA.index(name) for name in names], dtype=np.int64)
    return graph.add("Gather", INPUT, graph.constant(indices), axis=1)


def _cut(graph: OnnxGraph, values: str, low: float, high: float) -> str:
    return graph.add("Clip", values, graph.constant(low), graph.constant(high))


def _linear(graph: OnnxGraph, values: str, weights: dict[str, Any], name: str) -> str:
    factors, offsets = graph.constant(weights[f"{name}.weight"]), graph.constant(weights[f"{name}.bias"])
    return graph.add("Gemm", values, factors, offsets, transB=1)
