"""Puts a trained model into MLflow: one run with all that is known of the training, one version with the weights."""

import math
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydatis.scheduler.models.weights import digest_of
from hydatis.simulations.sweeps.code_version import code_version
from hydatis.simulations.training.tracking.naming import (
    CARD_FILE,
    FIGURES_FOLDER,
    METRIC_PREFIX,
    MODEL_FOLDER,
    REGISTERED_NAMES,
    WEIGHTS_FILE,
    Tag,
)
from hydatis.simulations.training.tracking.opening import ARTIFACTS_FOLDER, database_path, opened, shown, tracking_uri
from hydatis.simulations.training.tracking.trained_model import TrainedModel

_BATCH = 1000
"""Most metrics of one request, by MLflow."""
_DESCRIPTION_MAX = 5000
"""Most characters of a version's description, by MLflow; the card is whole among the artifacts."""


@dataclass(frozen=True, slots=True)
class Registered:
    """Where the model is now."""

    name: str
    version: str
    run_id: str
    sha256: str
    store: str
    """URI of the store, without secrets."""

    def __str__(self) -> str:
        return f"registered {self.name} version {self.version}, {self.sha256[:12]}, in {self.store}"


def register(model: TrainedModel, *, uri: str | None = None) -> Registered:
    """Track the training as a run that is over, and register the ONNX file as the next version of its kind.

    `uri` is the store's; left out, `opening.tracking_uri` finds it. A training that cannot be registered leaves no
    version behind, and a run that says FAILED where there is one.

    Raises:
        StoreUnusable: the store cannot be reached or written.

    """
    uri = uri or tracking_uri()
    name = REGISTERED_NAMES[model.kind]
    with opened(uri) as client:
        run = client.create_run(_experiment(client, name, uri), start_time=_milliseconds(model.started))
        run_id: str = run.info.run_id
        try:
            _log(client, run_id, model)
            source = f"{run.info.artifact_uri}/{MODEL_FOLDER}"
            version = _version(client, name, source, run_id, model)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
    return Registered(name, version, run_id, digest_of(model.onnx), shown(uri))


def _experiment(client: Any, name: str, uri: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        if found.lifecycle_stage != "active":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    database = database_path(uri)
    # Beside the database, wherever the command was called; a server knows by itself.
    place = None if database is None else (database.parent / ARTIFACTS_FOLDER / name).as_uri()
    return str(client.create_experiment(name, artifact_location=place))


def _log(client: Any, run_id: str, model: TrainedModel) -> None:
    from mlflow.entities import Metric, Param  # noqa: PLC0415 - see `opening`

    now = _milliseconds(datetime.now(UTC))
    parameters = {"seed": model.seed, "data": model.data, **model.parameters}
    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in parameters.items()])
    metrics = [Metric(key, float(value), now, 0) for key, value in model.metrics.items()]
    for key, values in model.curves.items():
        # A gap in a curve is a gap in its picture.
        metrics += [Metric(key, float(y), now, step) for step, y in enumerate(values) if math.isfinite(y)]
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _BATCH])
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        (top / MODEL_FOLDER).mkdir()
        (top / MODEL_FOLDER / WEIGHTS_FILE).write_bytes(model.onnx)
        (top / MODEL_FOLDER / CARD_FILE).write_text(model.card, encoding="utf-8")
        if model.figures:
            (top / FIGURES_FOLDER).mkdir()
        for file_name, content in model.figures.items():
            (top / FIGURES_FOLDER / file_name).write_bytes(content)
        client.log_artifacts(run_id, folder)


def _version(client: Any, name: str, source: str, run_id: str, model: TrainedModel) -> str:
    if not client.search_registered_models(filter_string=f"name = '{name}'"):
        client.create_registered_model(name, tags={Tag.KIND.value: model.kind.value})
    tags = {
        Tag.KIND: model.kind.value,
        Tag.SCHEMA_HASH: model.schema_hash,
        Tag.SHA256: digest_of(model.onnx),
        Tag.SEED: str(model.seed),
        Tag.DATA: model.data,
        Tag.CODE_VERSION: code_version(),
        Tag.TRAINED_AT: datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    measured = {f"{METRIC_PREFIX}{key}": repr(float(value)) for key, value in model.metrics.items()}
    made = client.create_model_version(
        name,
        source=source,
        run_id=run_id,
        description=model.card[:_DESCRIPTION_MAX],
        tags={**{tag.value: text for tag, text in tags.items()}, **measured},
    )
    return str(made.version)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
