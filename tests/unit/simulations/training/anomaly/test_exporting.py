from typing import Any

import numpy as np
import onnxruntime
import pytest

from hydatis.scheduler.features.columns import NODE_SCHEMA
from hydatis.scheduler.models.kind import ModelKind
from hydatis.simulations.baselines.ensembles import onnx_model
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.training.anomaly.calibrating import score_of
from hydatis.simulations.training.anomaly.exporting import EXPORTABLE, onnx_of
from hydatis.simulations.training.anomaly.made_up import made_up_machines
from hydatis.simulations.training.anomaly.serving import exported, served_detector, served_onnx
from hydatis.simulations.training.anomaly.windowed import WindowedDetector

SIMULATED: Any = {"scenarios": ("six",), "hours": 2.5}


def session(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def usual_nodes(seed: int = 1, rows: int = 600) -> Float32Array:
    """Rows of as many columns as NODE_SCHEMA has, one of them constant, with a spread of its own each."""
    random = np.random.default_rng(seed)
    table = random.standard_normal((rows, NODE_SCHEMA.width)) * np.linspace(0.01, 100.0, NODE_SCHEMA.width)
    table[:, 5] = 1.0
    return table.astype(np.float32)


@pytest.mark.parametrize("name", EXPORTABLE)
def test_the_export_says_what_the_original_says(name: str) -> None:
    fitted = served_detector(name, 1, usual_nodes())
    rows = np.concatenate([usual_nodes(2), 10 * usual_nodes(3)])
    original = fitted.scores(rows)
    (scores,) = session(exported(fitted)).run(None, {"features": rows})
    assert scores.dtype == np.float32
    assert scores == pytest.approx(original, rel=1e-5, abs=1e-5)
    assert np.ptp(scores) > 20


def test_rows_of_features_can_be_exported_as_well_and_differences_cannot_be_made_of_one_row() -> None:
    machine = made_up_machines(seed=2)[0]
    fitted = WindowedDetector.fit(machine.train, "principal", 1, span=1)
    rows = fitted.features.of(machine.test).astype(np.float32)
    original = score_of(fitted.calibration.surprise(fitted.detector.numbers(rows.astype(np.float64))))
    (scores,) = session(onnx_of(fitted.detector, fitted.calibration, rows.shape[1])).run(None, {"features": rows})
    assert scores == pytest.approx(original, rel=1e-5, abs=1e-5)
    with pytest.raises(SimulationError, match="fit with differences=False"):
        onnx_of(fitted.detector, fitted.calibration, 4, fitted.features)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert served_onnx("combined", 1, {}, **SIMULATED) == served_onnx("combined", 1, {}, **SIMULATED)


@pytest.mark.parametrize("name", EXPORTABLE)
def test_the_operator_takes_it_for_rows_of_its_own(name: str) -> None:
    data = exported(served_detector(name, 1, usual_nodes()))
    predicted = onnx_model(data, ModelKind.ANOMALY, "a").predict(usual_nodes())
    assert ((predicted >= 0.0) & (predicted <= 100.0)).all()


def test_any_number_of_rows_is_taken_and_none_at_all() -> None:
    run = session(exported(served_detector("principal", 1, usual_nodes()))).run
    for count in (0, 1, 7):
        (scores,) = run(None, {"features": np.zeros((count, NODE_SCHEMA.width), dtype=np.float32)})
        assert scores.shape == (count,)


def test_what_cannot_be_served_is_told_before_anything_is_simulated() -> None:
    with pytest.raises(SimulationError, match="the detector iforest cannot be exported; use one of principal"):
        served_onnx("iforest", 1, {})
