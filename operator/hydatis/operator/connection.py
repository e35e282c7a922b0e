"""The one client of the API server: raw JSON over kubernetes-asyncio's TLS connections, with orjson bodies.

Everything that talks to the API server holds the `Connection` that `running` opens. It adds the credentials, reads
them again when the server no longer takes them (tokens of service accounts rotate), turns answers into the errors of
`errors`, and counts. It never repeats a request whose outcome is unknown: that is for the caller to decide.
"""

import asyncio
import os
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, Self, cast
from urllib.parse import urlencode, urlsplit

import aiohttp
import orjson
from kubernetes_asyncio.client.configuration import Configuration
from kubernetes_asyncio.client.rest import RESTClientObject
from kubernetes_asyncio.config.config_exception import ConfigException
from yarl import URL

from hydatis.operator.credentials import CredentialSource
from hydatis.operator.errors import (
    ApiError,
    CertificateRefused,
    Conflict,
    Expired,
    Forbidden,
    Misconfigured,
    NotFound,
    Rejected,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)

USER_AGENT = "hydatis"
REQUEST_TIMEOUT_SECONDS = 15.0
"""No answer after this long counts as unknown. API servers cut requests at 60 s; a scheduler cannot wait that long."""
CREDENTIALS_AGE_SECONDS = 60.0
"""How often the pod's service account token is read again, as client-go does; it is rotated well before it expires."""
_RELOAD_INTERVAL_SECONDS = 1.0
_CONNECTION_FAULTS = (aiohttp.ClientError, TimeoutError, OSError)

RequestObserver = Callable[[str, str, int, float], None]
"""Called after each request with verb, resource, HTTP status (0: no answer) and seconds."""


class Body(StrEnum):
    """How a request's body is meant."""

    JSON = "application/json"
    JSON_PATCH = "application/json-patch+json"
    MERGE_PATCH = "application/merge-patch+json"
    STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"


class Connection:
    """Requests to one API server with one identity. Open with `Connection.open`, close with `close`."""

    def __init__(self, source: CredentialSource, configuration: Configuration, observe: RequestObserver) -> None:
        self._source = source
        self.configuration = configuration
        self.server: str = (configuration.host or "").rstrip("/")
        self._observe = observe
        self._rest = _rest_client(configuration)
        # Its own session asks the environment for a proxy and for .netrc on a thread for every single request; ours
        # shares its connections and TLS set-up and asks once.
        self.proxy: str | None = configuration.proxy or _environment_proxy(self.server)
        self._session = aiohttp.ClientSession(
            connector=self._rest.pool_manager.connector,
            connector_owner=False,
            proxy=self.proxy,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS),
            skip_auto_headers=("Accept-Encoding",),
        )
        self._headers: dict[Body, dict[str, str]] = {}
        self._loaded_at = 0.0
        self._reload_lock = asyncio.Lock()

    @classmethod
    async def open(cls, source: CredentialSource, observe: RequestObserver = lambda *_: None) -> Self:
        """Read the credentials and prepare the session; no request is sent yet. Raises Misconfigured."""
        connection = cls(source, await source.load(), observe)
        await connection._build_headers()
        return connection

    async def close(self) -> None:
        """Close every connection; requests in flight fail as Unreachable."""
        await self._session.close()
        await self._rest.close()

    @property
    def authorization(self) -> str:
        """The Authorization header's value in use, empty with a client certificate."""
        return self._headers[Body.JSON].get("Authorization", "")

    async def request(
        self,
        method: str,
        path: str,
        *,
        resource: str,
        verb: str,
        body: object = None,
        meaning: Body = Body.JSON,
        query: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - passed to aiohttp, which also closes the connection
    ) -> tuple[int, bytes]:
        """Send one request and return (status, body bytes) of a 2xx answer.

        `path` must be percent-encoded; `resource` and `verb` are Kubernetes' and label the metrics; `timeout` is in
        seconds. Raises an `ApiError` for any other answer and `Unreachable` for none.
        """
        data = None if body is None else orjson.dumps(body)
        url = self._url(path, query)
        limit = self._session.timeout if timeout is None else aiohttp.ClientTimeout(total=timeout)
        await self._refresh_if_old()
        try:
            return await self._send((verb, resource), method, url, data=data, meaning=meaning, limit=limit)
        except Unauthorized:
            # Not authenticated means not processed, so one repetition with fresh credentials is safe.
            if not await self._reload():
                raise
            return await self._send((verb, resource), method, url, data=data, meaning=meaning, limit=limit)

    async def get(self, path: str, *, resource: str, verb: str = "get", query: Mapping[str, str] | None = None) -> Any:
        """GET and decode a JSON document."""
        _, payload = await self.request("GET", path, resource=resource, verb=verb, query=query)
        return decode(payload)

    @asynccontextmanager
    async def stream(
        self, path: str, *, resource: str, query: Mapping[str, str], open_seconds: float, silence_seconds: float
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """Open a watch and yield the reader of its body.

        The server must answer within `open_seconds` and then never be silent for longer than `silence_seconds`, else
        reading raises TimeoutError. Raises as `request` does; while the caller reads, aiohttp's own errors surface.
        """
        await self._refresh_if_old()
        started = time.perf_counter()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=open_seconds, sock_read=silence_seconds)
        try:
            async with asyncio.timeout(open_seconds):
                response = await self._session.get(
                    self._url(path, query), headers=self._headers[Body.JSON], timeout=timeout, allow_redirects=False
                )
        except _CONNECTION_FAULTS as fault:
            self._observe("watch", resource, 0, time.perf_counter() - started)
            raise _unreachable(self.server, fault) from fault
        try:
            self._observe("watch", resource, response.status, time.perf_counter() - started)
            if response.status != 200:
                try:
                    payload = await response.read()
                except _CONNECTION_FAULTS as fault:
                    raise _unreachable(self.server, fault) from fault
                if response.status == 401:
                    await self._reload()
                raise _api_error(response.status, response.headers, payload)
            yield response.content
        finally:
            response.close()

    async def _send(
        self,
        labels: tuple[str, str],
        method: str,
        url: URL,
        *,
        data: bytes | None,
        meaning: Body,
        limit: aiohttp.ClientTimeout,
    ) -> tuple[int, bytes]:
        started = time.perf_counter()
        status = 0
        try:
            async with self._session.request(
                method, url, data=data, headers=self._headers[meaning], allow_redirects=False, timeout=limit
            ) as response:
                payload = await response.read()
                status = response.status
        except _CONNECTION_FAULTS as fault:
            raise _unreachable(self.server, fault) from fault
        finally:
            self._observe(*labels, status, time.perf_counter() - started)
        if 200 <= status < 300:
            return status, payload
        raise _api_error(status, response.headers, payload)

    def _url(self, path: str, query: Mapping[str, str] | None) -> URL:
        text = f"{self.server}{path}?{urlencode(query)}" if query else f"{self.server}{path}"
        return URL(text, encoded=True)

    async def refresh(self) -> None:
        """Read the credentials again if they are not fresh; for a client that shares them and was answered 401."""
        await self._refresh_if_old()
        if time.monotonic() - self._loaded_at > _RELOAD_INTERVAL_SECONDS:
            await self._reload()

    async def _refresh_if_old(self) -> None:
        # Only the in-cluster configuration has this hook; a kubeconfig is read again when the server answers 401.
        if self.configuration.refresh_api_key_hook and time.monotonic() - self._loaded_at > CREDENTIALS_AGE_SECONDS:
            try:
                await self._build_headers()
            except (ConfigException, OSError, ValueError) as error:
                # Also an empty file, as a token that is just being written.
                raise Misconfigured(
                    f"The service account token cannot be read: {error}", "Check the token volume of the pod."
                ) from error

    async def _reload(self) -> bool:
        """Read the credentials again; whether there are now others than those the server refused."""
        refused = self.authorization
        async with self._reload_lock:
            if self.authorization == refused and time.monotonic() - self._loaded_at > _RELOAD_INTERVAL_SECONDS:
                fresh = await self._source.load()
                self.configuration.api_key = fresh.api_key
                self.configuration.refresh_api_key_hook = fresh.refresh_api_key_hook
                await self._build_headers()
        return self.authorization != refused

    async def _build_headers(self) -> None:
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        token = await self.configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token.strip()
        self._headers = {meaning: {**headers, "Content-Type": meaning.value} for meaning in Body}
        self._loaded_at = time.monotonic()


