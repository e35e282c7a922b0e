"""ONNX of a fitted detector: rows of features in, scores of 0 to 100 out. Written operator by operator.

The graph computes in double precision: distances to many neighbours are differences of large numbers. It holds no
smoothing, which needs the row before; fit with `span=1` what is to be served row by row.
"""

from typing import Any

import numpy as np
from onnx import TensorProto

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.anomaly.calibrating import HALF_SURPRISE, Calibration
from hydatis.simulations.training.anomaly.detectors import NEIGHBOURS
from hydatis.simulations.training.anomaly.features import MOST_DEVIATIONS, Features
from hydatis.simulations.training.anomaly.row_detector import RowDetector
from hydatis.simulations.training.onnx_writing import OnnxGraph

INPUT = "features"
OUTPUT = "score"
EXPORTABLE = ("principal", "knn", "combined")
_OPSETS = {"": 17}


def onnx_of(
    detector: RowDetector, calibration: Calibration, feature_count: int, standardising: Features | None = None
) -> bytes:
    """Return the model: input `features`, float32 (rows, features); output `score`, float32 (rows,).

    With `standardising`, which must be without differences, its rows are metrics as they are measured, `feature_count`
    of them; without, they are rows of features.

    Raises:
        SimulationError: the detector is none that can be served.

    """
    if detector.name not in EXPORTABLE:
        raise SimulationError(f"the detector {detector.name} cannot be exported; use one of {', '.join(EXPORTABLE)}.")
    graph = OnnxGraph(floats=np.float64)
    rows = graph.add("Cast", INPUT, to=TensorProto.DOUBLE)
    if standardising is not None:
        rows = _standardised(graph, rows, standardising)
    parts = []
    for (name, fitted), scale in zip(detector.members, detector.scales, strict=True):
        number = _principal(graph, rows, fitted) if name == "principal" else _neighbours(graph, rows, fitted)
        parts.append(graph.add("Div", number, graph.constant(scale * len(detector.members))))
    total = parts[0]
    for part in parts[1:]:
        total = graph.add("Add", total, part)
    surprise = _surprise(graph, total, calibration)
    below = graph.add("Add", surprise, graph.constant(HALF_SURPRISE))
    share = graph.add("Div", graph.add("Mul", surprise, graph.constant(100.0)), below)
    graph.add("Cast", share, outputs=[OUTPUT], to=TensorProto.FLOAT)
    return graph.written("anomaly", source=(INPUT, feature_count), output=OUTPUT, shape=["rows"], opsets=_OPSETS)


def _standardised(graph: OnnxGraph, metrics: str, features: Features) -> str:
    """Drop constant metrics, and give the others in units of their deviation, cut where `Features` cuts them."""
    if features.differences:
        raise SimulationError("features with differences need the rows before; fit with differences=False.")
    kept = graph.add("Gather", metrics, graph.constant(np.flatnonzero(features.kept)), axis=1)
    around = graph.add("Sub", kept, graph.constant(features.mean))
    level = graph.add("Div", around, graph.constant(features.deviation))
    return graph.add("Min", graph.add("Max", level, graph.constant(-MOST_DEVIATIONS)), graph.constant(MOST_DEVIATIONS))


def _principal(graph: OnnxGraph, rows: str, fitted: Any) -> str:
    """Norm of (row - mean) projected on the components, each over its deviation."""
    projection: Float64Array = fitted.projection_
    projected = graph.add("MatMul", rows, graph.constant(projection))
    around = graph.add("Sub", projected, graph.constant(fitted.mean_ @ projection))
    return graph.add("ReduceL2", around, axes=[1], keepdims=0)


def _neighbours(graph: OnnxGraph, rows: str, fitted: Any) -> str:
    """Distance to the fifth nearest of the kept rows: |a|^2 - 2 ab + |b|^2, the fifth smallest, its root."""
    kept = np.asarray(fitted.neigh_._fit_X, dtype=np.float64)
    products = graph.add("MatMul", rows, graph.constant(-2.0 * kept.T))
    partial = graph.add("Add", products, graph.constant((kept**2).sum(axis=1)))
    count = graph.constant(np.array([NEIGHBOURS], dtype=np.int64))
    name = f"nearest_{len(graph.nodes)}"
    nearest = graph.add("TopK", partial, count, outputs=[name, f"{name}_rows"], axis=1, largest=0, sorted=1)
    fifth = graph.add("Gather", nearest, graph.constant(np.array(NEIGHBOURS - 1, dtype=np.int64)), axis=1)
    squared = graph.add("Add", fifth, graph.add("ReduceSumSquare", rows, axes=[1], keepdims=0))
    return graph.add("Sqrt", graph.add("Max", squared, graph.constant(0.0)))


def _surprise(graph: OnnxGraph, numbers: str, calibration: Calibration) -> str:
    """Interpolate in the table of quantiles, as a sum of ramps up to the number, and add the tail."""
    floored = graph.add("Sub", numbers, graph.constant(calibration.floor))
    knots, surprises = calibration.numbers, calibration.surprises
    steep = np.diff(surprises) / np.diff(knots)
    column = graph.add("Unsqueeze", floored, graph.constant(np.array([1], dtype=np.int64)))
    over = graph.add("Sub", column, graph.constant(knots[:-1]))
    ramps = graph.add("Min", graph.add("Max", over, graph.constant(0.0)), graph.constant(np.diff(knots)))
    within = graph.add("MatMul", ramps, graph.constant(steep))
    first = graph.add("Add", within, graph.constant(surprises[0]))
    start = graph.constant(calibration.tail_start)
    ratio = graph.add("Div", graph.add("Max", floored, start), start)
    beyond = graph.add("Div", graph.add("Log", ratio), graph.constant(calibration.tail_scale))
    return graph.add("Add", first, beyond)
