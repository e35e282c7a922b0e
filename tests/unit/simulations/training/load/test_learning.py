import numpy as np
import pytest

pytest.importorskip("lightgbm")
pytest.importorskip("onnxmltools")

from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.models.kind import ModelKind
from hydatis.simulations.baselines.ensembles import onnx_model
from hydatis.simulations.training.load.exporting import onnx_of
from hydatis.simulations.training.load.hindsight import Answered
from hydatis.simulations.training.load.learning import LABEL_SCALE, TreeSettings, learn, without_ignored
from hydatis.simulations.training.load.regretting import regret

SMALL = TreeSettings(rounds=40, leaves=7, least_rows=20, learning_rate=0.1)


def test_the_export_says_what_the_original_says(answers: Answered) -> None:
    booster = learn([answers], 1, SMALL)
    loaded = onnx_model(onnx_of(booster), ModelKind.LOAD, "load")
    original = booster.predict(without_ignored(answers.features)) / LABEL_SCALE
    assert loaded.predict(answers.features) == pytest.approx(original, rel=1e-4)
    assert np.ptp(original) > 1e-4


def test_the_model_learns_to_choose_nodes_to_which_little_is_added(answers: Answered) -> None:
    loaded = onnx_model(onnx_of(learn([answers], 1, SMALL)), ModelKind.LOAD, "load")
    starts = np.flatnonzero(np.diff(answers.question, prepend=-1))
    best = (np.minimum.reduceat(answers.added, starts) * answers.weight[starts]).sum()
    at_random = (answers.added * answers.weight / np.bincount(answers.question)[answers.question]).sum() / best
    assert 1.0 <= regret([answers], loaded) < at_random
    assert regret([answers], loaded) < regret([answers], None)


def test_the_hour_is_not_learnt_from(answers: Answered) -> None:
    loaded = onnx_model(onnx_of(learn([answers], 1, SMALL)), ModelKind.LOAD, "load")
    later = answers.features.copy()
    later[:, PLACEMENT_SCHEMA.index("hour_sine")] = -1.0
    assert loaded.predict(later).tobytes() == loaded.predict(answers.features).tobytes()


def test_the_same_seed_gives_the_same_bytes(answers: Answered) -> None:
    assert onnx_of(learn([answers], 1, SMALL)) == onnx_of(learn([answers], 1, SMALL))
