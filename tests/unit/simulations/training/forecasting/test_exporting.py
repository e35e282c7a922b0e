from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from hydatis.scheduler.models.onnx_graph import ML_OPERATORS, OPERATORS
from hydatis.simulations.training.forecasting.exporting import onnx_of
from hydatis.simulations.training.forecasting.features import feature_table
from hydatis.simulations.training.forecasting.forecaster import Forecaster
from hydatis.simulations.training.forecasting.series import made_up_series


def run(model: bytes, rows: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"features": rows})[0]


def test_the_export_says_what_the_original_says_missing_past_included(forecaster: Forecaster) -> None:
    model = onnx_of(forecaster)
    for machine in made_up_series(2)[:2]:
        times = np.arange(287, len(machine) - 12, 5)
        _, rows = feature_table(machine, times, 12)
        assert np.isnan(rows).any()
        forecast = forecaster.at(rows, machine.cpu_percent[times])
        exported = run(model, rows)
        assert exported.shape == (len(times), 2)
        assert exported[:, 0] == pytest.approx(forecast.point, abs=1e-4)
        assert exported[:, 1] == pytest.approx(forecast.upper, abs=1e-4)
        assert np.ptp(exported) > 0.5


def test_its_operators_are_among_those_that_models_may_have(forecaster: Forecaster) -> None:
    model = onnx.load_from_string(onnx_of(forecaster))
    assert {node.op_type for node in model.graph.node} <= OPERATORS | ML_OPERATORS
    assert [len(forecaster.names)] == [model.graph.input[0].type.tensor_type.shape.dim[1].dim_value]


def test_no_rows_are_taken(forecaster: Forecaster) -> None:
    assert run(onnx_of(forecaster), np.zeros((0, len(forecaster.names)), dtype=np.float32)).shape == (0, 2)
