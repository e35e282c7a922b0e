"""The watch against a small HTTPS server that plays an API server's parts, faults included, one after the other."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from hydatis.sandbox.api_session import ApiError, ApiSession, create_all
from hydatis.sandbox.certificates import Certificates
from hydatis.sandbox.pod_watch import PodWatch

PODS = "/api/v1/namespaces/load/pods"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def pod(name: str, version: int, *, node: str | None = None, gates: bool = False, reason: str = "") -> dict[str, Any]:
    spec: dict[str, Any] = {"nodeName": node} if node else {}
    if gates:
        spec["schedulingGates"] = [{"name": "hold"}]
    conditions = [{"type": "PodScheduled", "status": "False", "reason": reason, "message": "no room"}] if reason else []
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)},
        "spec": spec,
        "status": {"conditions": conditions},
    }


def event(kind: str, manifest: dict[str, Any]) -> bytes:
    return orjson.dumps({"type": kind, "object": manifest}) + b"\n"


def status(code: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "code": code, "message": message, "metadata": {}}


class Server:
    """Answers lists and watches from two scripts; a script that is used up repeats its last entry."""

    def __init__(self, lists: list[dict[str, Any]], streams: list[list[bytes]]) -> None:
        self.lists = lists
        self.streams = streams
        self.versions: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") != "1":
            return web.json_response(self.lists.pop(0) if len(self.lists) > 1 else self.lists[0])
        self.versions.append(request.query["resourceVersion"])
        response = web.StreamResponse()
        await response.prepare(request)
        if not self.streams:
            await asyncio.sleep(30)
        for chunk in self.streams.pop(0):
            await response.write(chunk)
            await asyncio.sleep(0.01)
        return response


class Ticks:
    """A clock that counts how often it was read, and tells when it was read for the last time expected."""

    def __init__(self, last: int) -> None:
        self.now = -1
        self.last = last
        self.over = asyncio.Event()

    def __call__(self) -> float:
        self.now += 1
        if self.now == self.last:
            self.over.set()
        return self.now


@asynccontextmanager
async def session(folder: Path, handler: Handler) -> AsyncIterator[ApiSession]:
    certificates = Certificates(folder)
    certificates.write()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.certificate, certificates.key)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        port = runner.addresses[0][1]
        async with ApiSession(f"https://127.0.0.1:{port}", certificates.ca, "secret") as opened:
            yield opened
    finally:
        await runner.cleanup()


def listed(version: int, *pods: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version)}, "items": list(pods)}


async def test_binds_are_stamped_once_and_a_second_node_is_told(tmp_path: Path) -> None:
    ticks = Ticks(last=4)
    stream = [
        event("ADDED", pod("a", 2)),
        event("MODIFIED", pod("a", 3, node="n1")),
        event("MODIFIED", pod("a", 4, node="n1")),
        event("MODIFIED", pod("a", 5, node="n2")),
    ]
    seen: list[str] = []

    def remember(manifest: Mapping[str, Any]) -> None:
        seen.append(manifest["spec"]["nodeName"])

    async with session(tmp_path, Server([listed(1)], [stream]).handle) as opened:
        watch = PodWatch(opened, "load", on_bind=remember, clock=ticks)
        await watch.start()
        await asyncio.wait_for(ticks.over.wait(), 5)
        await watch.stop()
    observed = watch.pods["uid-a"]
    assert (observed.ready_to_schedule_at, observed.bound_at, observed.node) == (1, 2, "n1")
    assert observed.rebound
    assert watch.bound == 1
    assert seen == ["n1"]


async def test_lines_split_over_chunks_are_put_together(tmp_path: Path) -> None:
    whole = event("ADDED", pod("a", 2)) + event("MODIFIED", pod("a", 3, node="n1"))
    async with session(tmp_path, Server([listed(1)], [[whole[:7], whole[7:150], whole[150:]]]).handle) as opened:
        watch = PodWatch(opened, "load")
        await watch.start()
        assert await watch.until(lambda: watch.bound == 1, 5)
        await watch.stop()


async def test_a_stream_that_ends_is_resumed_from_the_last_version(tmp_path: Path) -> None:
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "7"}})
    server = Server([listed(1)], [[event("ADDED", pod("a", 2)), bookmark], [event("MODIFIED", pod("a", 8, node="n1"))]])
    async with session(tmp_path, server.handle) as opened:
        watch = PodWatch(opened, "load")
        await watch.start()
        assert await watch.until(lambda: watch.bound == 1, 5)
        await watch.stop()
    assert server.versions[:2] == ["1", "7"]
    assert watch.resumed >= 1
    assert watch.relisted == 0


async def test_a_version_that_is_too_old_is_answered_by_a_new_list_which_tells_what_vanished(tmp_path: Path) -> None:
    first = listed(1, pod("a", 1), pod("b", 1))
    again = listed(9, pod("a", 9, node="n1"))
    server = Server([first, again], [[event("ERROR", status(410, "too old resource version"))]])
    async with session(tmp_path, server.handle) as opened:
        watch = PodWatch(opened, "load")
        await watch.start()
        assert await watch.until(lambda: watch.bound == 1, 5)
        await watch.stop()
    assert watch.relisted == 1
    assert not watch.pods["uid-a"].deleted
    assert watch.pods["uid-b"].deleted


async def test_a_gated_pod_is_ready_to_schedule_only_when_its_gate_is_gone(tmp_path: Path) -> None:
    ticks = Ticks(last=3)
    states = [pod("a", 2, gates=True), pod("a", 3), pod("a", 4, node="n1")]
    stream = [event(kind, state) for kind, state in zip(("ADDED", "MODIFIED", "MODIFIED"), states, strict=True)]
    async with session(tmp_path, Server([listed(1)], [stream]).handle) as opened:
        watch = PodWatch(opened, "load", clock=ticks)
        await watch.start()
        await asyncio.wait_for(ticks.over.wait(), 5)
        await watch.stop()
    assert watch.pods["uid-a"].ready_to_schedule_at == 2


async def test_only_the_reason_unschedulable_counts_as_unschedulable(tmp_path: Path) -> None:
    items = [pod("a", 1, reason="Unschedulable"), pod("b", 1, reason="SchedulingGated")]
    async with session(tmp_path, Server([listed(1, *items)], []).handle) as opened:
        watch = PodWatch(opened, "load")
        await watch.start()
        await watch.stop()
    assert watch.pods["uid-a"].unschedulable_message == "no room"
    assert watch.pods["uid-b"].unschedulable_message == ""


async def test_a_watch_that_may_not_watch_fails_with_the_servers_words(tmp_path: Path) -> None:
    async def refuse_watches(request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") == "1":
            return web.json_response(status(403, "pods is forbidden"), status=403)
        return web.json_response(listed(1))

    async with session(tmp_path, refuse_watches) as opened:
        watch = PodWatch(opened, "load")
        await watch.start()
        with pytest.raises(ApiError, match="status 403, pods is forbidden"):
            await watch.until(lambda: False, 5)


async def test_waiting_ends_at_its_time_limit(tmp_path: Path) -> None:
    async with session(tmp_path, Server([listed(1)], []).handle) as opened:
        watch = PodWatch(opened, "load")
        await watch.start()
        assert not await watch.until(lambda: False, 0.05)
        await watch.stop()


async def test_a_request_turned_away_is_sent_again_when_the_server_says(tmp_path: Path) -> None:
    tokens: list[str] = []

    async def busy_once(request: web.Request) -> web.StreamResponse:
        tokens.append(request.headers["Authorization"])
        if len(tokens) == 1:
            return web.json_response(status(429, "busy"), status=429, headers={"Retry-After": "0"})
        return web.json_response({"metadata": {"uid": "1"}}, status=201)

    async with session(tmp_path, busy_once) as opened:
        assert await opened.post(PODS, b"{}") == {"metadata": {"uid": "1"}}
    assert tokens == ["Bearer secret", "Bearer secret"]


async def test_the_first_refusal_ends_a_series_of_creations(tmp_path: Path) -> None:
    requests = 0

    async def refuse(request: web.Request) -> web.StreamResponse:
        nonlocal requests
        requests += 1
        return web.Response(status=500, text="<html>oops\nmore</html>")

    async with session(tmp_path, refuse) as opened:
        with pytest.raises(ApiError, match=r"POST .*pods: status 500, <html>oops$"):
            await create_all(opened, PODS, [{"metadata": {"name": str(index)}} for index in range(500)], concurrency=4)
    assert requests < 20


async def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    Certificates(tmp_path).write()
    async with ApiSession("https://127.0.0.1:1", Certificates(tmp_path).ca, "secret") as opened:
        with pytest.raises(ApiError, match=r"GET /readyz: no answer \("):
            await opened.get("/readyz")
