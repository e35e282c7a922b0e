"""Plain HTTP requests to the sandbox's own servers: readiness probes, and the few API calls that starting needs."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hydatis.sandbox.errors import SandboxError

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, read to its end."""

    status: int
    body: bytes

    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")


def request(
    url: str,
    *,
    context: ssl.SSLContext | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_seconds: float = _TIMEOUT_SECONDS,
) -> Answer:
    """One request on a connection of its own. Raises OSError or `http.client.HTTPException` where there is no
    answer.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection = (
        http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context)
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=timeout_seconds)
    )
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target or "/", body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def probe(
    url: str, *, context: ssl.SSLContext | None = None, headers: Mapping[str, str] | None = None
) -> Answer | None:
    """The answer to a GET, or None where the server does not answer (yet)."""
    try:
        return request(url, context=context, headers=headers)
    except (OSError, http.client.HTTPException):
        return None


class ApiServer:
    """The sandbox's API server, as the owner of `token` sees it. One request at a time, one connection each."""

    def __init__(self, url: str, ca_file: Path, token: str) -> None:
        self.url = url
        self.context = ssl.create_default_context(cafile=str(ca_file))
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """One request. Raises `SandboxError` where the server does not answer; every status is an answer."""
        content = None if body is None else json.dumps(body).encode()
        try:
            return request(self.url + path, context=self.context, method=method, headers=self.headers, body=content)
        except (OSError, http.client.HTTPException) as error:
            raise SandboxError(
                f"the API server at {self.url} does not answer ({error}); see: hydatis sandbox status"
            ) from error

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request that has to succeed; its decoded answer. Raises `SandboxError` with the server's own message."""
        answer = self.request(method, path, body)
        if answer.status >= http.client.MULTIPLE_CHOICES:
            raise SandboxError(f"{method} {path} was answered {answer.status}: {_message(answer)}")
        decoded: dict[str, Any] = json.loads(answer.body)
        return decoded

    def ready(self) -> bool:
        """True if /readyz says so."""
        return self.exists("/readyz")

    def exists(self, path: str) -> bool:
        """True if a GET of `path` is answered 200; False where there is no answer (yet)."""
        answer = probe(self.url + path, context=self.context, headers=self.headers)
        return answer is not None and answer.status == http.client.OK


def _message(answer: Answer) -> str:
    try:
        return str(json.loads(answer.body)["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text()[:300]
