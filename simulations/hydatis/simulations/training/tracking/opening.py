"""Finds the store of MLflow and opens it: MLFLOW_TRACKING_URI, else a SQLite file in the working folder.

Importing this module imports MLflow, which takes a second. Whatever goes wrong in MLflow, or below it, leaves here as
StoreUnusable with one sentence; nothing else of MLflow's errors is for users.
"""

import logging
import os
import re
import warnings
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydatis.simulations.errors import SimulationError

TRACKING_VARIABLE = "MLFLOW_TRACKING_URI"
DEFAULT_URI = "sqlite:///mlflow.db"
"""MLflow's own default, so that `mlflow ui` in the same folder shows what was trained."""
ARTIFACTS_FOLDER = "mlruns"
"""Beside a local database, as MLflow has it."""
_SQLITE = "sqlite:///"
_OF_HYDATIS = {
    # Nothing is told to anybody of what is trained here.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # What was registered is told by who registers it.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Seven repetitions, MLflow's default, keep a user waiting for four minutes before a dead server is told.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
_SECRETS = re.compile(r"(?<=://)[^/@\s]*@")


class StoreUnusable(SimulationError):  # noqa: N818 - named after what happened
    """MLflow's store cannot be reached, read or written; the text is one sentence with the remedy."""


def tracking_uri() -> str:
    """Return the store's URI: from the environment, else the default, as an absolute path."""
    uri = os.environ.get(TRACKING_VARIABLE) or DEFAULT_URI
    path = database_path(uri)
    return uri if path is None else f"{_SQLITE}{path}"


def database_path(uri: str) -> Path | None:
    """Return the file of a SQLite store; None for any other."""
    return Path(uri.removeprefix(_SQLITE)).absolute() if uri.startswith(_SQLITE) else None


@contextmanager
def opened(uri: str) -> Iterator[Any]:
    """Yield an `mlflow.MlflowClient` of this store, for runs and for models; the store is asked once.

    Raises:
        StoreUnusable: for whatever MLflow raises, here and in the block.

    """
    _prepare(os.environ)
    try:
        with warnings.catch_warnings():
            # Its own and SQLAlchemy's deprecations are not for who trains a model.
            warnings.simplefilter("ignore")
            from mlflow import MlflowClient  # noqa: PLC0415 - it reads the environment when it is imported

            for noisy in ("mlflow", "alembic"):
                logging.getLogger(noisy).setLevel(logging.ERROR)
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_registered_models(max_results=1)
            yield client
    except SimulationError:
        raise
    except Exception as error:
        if not _from_below(error):
            raise
        raise StoreUnusable(
            f"the registry of models at {shown(uri)} cannot be used: {_told(error)}. "
            f"Check {TRACKING_VARIABLE}, and that its server is up."
        ) from error


def check_store(uri: str | None = None) -> None:
    """Find out before a long training whether its result can be registered. Raises StoreUnusable."""
    with opened(uri or tracking_uri()):
        pass


def shown(uri: str) -> str:
    """Return the URI without user and password."""
    return _SECRETS.sub("", uri)


def _prepare(environment: MutableMapping[str, str]) -> None:
    for name, value in _OF_HYDATIS.items():
        environment.setdefault(name, value)


def _from_below(error: Exception) -> bool:
    """Whether MLflow, its database or the system raised it, and not the code of the block."""
    origin = type(error).__module__.partition(".")[0]
    return origin in ("mlflow", "sqlalchemy", "alembic", "requests", "urllib3") or isinstance(error, OSError)


def _told(error: Exception) -> str:
    text = _SECRETS.sub("", " ".join(str(error).split())) or type(error).__name__
    return (text if len(text) <= 300 else f"{text[:300]}…").rstrip(".")
