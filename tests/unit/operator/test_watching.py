"""List-and-watch against a scripted server: every way a stream can end."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import orjson
import pytest
from aiohttp import web

from hydatis.operator.connection import Connection
from hydatis.operator.errors import StartRefused
from hydatis.operator.watching import Stream, Watched, WatchTiming

PATH = "/api/v1/pods"
QUICK = WatchTiming(silence_seconds=0.4, open_seconds=2.0, backoff_initial_seconds=0.01, backoff_max_seconds=0.05)


def pod(uid: str, version: int, **more: Any) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "resourceVersion": str(version), **more}}


def page(version: int, *items: Mapping[str, Any], token: str = "") -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version), "continue": token}, "items": list(items)}


def line(kind: str, manifest: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"type": kind, "object": manifest}) + b"\n"


class Api:
    """Lists and watches to serve, in order; the last of each is served for ever."""

    def __init__(self, server: Any, lists: list[Any], watches: list[list[bytes | float]]) -> None:
        self.lists, self.watches = lists, watches
        self.watch_queries: list[dict[str, str]] = []
        self.list_queries: list[dict[str, str]] = []
        server.on("GET", PATH, self.answer)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            self.watch_queries.append(dict(request.query))
            return await self.stream(request)
        self.list_queries.append(dict(request.query))
        listed = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(listed, int):
            return web.json_response({"message": "too old" if listed == 410 else "no"}, status=listed)
        return web.json_response(listed)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        script = self.watches.pop(0) if len(self.watches) > 1 else self.watches[0]
        if script and script[0] == b"forbidden":
            return web.json_response({"message": "no"}, status=403)
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            for part in script:
                if isinstance(part, bytes):
                    await response.write(part)
                else:
                    await asyncio.sleep(part)
        return response


class Watching:
    """A running stream and what it told."""

    def __init__(self, connection: Connection, timing: WatchTiming, jitter: random.Random) -> None:
        self.told: list[tuple[str, str]] = []
        watched = Watched(
            "pods",
            PATH,
            key=lambda manifest: str(manifest["metadata"]["uid"]),
            seen=lambda manifest: self.told.append(
                ("seen", f"{manifest['metadata']['uid']}@{manifest['metadata']['resourceVersion']}")
            ),
            gone=lambda uid: self.told.append(("gone", uid)),
            field_selector="status.phase!=Failed",
        )
        self.stream = Stream(connection, watched, timing, jitter=jitter)
        self.task = asyncio.create_task(self.stream.run())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - what is waited for is told by a plain callback
                await asyncio.sleep(0.01)

    async def until_told(self, *expected: tuple[str, str]) -> None:
        with contextlib.suppress(TimeoutError):
            await self.until(lambda: self.told == list(expected))
        assert self.told == list(expected)


@pytest.fixture
async def start(connection: Connection, jitter: random.Random) -> AsyncIterator[Callable[..., Watching]]:
    running: list[Watching] = []

    def begin(timing: WatchTiming = QUICK) -> Watching:
        running.append(Watching(connection, timing, jitter))
        return running[-1]

    yield begin
    for watching in running:
        watching.task.cancel()
        await asyncio.gather(watching.task, return_exceptions=True)


async def test_pages_are_followed_and_the_watch_goes_on_from_the_list(server: Any, start: Any) -> None:
    api = Api(
        server,
        [page(5, pod("a", 1), token="next"), page(5, pod("b", 2))],
        [[line("ADDED", pod("c", 6)), line("MODIFIED", pod("a", 7)), line("DELETED", pod("b", 8)), 5.0]],
    )
    watching = start()
    await watching.until_told(("seen", "a@1"), ("seen", "b@2"), ("seen", "c@6"), ("seen", "a@7"), ("gone", "b"))
    assert [query.get("continue") for query in api.list_queries] == [None, "next"]
    assert api.watch_queries[0]["resourceVersion"] == "5"
    assert api.watch_queries[0]["allowWatchBookmarks"] == "true"
    assert {query["fieldSelector"] for query in api.list_queries + api.watch_queries} == {"status.phase!=Failed"}
    assert 300 <= int(api.watch_queries[0]["timeoutSeconds"]) <= 600


async def test_an_expired_continue_token_starts_the_list_again(server: Any, start: Any) -> None:
    Api(server, [page(5, pod("a", 1), token="next"), 410, page(9, pod("a", 1), pod("b", 2))], [[5.0]])
    watching = start()
    await watching.until_told(("seen", "a@1"), ("seen", "b@2"))
    await watching.until(watching.stream.listed.is_set)


async def test_a_closed_watch_is_resumed_from_the_last_version_seen(server: Any, start: Any) -> None:
    watches: list[list[bytes | float]] = [[line("ADDED", pod("a", 6)), line("BOOKMARK", pod("", 8))], [5.0]]
    api = Api(server, [page(5)], watches)
    watching = start()
    await watching.until(lambda: len(api.watch_queries) == 2)
    assert [query["resourceVersion"] for query in api.watch_queries] == ["5", "8"]
    assert len(api.list_queries) == 1
    await watching.until(lambda: watching.stream.restarts == 1)


@pytest.mark.parametrize("how", ["event", "status"])
async def test_a_version_too_old_lists_again_and_tells_what_vanished(server: Any, start: Any, how: str) -> None:
    expired = line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
    api = Api(server, [page(5, pod("a", 1), pod("b", 2)), page(9, pod("b", 2), pod("c", 7))], [[expired], [5.0]])
    if how == "status":
        plain = api.stream

        async def refuse_once(request: web.Request) -> web.StreamResponse:
            if len(api.watch_queries) == 1:
                return web.json_response({"message": "too old"}, status=410)
            return await plain(request)

        api.stream = refuse_once  # type: ignore[method-assign]
        api.watches = [[5.0]]
    watching = start()
    await watching.until_told(("seen", "a@1"), ("seen", "b@2"), ("seen", "c@7"), ("gone", "a"))
    assert watching.stream.relists == 1
    await watching.until(lambda: api.watch_queries[-1]["resourceVersion"] == "9")


async def test_a_silent_watch_is_cut_and_resumed_without_a_list(server: Any, start: Any) -> None:
    api = Api(server, [page(5)], [[line("ADDED", pod("a", 6)), 30.0], [line("ADDED", pod("b", 7)), 30.0]])
    watching = start()
    await watching.until_told(("seen", "a@6"), ("seen", "b@7"))
    assert api.watch_queries[1]["resourceVersion"] == "6"
    assert len(api.list_queries) == 1


async def test_a_watch_that_never_answers_is_given_up(server: Any, start: Any) -> None:
    api = Api(server, [page(5)], [[5.0]])
    plain = api.stream

    async def hang_once(request: web.Request) -> web.StreamResponse:
        if len(api.watch_queries) == 1:
            await asyncio.sleep(5)
        return await plain(request)

    api.stream = hang_once  # type: ignore[method-assign]
    watching = start(WatchTiming(open_seconds=0.2, silence_seconds=5.0, backoff_initial_seconds=0.01))
    await watching.until(lambda: len(api.watch_queries) == 2)
    assert watching.stream.faults == 1


async def test_one_event_may_be_larger_than_any_buffer_and_come_in_pieces(server: Any, start: Any) -> None:
    large = line("ADDED", pod("a", 6, annotations={"x": "y" * 900_000}))
    pieces: list[bytes | float] = [
        large[:10],
        0.05,
        large[10:70_000],
        0.05,
        large[70_000:] + large.replace(b'"6"', b'"7"'),
    ]
    Api(server, [page(5)], [[*pieces, 5.0]])
    watching = start(WatchTiming(silence_seconds=5.0))
    await watching.until_told(("seen", "a@6"), ("seen", "a@7"))


@pytest.mark.parametrize("garbage", [b"<html>\n", b"{}\n", b'{"type":"ADDED","object":{}}\n', b"[1]\n", b"null\n"])
async def test_a_line_that_is_no_event_only_reopens_the_watch(server: Any, start: Any, garbage: bytes) -> None:
    Api(server, [page(5)], [[garbage], [line("ADDED", pod("a", 6)), 5.0]])
    watching = start()
    await watching.until_told(("seen", "a@6"))
    assert watching.stream.faults == 1


async def test_a_half_written_line_at_the_cut_is_not_applied(server: Any, start: Any) -> None:
    Api(server, [page(5)], [[line("ADDED", pod("a", 6))[:-10]], [line("ADDED", pod("a", 6)), 5.0]])
    await start().until_told(("seen", "a@6"))


async def test_server_errors_are_waited_out(server: Any, start: Any) -> None:
    oops = line("ERROR", {"kind": "Status", "code": 500, "message": "etcd is away"})
    api = Api(server, [503, 500, page(5, pod("a", 1))], [[oops], [line("ADDED", pod("b", 6)), 5.0]])
    await start().until_told(("seen", "a@1"), ("seen", "b@6"))
    assert len(api.list_queries) == 3


async def test_what_did_not_change_is_not_told_again_after_a_new_list(server: Any, start: Any) -> None:
    expired = line("ERROR", {"kind": "Status", "code": 410})
    Api(server, [page(5, pod("a", 1), pod("b", 2)), page(9, pod("a", 1), pod("b", 8))], [[expired], [5.0]])
    await start().until_told(("seen", "a@1"), ("seen", "b@2"), ("seen", "b@8"))


@pytest.mark.parametrize("what", ["list", "watch"])
async def test_a_permission_that_is_missing_from_the_start_ends_the_stream(server: Any, start: Any, what: str) -> None:
    Api(server, [403] if what == "list" else [page(5)], [[b"forbidden"]])
    with pytest.raises(StartRefused, match="list and watch pods"):
        await asyncio.wait_for(start().task, 5)


async def test_a_permission_lost_later_is_waited_out(server: Any, start: Any) -> None:
    api = Api(server, [page(5)], [[line("ADDED", pod("a", 6))], [b"forbidden"], [line("ADDED", pod("b", 7)), 5.0]])
    await start().until_told(("seen", "a@6"), ("seen", "b@7"))
    assert len(api.watch_queries) == 3


async def test_alive_and_silence_follow_the_connection(server: Any, start: Any) -> None:
    Api(server, [page(5)], [[5.0]])
    watching = start(WatchTiming(silence_seconds=5.0, grace_seconds=0.0))
    assert not watching.stream.alive(time.monotonic())
    await watching.until(lambda: bool(watching.stream.alive(time.monotonic())))
    assert watching.stream.silent_seconds(time.monotonic() + 100) > 99