def decode(payload: bytes) -> Any:
    """Decode an answer of the API server; a body that is not JSON (a proxy's page) counts as a server error."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise ServerError(502, "the body is not JSON") from error


def _rest_client(configuration: Configuration) -> RESTClientObject:
    try:
        # No limit on connections: the number of workers and streams is the limit.
        return RESTClientObject(configuration, maxsize=0)
    except (ssl.SSLError, OSError, ValueError) as error:
        detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Misconfigured(
            f"The certificates that the kubeconfig names cannot be used: {detail}.",
            "Check certificate-authority, client-certificate and client-key.",
        ) from error


def _environment_proxy(server: str) -> str | None:
    parts = urlsplit(server)
    if not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _unreachable(server: str, fault: BaseException) -> Unreachable:
    if isinstance(fault, aiohttp.ClientConnectorCertificateError):
        reason = getattr(fault.certificate_error, "verify_message", "") or str(fault.certificate_error)
        return CertificateRefused(
            f"The certificate of {server} does not verify: {reason}.",
            "Check certificate-authority of the cluster in the kubeconfig.",
        )
    if isinstance(fault, TimeoutError):
        reason = "it did not answer in time"
    elif isinstance(fault, OSError) and fault.strerror:
        # asyncio puts its own words into strerror for a refused connection; the system's are the ones people know.
        reason = os.strerror(fault.errno) if fault.errno and fault.errno > 0 else fault.strerror
    else:
        reason = str(fault) or type(fault).__name__
    return Unreachable(f"The API server {server} cannot be reached: {reason}.", "Check its address and that it is up.")


_ERRORS: Mapping[int, type[ApiError]] = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 410: Expired}


def _api_error(status: int, headers: Mapping[str, str], payload: bytes) -> ApiError:
    message = _message(payload)
    if status == 429:
        return TooManyRequests(message, _retry_after(headers))
    if status >= 500 or status < 400:
        return ServerError(status, message)
    return _ERRORS.get(status, Rejected)(status, message)


def _message(payload: bytes) -> str:
    """The message of a metav1.Status, else the start of the text."""
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, dict) and isinstance(document.get("message"), str):
        return cast(str, document["message"])
    return payload[:200].decode("utf-8", "replace").strip() or "no message"


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait; the API server writes whole seconds. An absent or odd value counts as one second."""
    try:
        seconds = float(headers.get("Retry-After", "1"))
    except ValueError:
        return 1.0
    return seconds if 0 <= seconds < 3600 else 1.0
