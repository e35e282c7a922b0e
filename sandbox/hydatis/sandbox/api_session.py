"""A plain JSON session with an API server, for the programs that play the cluster's users.

Used by the demo and the benchmarks to create objects and to look on; the operator has its own connection, so that
what is measured and what measures share nothing. It sends orjson bodies with a bearer token and keeps its connections
open. It retries only what the server itself asks to be retried (429 with Retry-After).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

_TOO_MANY_REQUESTS = 429
_ATTEMPTS = 30
"""How often a request that the server turns away with 429 is sent; with its usual Retry-After of 1 s, half a minute."""
_REQUEST_SECONDS = 60.0


class ApiError(Exception):
    """The API server refused a request or could not be reached; the text is one sentence."""

    def __init__(self, request: str, status: int, message: str) -> None:
        """`status` is the HTTP status, 0 when there was no answer."""
        super().__init__(f"{request}: {f'status {status}, ' if status else ''}{message}")
        self.status = status


class ApiSession:
    """An asynchronous context manager; bound to the event loop it is entered in."""

    def __init__(self, url: str, ca_file: Path, token: str, *, connections: int = 64) -> None:
        """Remember the server.

        Args:
            url: the server's address, `https://host:port`.
            ca_file: certificates the server's certificate is checked against.
            token: bearer token of the user to act as.
            connections: most connections open at once.

        """
        self._url = url.rstrip("/")
        self._tls = ssl.create_default_context(cafile=str(ca_file))
        self._headers = {"Authorization": f"Bearer {token}", "Accept": JSON}
        self._connections = connections
        self._client: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=self._connections)
        self._client = aiohttp.ClientSession(
            connector=connector, headers=self._headers, timeout=aiohttp.ClientTimeout(total=_REQUEST_SECONDS)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open_client().close()
        self._client = None

    async def get(self, path: str, **parameters: str) -> Any:
        """Read an object or a list."""
        return await self.request("GET", path, parameters=parameters)

    async def post(self, path: str, body: bytes) -> Any:
        """Create an object from its JSON bytes and give it as the server stored it."""
        return await self.request("POST", path, body)

    async def patch(self, path: str, body: bytes) -> Any:
        """Change an object by a JSON merge patch."""
        return await self.request("PATCH", path, body, content_type=MERGE_PATCH)

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        content_type: str = JSON,
        parameters: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request and decode the answer.

        Raises:
            ApiError: the server did not answer, or answered with a status of 400 or above.

        """
        headers = {"Content-Type": content_type} if body is not None else None
        request = f"{method} {path}"
        try:
            for _ in range(_ATTEMPTS):
                async with self._open_client().request(
                    method, self._url + path, data=body, headers=headers, params=parameters
                ) as response:
                    answer = await response.read()
                if response.status != _TOO_MANY_REQUESTS:
                    break
                await asyncio.sleep(_retry_after_seconds(response))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(request, 0, f"no answer ({error or type(error).__name__})") from error
        if response.status >= 400:
            raise ApiError(request, response.status, _status_message(answer))
        return orjson.loads(answer)

    @asynccontextmanager
    async def stream(self, path: str, parameters: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open a watch; its answer has no end of its own, so only the connection's start is timed.

        Raises:
            ApiError: as `request` does.

        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_REQUEST_SECONDS)
        try:
            async with self._open_client().get(self._url + path, params=parameters, timeout=timeout) as response:
                if response.status >= 400:
                    raise ApiError(f"GET {path}", response.status, _status_message(await response.read()))
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(f"GET {path}", 0, f"the stream broke ({error or type(error).__name__})") from error

    def _open_client(self) -> aiohttp.ClientSession:
        if self._client is None:
            raise RuntimeError("the session is not open; enter it with `async with`")
        return self._client


async def create_all(
    session: ApiSession, path: str, manifests: Sequence[Mapping[str, Any]], *, concurrency: int = 32
) -> None:
    """Create objects as fast as the server takes them, `concurrency` requests at a time.

    Raises:
        ApiError: the server refused one.

    """
    bodies = iter([orjson.dumps(manifest) for manifest in manifests])

    async def work() -> None:
        for body in bodies:
            await session.post(path, body)

    workers = [asyncio.ensure_future(work()) for _ in range(concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()


def _retry_after_seconds(response: aiohttp.ClientResponse) -> float:
    text = response.headers.get("Retry-After", "1")
    return float(text) if text.isascii() and text.isdecimal() else 1.0


def _status_message(answer: bytes) -> str:
    """Read the message of a Kubernetes Status object, or the answer's first line when it is none."""
    try:
        status = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return answer.decode(errors="replace").partition("\n")[0][:200]
    message = status.get("message") if isinstance(status, dict) else None
    return str(message or "no message")
