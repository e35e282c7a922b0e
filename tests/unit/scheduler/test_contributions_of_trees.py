"""Contributions for a model of trees, run by ONNX Runtime, held against LightGBM's own (TreeSHAP)."""

import warnings

import numpy as np
import pytest

from hydatis.scheduler.arrays import Float64Array
from hydatis.scheduler.contributions import contributions
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.onnx_model import OnnxModel

lightgbm = pytest.importorskip("lightgbm")
onnxmltools = pytest.importorskip("onnxmltools")
WIDTH = 12


@pytest.fixture(scope="module")
def samples() -> tuple[Float64Array, Float64Array]:
    random = np.random.default_rng(5)
    rows = random.normal(size=(800, WIDTH)).astype(np.float32).astype(np.float64)
    return rows, rows[:, 0] + np.where(rows[:, 1] > 0, 2.0, rows[:, 2] ** 2) - 0.5 * rows[:, 3] * rows[:, 4]


def fitted(samples: tuple[Float64Array, Float64Array], leaves: int) -> tuple[OnnxModel, object]:
    booster = lightgbm.train(
        {"objective": "regression", "num_leaves": leaves, "verbose": -1, "num_threads": 1, "seed": 1},
        lightgbm.Dataset(*samples),
        num_boost_round=40,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        types = onnxmltools.convert.common.data_types
        shape = [("x", types.FloatTensorType([None, WIDTH]))]
        exported = onnxmltools.convert_lightgbm(booster, initial_types=shape, target_opset=15)
    data = exported.SerializeToString()
    model = OnnxModel.load(data, kind=ModelKind.LOAD, name="m", version="1", schema_hash="h", width=WIDTH)
    return model, booster


def test_of_trees_with_one_split_they_are_the_difference_of_lightgbms_own(
    samples: tuple[Float64Array, Float64Array],
) -> None:
    # Without interactions it does not matter what a feature's contribution is measured against: LightGBM's baseline,
    # which is what it was trained on, is in both of its answers and goes out of their difference.
    model, booster = fitted(samples, leaves=2)
    row, baseline = samples[0][3], samples[0][4]
    theirs = booster.predict(np.stack([row, baseline]), pred_contrib=True)  # type: ignore[attr-defined]
    ours = contributions(model.predict, row.astype(np.float32), baseline.astype(np.float32), np.random.default_rng(1))
    assert not ours.exact
    assert ours.values == pytest.approx(theirs[0, :WIDTH] - theirs[1, :WIDTH], abs=1e-5)
    assert ours.errors == pytest.approx(np.zeros(WIDTH), abs=1e-6)


def test_of_trees_with_interactions_they_add_up_and_leave_out_what_no_tree_splits_by(
    samples: tuple[Float64Array, Float64Array],
) -> None:
    model, booster = fitted(samples, leaves=15)
    unused = np.flatnonzero(booster.feature_importance() == 0)  # type: ignore[attr-defined]
    row, baseline = (samples[0][number].astype(np.float32) for number in (7, 8))
    found = contributions(model.predict, row, baseline, np.random.default_rng(1))
    predicted = model.predict(np.stack([row, baseline]))
    assert found.values.sum() == pytest.approx(predicted[0] - predicted[1], abs=1e-5)
    assert not found.values[unused].any()
