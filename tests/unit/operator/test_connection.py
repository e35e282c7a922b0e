"""The one client: what each answer becomes, and how credentials are renewed."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from kubernetes_asyncio.config.config_exception import ConfigException

from hydatis.operator import errors
from hydatis.operator.connection import Connection
from hydatis.operator.credentials import CredentialSource
from hydatis.operator.errors import Misconfigured


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Rejected),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (410, errors.Expired),
        (422, errors.Rejected),
        (429, errors.TooManyRequests),
        (500, errors.ServerError),
        (503, errors.ServerError),
        (302, errors.ServerError),
    ],
)
async def test_every_answer_is_an_error_of_its_own_with_the_servers_words(
    server: Any, connection: Connection, answers: Any, status: int, kind: type[errors.ApiError]
) -> None:
    server.on("GET", "/x", answers(status, {"kind": "Status", "message": "because"}))
    with pytest.raises(kind) as raised:
        await connection.get("/x", resource="things")
    assert raised.value.message == "because"


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", 1.0), ("-4", 1.0), (None, 1.0)])
async def test_retry_after_is_read_and_odd_values_count_as_a_second(
    server: Any, connection: Connection, answers: Any, header: str | None, seconds: float
) -> None:
    server.on("GET", "/x", answers(429, None, {"Retry-After": header} if header else None))
    with pytest.raises(errors.TooManyRequests) as raised:
        await connection.get("/x", resource="things")
    assert raised.value.retry_after == seconds


async def test_no_answer_in_time_leaves_the_outcome_unknown(server: Any, connection: Connection) -> None:
    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    server.on("POST", "/x", silent)
    with pytest.raises(errors.Unreachable, match="in time"):
        await connection.request("POST", "/x", resource="things", verb="create", body={}, timeout=0.1)


async def test_a_connection_that_breaks_off_leaves_the_outcome_unknown(server: Any, connection: Connection) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.on("POST", "/x", broken)
    with pytest.raises(errors.Unreachable):
        await connection.request("POST", "/x", resource="things", verb="create", body={})
    assert len(server.requests) == 1, "a request whose outcome is unknown is never repeated"


async def test_a_refused_token_is_read_again_and_the_request_repeated(
    server: Any, connection: Connection, kubeconfig: Callable[..., Path], answers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydatis.operator.connection._RELOAD_INTERVAL_SECONDS", 0.0)

    async def only_second(request: web.Request) -> web.StreamResponse:
        known = request.headers.get("Authorization") == "Bearer second"
        return web.json_response({"ok": True} if known else {"message": "Unauthorized"}, status=200 if known else 401)

    server.on("GET", "/x", only_second)
    kubeconfig(server.url, "second")
    assert await connection.get("/x", resource="things") == {"ok": True}
    assert [headers["Authorization"] for headers in server.headers] == ["Bearer first", "Bearer second"]


async def test_a_token_that_stays_refused_is_told(server: Any, connection: Connection, answers: Any) -> None:
    server.on("GET", "/x", answers(401, {"message": "Unauthorized"}))
    with pytest.raises(errors.Unauthorized):
        await connection.get("/x", resource="things")


async def test_a_refused_connection_names_server_and_reason(kubeconfig: Callable[..., Path]) -> None:
    opened = await Connection.open(CredentialSource(kubeconfig("http://127.0.0.1:1")))
    try:
        with pytest.raises(errors.Unreachable, match=r"http://127\.0\.0\.1:1 cannot be reached: Connection refused"):
            await opened.get("/version", resource="version")
    finally:
        await opened.close()


async def test_a_page_that_is_not_json_is_a_server_error(server: Any, connection: Connection) -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>welcome</html>")

    server.on("GET", "/x", page)
    with pytest.raises(errors.ServerError, match="not JSON"):
        await connection.get("/x", resource="things")


async def test_every_request_is_observed_once_with_its_status(server: Any, kubeconfig: Callable[..., Path]) -> None:
    seen: list[tuple[str, str, int]] = []
    source = CredentialSource(kubeconfig(server.url))
    opened = await Connection.open(source, lambda verb, resource, status, _: seen.append((verb, resource, status)))
    try:
        with pytest.raises(errors.NotFound):
            await opened.get("/missing", resource="things")
    finally:
        await opened.close()
    assert seen == [("get", "things", 404)]


@pytest.mark.parametrize("fault", [ConfigException("Token file exists but empty."), OSError("no such file")])
async def test_a_token_that_cannot_be_read_is_an_error_that_callers_expect(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def read(*_: object) -> None:
        raise fault

    monkeypatch.setattr(connection.configuration, "refresh_api_key_hook", read)
    monkeypatch.setattr(connection, "_loaded_at", float("-inf"))
    with pytest.raises(Misconfigured, match=str(fault)):
        await connection.request("GET", "/", resource="pods", verb="get")
