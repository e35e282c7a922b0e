"""A scripted API server: a real HTTP server on loopback whose answers a test writes down, faults included."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from aiohttp import web

from hydatis.operator.connection import Connection
from hydatis.operator.credentials import CredentialSource

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ScriptedServer:
    """Answers (method, path) with the handlers given to `on`; keeps every request's body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self._handlers: dict[tuple[str, str], Handler] = {}

    def on(self, method: str, path: str, *handlers: Handler) -> None:
        """Answer with each handler once, the last one for ever."""
        waiting = list(handlers)

        async def next_one(request: web.Request) -> web.StreamResponse:
            handler = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            return await handler(request)

        self._handlers[(method, path)] = next_one

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.method, request.path_qs, orjson.loads(body) if body else None))
        self.headers.append(dict(request.headers))
        handler = self._handlers.get((request.method, request.path))
        if handler is None:
            return web.json_response({"kind": "Status", "message": "nothing here"}, status=404)
        return await handler(request)

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies of these requests, in order."""
        return [body for verb, where, body in self.requests if (verb, where.partition("?")[0]) == (method, path)]


def answer(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status, body=orjson.dumps(body or {}), headers=headers, content_type="application/json"
        )

    return handler


@pytest.fixture
def answers() -> Callable[..., Handler]:
    """answers(status, body, headers): a handler that says just this."""
    return answer


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{tail:.*}", scripted.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    scripted.url = f"http://{host}:{port}"
    yield scripted
    await runner.cleanup()


def write_kubeconfig(path: Path, server: str, token: str) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": {"token": token}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Callable[..., Path]:
    """kubeconfig(server, token) writes the file (again) and returns its path."""

    def write(server: str, token: str | None = None) -> Path:
        return write_kubeconfig(tmp_path / "kubeconfig.yaml", server, token or "first")

    return write


@pytest.fixture
async def connection(server: ScriptedServer, kubeconfig: Callable[..., Path]) -> AsyncIterator[Connection]:
    opened = await Connection.open(CredentialSource(kubeconfig(server.url)))
    yield opened
    await opened.close()


@pytest.fixture
def jitter() -> random.Random:
    return random.Random(1)  # noqa: S311 - repeatable, and no secret
