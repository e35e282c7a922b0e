"""A training in a real store of MLflow: a SQLite file in a folder of the test's own."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.weights import digest_of
from hydatis.simulations.training.tracking.opening import StoreUnusable, check_store, opened, tracking_uri
from hydatis.simulations.training.tracking.registering import register
from hydatis.simulations.training.tracking.testing import made_model

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def test_a_training_becomes_a_run_and_a_version_with_the_very_weights(tmp_path: Path) -> None:
    model = made_model(curves={"loss": [3.0, float("nan"), 1.0]}, figures={"learning.png": b"picture"})
    registered = register(model)
    assert str(registered) == (
        f"registered hydatis-load version 1, {digest_of(b'weights')[:12]}, in sqlite:///{tmp_path}/mlflow.db"
    )
    with opened(tracking_uri()) as client:
        version = client.get_model_version("hydatis-load", "1")
        run = client.get_run(registered.run_id)
        losses = [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, "loss")]
    assert version.tags == {
        "hydatis.kind": "Load",
        "hydatis.schema_hash": model.schema_hash,
        "hydatis.sha256": digest_of(b"weights"),
        "hydatis.seed": "1",
        "hydatis.data": "made-up days",
        "hydatis.metrics.error": "0.25",
        "hydatis.metrics.error_mean": "0.5",
        "hydatis.code_version": version.tags["hydatis.code_version"],
        "hydatis.trained_at": version.tags["hydatis.trained_at"],
    }
    assert version.description == "# Card\n"
    folder = Path(urlsplit(version.source).path)
    assert folder.is_relative_to(tmp_path / "mlruns")
    assert (folder / "model.onnx").read_bytes() == b"weights"
    assert (folder / "card.md").read_text() == "# Card\n"
    assert (folder.parent / "figures" / "learning.png").read_bytes() == b"picture"
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seed": "1", "data": "made-up days", "depth": "6", "rate": "0.1"}
    assert (run.data.metrics["error"], losses) == (0.25, [(0, 3.0), (2, 1.0)])
    assert run.info.start_time == 1768651200000
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_the_next_training_of_a_kind_is_its_next_version_wherever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlflow.db").rename("models.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/models.db")
    assert register(made_model(ModelKind.ANOMALY)).version == "1"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert register(made_model(ModelKind.ANOMALY)).version == "2"
    assert register(made_model(ModelKind.PLACEMENT)).name == "hydatis-placement"
    assert list(Path().iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "models.db", "mlruns"}


def test_a_version_that_cannot_be_written_leaves_none_and_a_run_that_failed(tmp_path: Path) -> None:
    register(made_model())
    artifacts = tmp_path / "mlruns" / "hydatis-load"
    artifacts.rename("aside")
    artifacts.write_text("a file where a folder should be")
    with pytest.raises(StoreUnusable, match=r"cannot be used: .*(Not a directory|File exists)"):
        register(made_model())
    with opened(tracking_uri()) as client:
        assert [str(version.version) for version in client.search_model_versions("name = 'hydatis-load'")] == ["1"]
        experiment = client.get_experiment_by_name("hydatis-load")
        statuses = [run.info.status for run in client.search_runs([experiment.experiment_id])]
    assert sorted(statuses) == ["FAILED", "FINISHED"]


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        (
            "http://me:secret@127.0.0.1:9/x",
            "the registry of models at http://127.0.0.1:9/x cannot be used: ",
        ),
        ("sqlite:////dev/null/mlflow.db", "the registry of models at sqlite:////dev/null/mlflow.db cannot be used: "),
        ("gopher://127.0.0.1", "the registry of models at gopher://127.0.0.1 cannot be used: "),
    ],
)
def test_a_store_that_cannot_be_used_is_told_in_one_sentence_without_secrets(
    uri: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StoreUnusable) as caught:
        check_store(uri)
    assert str(caught.value).startswith(shown)
    assert str(caught.value).endswith("Check MLFLOW_TRACKING_URI, and that its server is up.")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_mistakes_of_the_block_are_not_taken_for_faults_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(KeyError), opened(f"sqlite:///{tmp_path}/mlflow.db"):
        raise KeyError("mistake")
