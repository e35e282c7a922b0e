from typing import Any

import numpy as np
import onnxruntime
import pytest

from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.onnx_model import OnnxModel
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.anomaly.calibrating import score_of
from hydatis.simulations.training.anomaly.exporting import EXPORTABLE, onnx_of
from hydatis.simulations.training.anomaly.made_up import made_up_machines
from hydatis.simulations.training.anomaly.serving import served_detector, served_onnx


def session(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", EXPORTABLE)
def test_the_export_says_what_the_original_says(name: str) -> None:
    fitted = served_detector(name, seed=1)
    machine = made_up_machines(seed=2)[0]
    usual = fitted.features.of(machine.test)
    rows = np.concatenate([usual, 10 * usual]).astype(np.float32)
    original = score_of(fitted.calibration.surprise(fitted.detector.numbers(rows.astype(np.float64))))
    (exported,) = session(onnx_of(fitted.detector, fitted.calibration, rows.shape[1])).run(None, {"features": rows})
    assert exported.dtype == np.float32
    assert exported == pytest.approx(original, rel=1e-5, abs=1e-5)
    assert np.ptp(exported) > 20


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert served_onnx("combined", seed=1) == served_onnx("combined", seed=1)


@pytest.mark.parametrize("name", EXPORTABLE)
def test_the_scheduler_takes_it(name: str) -> None:
    data = served_onnx(name, seed=1)
    loaded = OnnxModel.load(data, kind=ModelKind.ANOMALY, name="a", version="1", schema_hash="", width=None)
    assert loaded.width == served_detector(name, seed=1).features.count


def test_any_number_of_rows_is_taken_and_none_at_all() -> None:
    run = session(served_onnx("principal", seed=1)).run
    columns = served_detector("principal", seed=1).features.count
    for count in (0, 1, 7):
        (scores,) = run(None, {"features": np.zeros((count, columns), dtype=np.float32)})
        assert scores.shape == (count,)


def test_what_cannot_be_served_is_told() -> None:
    with pytest.raises(SimulationError, match="the detector iforest cannot be exported; use one of principal"):
        served_onnx("iforest", seed=1)
