"""Weights from registries that lie: on disk, and on a real HTTP server."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hydatis.registry.errors import RegistryError
from hydatis.registry.fetching import fetch_weights, weights_url
from hydatis.registry.versions import RegisteredVersion
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.weights import MOST_BYTES, digest_of
from hydatis.scheduler.testing_onnx import linear
from hydatis.simulations.training.tracking.opening import StoreUnusable

pytest.importorskip("mlflow", reason="a registry needs the extra `models`")

SOUND = linear()
LOCAL = "sqlite:////somewhere/mlflow.db"
SERVER = "http://127.0.0.1:9"
"""Nothing listens there: what asks it fails otherwise than expected."""


def version(source: str | Path, data: bytes = SOUND) -> RegisteredVersion:
    return RegisteredVersion("hydatis-load", "3", ModelKind.LOAD, "ab" * 32, digest_of(data), str(source), {}, {})


def refused(found: RegisteredVersion, uri: str) -> str:
    with pytest.raises(RegistryError) as caught:
        fetch_weights(found, uri)
    return str(caught.value)


def test_a_local_registry_has_its_files_on_disk(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(SOUND)
    assert fetch_weights(version(tmp_path), LOCAL) == SOUND
    assert fetch_weights(version(tmp_path.as_uri()), LOCAL) == SOUND


def test_what_is_on_disk_instead_of_the_weights_is_told(tmp_path: Path) -> None:
    assert "cannot be read from" in refused(version(tmp_path), LOCAL)
    assert "cannot be read from" in refused(version("/nul\0byte"), LOCAL)
    weights = tmp_path / "model.onnx"
    os.mkfifo(weights)
    assert "are no file" in refused(version(tmp_path), LOCAL)
    weights.unlink()
    with weights.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "have more than 16 MiB" in refused(version(tmp_path), LOCAL)
    weights.write_bytes(linear((9.0, 9.0, 9.0)))
    assert "were altered since; register the model again" in refused(version(tmp_path), LOCAL)
    pickled = b"\x80\x04\x8c\x05posix\x94."
    weights.write_bytes(pickled)
    assert "hydatis-load version 3 is no model that HYDATIS uses: NotOnnx" in refused(version(tmp_path, pickled), LOCAL)
    assert "set MLFLOW_TRACKING_URI to the server that has them" in refused(version("s3://bucket/model"), LOCAL)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("/etc", "are at /etc, and not on the registry's server"),
        ("file:///etc", "and not on the registry's server"),
        ("http://169.254.169.254/latest", "and not on the registry's server"),
        ("s3://key:secret@bucket/model", "are at s3://bucket/model, and not on the registry's server"),
        ("mlflow-artifacts://elsewhere:80/1/model", "no place on the registry's server"),
        ("mlflow-artifacts:/1/../../model", "no place on the registry's server"),
        ("mlflow-artifacts:/1/%2e%2e/model", "no place on the registry's server"),
        ("mlflow-artifacts:/1/%2Fetc/model", "no place on the registry's server"),
        ("mlflow-artifacts:/1//model", "no place on the registry's server"),
        ("mlflow-artifacts:/1/model?path=x", "no place on the registry's server"),
        ("mlflow-artifacts:", "no place on the registry's server"),
        ("", "and not on the registry's server"),
    ],
)
def test_a_server_names_files_of_its_own_alone(source: str, problem: str) -> None:
    assert problem in refused(version(source), SERVER)
    with pytest.raises(RegistryError, match="on the registry's server"):
        weights_url(version(source), SERVER)


@contextmanager
def answering(status: int, *chunks: bytes, **headers: str) -> Iterator[str]:
    """An HTTP server that says this to everybody, without an end of its own; yields its URL."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            try:
                for chunk in chunks:
                    self.wfile.write(chunk)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


STORED = version("mlflow-artifacts:/1/a b/model")


def test_a_server_has_the_file_below_its_artifacts() -> None:
    with answering(200, SOUND) as url:
        assert fetch_weights(STORED, url) == SOUND
        # Under a prefix as well.
        assert fetch_weights(STORED, f"{url}/mlflow/") == SOUND
    assert weights_url(STORED, "https://mlflow.example.com/x/") == (
        "https://mlflow.example.com/x/api/2.0/mlflow-artifacts/artifacts/1/a%20b/model/model.onnx"
    )


def test_a_server_that_lies_is_cut_off() -> None:
    with answering(200, *([bytes(2**20)] * 64)) as url:
        assert "have more than 16 MiB" in refused(STORED, url)
    with answering(404) as url:
        assert "answered 404 for the weights of hydatis-load version 3" in refused(STORED, url)
    with answering(302, Location="http://169.254.169.254/latest") as url:
        assert "answered 302" in refused(STORED, url)
    with answering(200, SOUND[:-1]) as url:
        assert "were altered since" in refused(STORED, url)
    bomb = replace(STORED, sha256=digest_of(b"x"))
    with answering(200, b"\x1f\x8b", Content_Encoding="gzip") as url:
        assert "were altered since" in refused(bomb, url)


def test_a_server_that_takes_for_ever_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hydatis.registry.fetching.FETCH_SECONDS", -1.0)
    with answering(200, SOUND) as url, pytest.raises(StoreUnusable, match="took longer than"):
        fetch_weights(STORED, url)


@pytest.mark.parametrize(
    ("server", "problem"),
    [
        ("sqlite:////x/mlflow.db", "HYDATIS fetches weights from servers alone"),
        ("http://", "HYDATIS fetches weights from servers alone"),
        ("http://mlflow?x=1", "HYDATIS fetches weights from servers alone"),
        ("http://me:secret@mlflow:5000", "holds a password, which an MLModel would show to everybody"),
        (f"http://mlflow/{'x' * 2048}", "has more than 2048 characters"),
    ],
)
def test_an_address_that_hydatis_could_not_fetch_from_is_refused(server: str, problem: str) -> None:
    with pytest.raises(RegistryError) as caught:
        weights_url(STORED, server)
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)
