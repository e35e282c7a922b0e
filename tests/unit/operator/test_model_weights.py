"""Weights from where an MLModel says they are, and what is said when they are not to be had."""

import asyncio
import base64
import gzip
from typing import Any

import pytest
from aiohttp import web

from hydatis.operator import model_weights
from hydatis.operator.connection import Connection
from hydatis.operator.model_weights import WeightsMissing, get_weights
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import inline_manifest, parse_model
from hydatis.scheduler.models.refusal import ModelRefused, Refusal
from hydatis.scheduler.models.weights import digest_of
from hydatis.scheduler.testing_onnx import linear

DATA = linear()
PACKED = gzip.compress(DATA)


def spec(**weights: Any) -> Any:
    manifest = inline_manifest(DATA, name="m", kind=ModelKind.LOAD, version="1", schema_hash="0" * 64)
    if weights:
        manifest["spec"]["weights"] = weights
    return parse_model(manifest)


async def read(connection: Connection, **weights: Any) -> bytes:
    return (await get_weights(spec(**weights), connection, "system")).read(digest_of(DATA))


def body(payload: bytes, **headers: str) -> Any:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=payload, headers=headers)

    return handler


def redirect(target: str) -> Any:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": target})

    return handler


async def test_weights_in_the_object_are_read(connection: Connection) -> None:
    assert await read(connection) == DATA


async def test_text_and_binary_keys_of_config_maps_are_joined_in_the_order_of_the_spec(
    server: Any, connection: Connection, answers: Any
) -> None:
    first, second = (base64.b64encode(part).decode() for part in (PACKED[:50], PACKED[50:]))
    server.on("GET", "/api/v1/namespaces/system/configmaps/b", answers(200, {"data": {"weights": first}}))
    server.on("GET", "/api/v1/namespaces/system/configmaps/a", answers(200, {"binaryData": {"k": second}}))
    assert await read(connection, configMaps=[{"name": "b"}, {"name": "a", "key": "k"}]) == DATA


async def test_a_config_map_that_is_not_base64_is_told_with_its_name_and_key(
    server: Any, connection: Connection, answers: Any
) -> None:
    server.on("GET", "/api/v1/namespaces/system/configmaps/a", answers(200, {"data": {"weights": "#"}}))
    with pytest.raises(ModelRefused, match=r"spec.weights.configMaps\[0\] \(system/a, key weights\) is not base64"):
        await read(connection, configMaps=[{"name": "a"}])


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}], ids=["plain", "encoded"])
@pytest.mark.parametrize("payload", [DATA, PACKED], ids=["onnx", "gzip"])
async def test_a_url_may_lead_to_the_file_or_to_its_gzip(
    server: Any, connection: Connection, payload: bytes, headers: dict[str, str]
) -> None:
    if headers and payload is DATA:
        pytest.skip("says that it is packed and is not")
    server.on("GET", "/model", body(payload, **headers))
    assert await read(connection, url=f"{server.url}/model") == DATA


async def test_no_credentials_of_the_cluster_go_to_a_url(server: Any, connection: Connection) -> None:
    server.on("GET", "/model", body(DATA))
    await read(connection, url=f"{server.url}/model")
    assert "Authorization" not in server.headers[-1]


async def test_redirects_are_followed_a_few_times_and_only_over_http(server: Any, connection: Connection) -> None:
    server.on("GET", "/model", body(DATA))
    server.on("GET", "/moved", redirect("/model"))
    assert await read(connection, url=f"{server.url}/moved") == DATA
    server.on("GET", "/file", redirect("file:///etc/passwd"))
    with pytest.raises(WeightsMissing, match="redirects to file"):
        await read(connection, url=f"{server.url}/file")
    server.on("GET", "/a", redirect("/b"))
    server.on("GET", "/b", redirect("/a"))
    with pytest.raises(WeightsMissing, match="more than 5 redirects"):
        await read(connection, url=f"{server.url}/a")


async def test_what_cannot_be_fetched_is_told_without_the_secrets_of_its_url(
    server: Any, connection: Connection
) -> None:
    host = server.url.removeprefix("http://")
    with pytest.raises(WeightsMissing) as raised:
        await read(connection, url=f"http://user:password@{host}/absent?signature=secret")
    assert raised.value.reason == "NotFetched"
    assert "/absent (the answer is 404): check that" in raised.value.message
    assert "password" not in raised.value.message
    assert "secret" not in raised.value.message
    with pytest.raises(WeightsMissing, match="NotFetched"):
        await read(connection, url="http://127.0.0.1:1/closed")


async def test_a_server_that_sends_too_much_or_never_ends_is_left(
    server: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_weights, "FETCH_SECONDS", 0.5)
    monkeypatch.setattr(model_weights, "MOST_PACKED_BYTES", 100_000)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    server.on("GET", "/endless", endless)
    with pytest.raises(ModelRefused) as refused:
        await read(connection, url=f"{server.url}/endless")
    assert refused.value.reason is Refusal.TOO_LARGE
    server.on("GET", "/silent", silent)
    with pytest.raises(WeightsMissing, match="it took too long"):
        await read(connection, url=f"{server.url}/silent")
