"""Fixtures that unit tests of several rooms use."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store of MLflow that holds nothing: to make one takes longer than to use it."""
    pytest.importorskip("mlflow", reason="a registry needs the extra `models`")
    from hydatis.simulations.training.tracking.opening import check_store  # noqa: PLC0415 - for few tests

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    check_store(f"sqlite:///{path}")
    return path


@pytest.fixture
def in_a_folder_of_its_own(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with an empty store in it, where MLflow expects it."""
    shutil.copy(empty_store, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path
