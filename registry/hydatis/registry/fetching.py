"""Gets the ONNX file of a version, and says under which URL a server has it.

Invariants: never more than `MOST_BYTES` are read, nor for longer than a minute; what is returned has the digest that
was registered and is the graph of a model; a server names files of its own alone, never a file of this machine and
never another server.

Both functions are called while the registry is open: a server that breaks off becomes StoreUnusable there.
"""

import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from hydatis.registry.errors import RegistryError, printable
from hydatis.registry.versions import RegisteredVersion
from hydatis.scheduler.models.model_spec import URL_MAX
from hydatis.scheduler.models.refusal import ModelRefused
from hydatis.scheduler.models.weights import MOST_BYTES, digest_of
from hydatis.simulations.training.tracking.naming import WEIGHTS_FILE
from hydatis.simulations.training.tracking.opening import StoreUnusable, shown

FETCH_SECONDS = 60.0
_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
"""Where `mlflow server --serve-artifacts` has the files that it keeps: MLflow's REST API."""
_CHUNK = 2**16


def fetch_weights(version: RegisteredVersion, registry_uri: str) -> bytes:
    """Return the ONNX file.

    Raises:
        RegistryError: it is missing, too large, altered, or no model.
        StoreUnusable: the server cannot be reached.

    """
    if urlsplit(registry_uri).scheme in ("http", "https"):
        data = _from_server(version, registry_uri)
    else:
        data = _from_disk(version)
    found = digest_of(data)
    if found != version.sha256:
        raise RegistryError(
            f"the weights of {version} have the digest {found[:12]}…, and {version.sha256[:12]}… was registered: they "
            "were altered since; register the model again."
        )
    _check_graph(version, data)
    return data


def weights_url(version: RegisteredVersion, server: str) -> str:
    """Return where a server of MLflow has the file. Raises RegistryError."""
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise RegistryError(
            f"the registry is at {printable(shown(server))}, and HYDATIS fetches weights from servers alone: name "
            "one with --server, or leave out --by-reference."
        )
    if parts.username is not None or parts.password is not None:
        raise RegistryError(
            "the server's address holds a password, which an MLModel would show to everybody: HYDATIS fetches without "
            "one; leave out --by-reference."
        )
    url = f"{server.rstrip('/')}{_ARTIFACTS}{_path_on_server(version)}"
    if len(url) > URL_MAX:
        raise RegistryError(f"the address of the weights of {version} has more than {URL_MAX} characters.")
    return url


def _path_on_server(version: RegisteredVersion) -> str:
    """Return the file's path below the server's artifacts, percent-encoded. Raises RegistryError."""
    parts = urlsplit(version.source)
    segments = [unquote(segment) for segment in parts.path.strip("/").split("/")]
    if parts.scheme != "mlflow-artifacts":
        raise RegistryError(
            f"the files of {version} are at {printable(shown(version.source))}, and not on the registry's server: "
            "start it with --serve-artifacts, and register the model again."
        )
    odd = any(segment in ("", ".", "..") or "/" in segment or "\\" in segment for segment in segments)
    if parts.netloc or parts.query or parts.fragment or odd:
        raise RegistryError(
            f"the files of {version} are said to be at {printable(shown(version.source))}, which is no place on the "
            "registry's server; register the model again."
        )
    return "/".join(quote(segment, safe="") for segment in [*segments, WEIGHTS_FILE])


def _from_server(version: RegisteredVersion, uri: str) -> bytes:
    from mlflow.utils.credentials import get_default_host_creds  # noqa: PLC0415 - as in `opening`
    from mlflow.utils.rest_utils import http_request  # noqa: PLC0415

    place = f"{_ARTIFACTS}{_path_on_server(version)}"
    # MLflow's own request: it brings the user's credentials. Its download would write files of any size.
    with http_request(
        get_default_host_creds(uri),
        place,
        "GET",
        raise_on_status=False,
        stream=True,
        allow_redirects=False,
        extra_headers={"Accept-Encoding": "identity"},
    ) as answer:
        if answer.status_code != 200:
            raise RegistryError(
                f"the server of the registry answered {answer.status_code} for the weights of {version}; check that "
                "it serves artifacts (--serve-artifacts), and register the model again if they are gone."
            )
        return _bounded(version, uri, answer)


def _bounded(version: RegisteredVersion, uri: str, answer: Any) -> bytes:
    # Nothing is decoded on the way: a few bytes could become many.
    chunks: Iterable[bytes] = answer.raw.stream(_CHUNK, decode_content=False)
    end = time.monotonic() + FETCH_SECONDS
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MOST_BYTES:
            raise _too_large(version)
        if time.monotonic() > end:
            raise StoreUnusable(
                f"the server of the registry at {shown(uri)} took longer than {FETCH_SECONDS:.0f} s for the weights of "
                f"{version}; try again, or check it."
            )
    return bytes(data)


def _from_disk(version: RegisteredVersion) -> bytes:
    parts = urlsplit(version.source)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        raise RegistryError(
            f"the files of {version} are at {printable(shown(version.source))}: set MLFLOW_TRACKING_URI to the server "
            "that has them."
        )
    folder = unquote(parts.path) if parts.scheme else version.source
    path = Path(folder) / WEIGHTS_FILE
    try:
        # A pipe would keep whoever opens it waiting.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RegistryError(f"the weights of {version} are no file: {printable(str(path))}.")
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RegistryError(
            f"the weights of {version} cannot be read from {printable(str(path))}: {reason}; register the model again."
        ) from error
    if len(data) > MOST_BYTES:
        raise _too_large(version)
    return data


def _too_large(version: RegisteredVersion) -> RegistryError:
    return RegistryError(
        f"the weights of {version} have more than {MOST_BYTES // 2**20} MiB, which no cluster takes; train a smaller "
        "one."
    )


def _check_graph(version: RegisteredVersion, data: bytes) -> None:
    """Find out before anything is created what the operator would refuse; it looks again, and closer."""
    from hydatis.scheduler.models.onnx_graph import check_graph, read_graph  # noqa: PLC0415 - it imports onnx

    try:
        check_graph(read_graph(data), None)
    except ModelRefused as refused:
        raise RegistryError(f"{version} is no model that HYDATIS uses: {refused}.") from refused
