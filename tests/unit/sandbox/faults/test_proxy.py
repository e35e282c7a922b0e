"""The proxy between a real client and a real HTTPS server, which only looks like an API server."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from hydatis.sandbox.certificates import Certificates
from hydatis.sandbox.faults.actions import (
    Answer,
    CutWatch,
    Delay,
    ExpireWatch,
    Hang,
    LoseAnswer,
    Replace,
    SilenceWatch,
    WithholdBookmarks,
)
from hydatis.sandbox.faults.plan import FaultPlan, Rule
from hydatis.sandbox.faults.proxy import FaultProxy

BINDING = "/api/v1/namespaces/a/pods/b/binding"
EVENTS = [b'{"type":"ADDED","object":1}\n', b'{"type":"BOOKMARK","object":2}\n', b'{"type":"ADDED","object":3}\n']
QUICK = aiohttp.ClientTimeout(total=0.3)


@dataclass
class Upstream:
    """An HTTPS server that keeps what it was asked."""

    asked: list[tuple[str, str, bytes, str]] = field(default_factory=list)
    url: str = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        authorization = request.headers.get("Authorization", "")
        self.asked.append((request.method, request.raw_path, await request.read(), authorization))
        if request.query.get("watch"):
            stream = web.StreamResponse(headers={"Content-Type": "application/json"})
            await stream.prepare(request)
            for event in EVENTS:
                # In two parts, as a network may deliver it.
                await stream.write(event[:7])
                await asyncio.sleep(0.01)
                await stream.write(event[7:])
            if request.query.get("ends"):
                return stream
            await asyncio.Event().wait()
        return web.json_response({"kind": "Status"}, status=201, headers={"Audit-Id": "7"})


@dataclass
class Rig:
    upstream: Upstream
    proxy: FaultProxy
    plan: FaultPlan
    client: aiohttp.ClientSession

    def post(self, **options: Any) -> Any:
        return self.client.post(self.proxy.url + BINDING, json={"target": "n"}, **options)

    async def watched(self, query: str = "", seconds: float = 2.0) -> bytes:
        """What a watch brought until it ended; raises as aiohttp does where it broke."""
        received = b""
        url = f"{self.proxy.url}/api/v1/pods?watch=true{query}"
        async with asyncio.timeout(seconds), self.client.get(url) as answer:
            async for chunk in answer.content.iter_any():
                received += chunk
        return received


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    certificates = Certificates(tmp_path)
    certificates.write()
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificates.certificate, certificates.key)
    upstream = Upstream()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", upstream.serve)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=own).start()
    upstream.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    plan = FaultPlan(random.Random(1))  # noqa: S311 - a seed that repeats
    trust = ssl.create_default_context(cafile=str(certificates.ca))
    with FaultProxy.start(upstream.url, tmp_path, plan) as proxy:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as client:
            yield Rig(upstream, proxy, plan, client)
    await runner.cleanup()


async def test_without_a_rule_request_and_answer_pass_unchanged(rig: Rig) -> None:
    async with rig.post(params={"fieldManager": "a b"}, headers={"Authorization": "Bearer t"}) as answer:
        assert answer.status == 201
        assert answer.headers["Audit-Id"] == "7"
        assert await answer.json() == {"kind": "Status"}
    assert rig.upstream.asked == [("POST", f"{BINDING}?fieldManager=a+b", b'{"target": "n"}', "Bearer t")]


async def test_an_answered_call_never_reaches_the_server(rig: Rig) -> None:
    rig.plan.add(Rule("busy", Answer(429, retry_after_seconds=3), resource="pods/binding"))
    async with rig.post() as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
        assert (await answer.json())["code"] == 429
    assert rig.upstream.asked == []
    assert rig.plan.count("busy") == 1


async def test_a_call_that_hangs_is_answered_by_nobody(rig: Rig) -> None:
    rig.plan.add(Rule("hang", Hang()))
    with pytest.raises(TimeoutError):
        await rig.post(timeout=QUICK)
    assert rig.upstream.asked == []
    assert rig.plan.count("hang") == 1


async def test_a_lost_answer_means_that_the_server_did_it_and_the_client_cannot_know(rig: Rig) -> None:
    rig.plan.add(Rule("lost", LoseAnswer()))
    with pytest.raises(aiohttp.ClientConnectionError):
        await rig.post()
    assert len(rig.upstream.asked) == 1
    assert rig.plan.count("lost") == 1


async def test_a_replaced_answer_means_that_the_server_did_it_and_the_client_hears_500(rig: Rig) -> None:
    rig.plan.add(Rule("replaced", Replace(500)))
    async with rig.post() as answer:
        assert answer.status == 500
    assert len(rig.upstream.asked) == 1


async def test_a_delayed_call_takes_effect_although_the_client_has_given_up(rig: Rig) -> None:
    rig.plan.add(Rule("late", Delay(0.6)))
    with pytest.raises(TimeoutError):
        await rig.post(timeout=QUICK)
    assert rig.upstream.asked == []
    await asyncio.sleep(0.8)
    assert rig.plan.count("late") == 1
    assert len(rig.upstream.asked) == 1


async def test_a_delayed_call_is_answered_truly_when_the_client_waits(rig: Rig) -> None:
    rig.plan.add(Rule("late", Delay(0.1)))
    async with rig.post() as answer:
        assert answer.status == 201


async def test_a_watch_passes_event_by_event_while_it_is_open(rig: Rig) -> None:
    async with rig.client.get(f"{rig.proxy.url}/api/v1/pods?watch=true") as answer:
        async with asyncio.timeout(2):
            lines = [await answer.content.readline() for _ in EVENTS]
    assert lines == EVENTS


async def test_a_watch_that_the_server_ends_ends_for_the_client_too(rig: Rig) -> None:
    assert await rig.watched("&ends=1") == b"".join(EVENTS)


async def test_a_cut_watch_breaks_in_the_middle_of_a_line(rig: Rig) -> None:
    rig.plan.add(Rule("cut", CutWatch(after_lines=1)))
    with pytest.raises(aiohttp.ClientPayloadError):
        await rig.watched()
    assert rig.plan.count("cut") == 1


async def test_a_watch_that_ends_before_its_fault_does_not_use_the_fault_up(rig: Rig) -> None:
    rig.plan.add(Rule("cut", CutWatch(after_lines=len(EVENTS)), times=1))
    assert await rig.watched("&ends=1") == b"".join(EVENTS)
    # The proxy notices the end in its own thread, a moment after the client.
    for _ in range(100):
        if not rig.plan.taken("cut"):
            break
        await asyncio.sleep(0.02)
    assert (rig.plan.count("cut"), rig.plan.taken("cut")) == (0, 0)


async def test_a_silenced_watch_stays_open_and_brings_nothing_more(rig: Rig) -> None:
    rig.plan.add(Rule("silent", SilenceWatch(after_lines=1)))
    async with rig.client.get(f"{rig.proxy.url}/api/v1/pods?watch=true") as answer:
        assert await answer.content.readline() == EVENTS[0]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await answer.content.readany()
        assert not answer.content.at_eof()
    assert rig.plan.count("silent") == 1


async def test_an_expired_watch_brings_the_error_event_and_ends(rig: Rig) -> None:
    rig.plan.add(Rule("expired", ExpireWatch(after_lines=1)))
    received = await rig.watched()
    first, last = received.splitlines(keepends=True)
    assert first == EVENTS[0]
    assert b'"type":"ERROR"' in last
    assert b'"code":410' in last


async def test_withheld_bookmarks_are_all_that_is_missing(rig: Rig) -> None:
    rig.plan.add(Rule("bookmarks", WithholdBookmarks()))
    assert await rig.watched("&ends=1") == EVENTS[0] + EVENTS[2]
    assert rig.plan.count("bookmarks") == 1


async def test_a_server_that_is_down_is_a_broken_connection(rig: Rig, tmp_path: Path) -> None:
    proxy = FaultProxy.start("https://127.0.0.1:1", tmp_path, rig.plan)
    with proxy, pytest.raises(aiohttp.ClientConnectionError):
        await rig.client.post(proxy.url + BINDING)


async def test_a_client_that_does_not_trust_the_sandbox_refuses_the_proxy(rig: Rig) -> None:
    async with aiohttp.ClientSession() as stranger:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await stranger.post(rig.proxy.url + BINDING)
