"""What is known of owners, kept in ConfigMaps."""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest
from aiohttp import web

from hydatis.operator import owner_memory
from hydatis.operator.connection import Connection
from hydatis.operator.owner_memory import NAME, OwnerMemory, archive_name
from hydatis.scheduler.events import Event, OwnersRemembered
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.owner_history import OwnerHistory

CONFIG_MAPS = "/api/v1/namespaces/hydatis-system/configmaps"


class Store:
    """ConfigMaps as an API server keeps them, behind the scripted server."""

    def __init__(self, server: Any) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.refuse: set[str] = set()
        """Names whose writing fails."""
        self.fail_reads = False
        self._server = server
        for name in (NAME, *(f"{NAME}-{slot}-{number}" for slot in "ab" for number in range(16))):
            server.on("GET", f"{CONFIG_MAPS}/{name}", self._get)
            server.on("PATCH", f"{CONFIG_MAPS}/{name}", self._patch)
        server.on("POST", CONFIG_MAPS, self._post)

    async def _get(self, request: web.Request) -> web.Response:
        if self.fail_reads:
            return web.json_response({"message": "etcd is away"}, status=500)
        found = self.objects.get(request.path.rpartition("/")[2])
        return web.json_response(found or {"message": "not found"}, status=200 if found else 404)

    async def _patch(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        return self._write(name, await request.read()) if name in self.objects else web.json_response({}, status=404)

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.read()
        return self._write(orjson.loads(body)["metadata"]["name"], body)

    def _write(self, name: str, body: bytes) -> web.Response:
        if name in self.refuse:
            return web.json_response({"message": "quota"}, status=403)
        self.objects[name] = orjson.loads(body)
        return web.json_response({})


def learned(names: tuple[str, ...] = ("api",)) -> OwnerHistory:
    found = OwnerHistory()
    random = np.random.default_rng(1)
    for name in names:
        number = found.hold(Owner("web", "Deployment", name))
        found.learn(np.array([number]), random.uniform(0.1, 0.9, (2, 1)), np.array([60.0]), np.array([1.0]))
    return found


@pytest.fixture
def store(server: Any) -> Store:
    return Store(server)


@pytest.fixture
def memory(connection: Connection) -> Callable[..., tuple[OwnerMemory, list[Event]]]:
    def make(history: OwnerHistory) -> tuple[OwnerMemory, list[Event]]:
        told: list[Event] = []
        made = OwnerMemory(connection, history, told.append, namespace="hydatis-system", clock=lambda: 120.0)
        return made, told

    return make


Make = Callable[[OwnerHistory], tuple[OwnerMemory, list[Event]]]


async def restored(memory: Make) -> tuple[OwnerMemory, list[str]]:
    """A new operator's memory after it has read, and the owners it told the core about."""
    found, told = memory(OwnerHistory())
    await found.restore()
    known = [event.remembered for event in told if isinstance(event, OwnersRemembered)]
    return found, [owner.name for remembered in known for owner in remembered.owners]


async def test_what_one_operator_learned_the_next_one_knows(store: Store, memory: Make) -> None:
    before, told = memory(learned(("api", "db")))
    await before.restore()
    assert told == []
    await before.save()
    assert before.outcomes == {"restored": 0, "refused": 0, "written": 1, "failed": 0}
    assert sorted(store.objects) == [NAME, f"{NAME}-a-0"]
    after, names = await restored(memory)
    assert sorted(names) == ["api", "db"]
    assert after.outcomes["restored"] == 1


async def test_nothing_is_written_while_nothing_was_learned(store: Store, memory: Make) -> None:
    history = OwnerHistory()
    history.hold(Owner("web", "Deployment", "unseen"))
    found, _ = memory(history)
    await found.restore()
    await found.save()
    assert store.objects == {}
    some = learned()
    found, _ = memory(some)
    await found.restore()
    for _ in range(3):
        await found.save()
    assert found.outcomes["written"] == 1
    some.learn(np.array([1]), np.full((2, 1), 0.9), np.array([120.0]), np.array([1.0]))
    await found.save()
    assert found.outcomes["written"] == 2


async def test_a_failed_write_leaves_the_archive_before_whole(store: Store, memory: Make) -> None:
    history = learned(("api",))
    found, _ = memory(history)
    await found.restore()
    await found.save()
    for refused in (f"{NAME}-b-0", NAME):
        number = history.hold(Owner("web", "Deployment", f"new-{refused}"))
        history.learn(np.array([number]), np.full((2, 1), 0.4), np.array([60.0]), np.array([1.0]))
        store.refuse = {refused}
        await found.save()
        assert (await restored(memory))[1] == ["api"]
    assert found.outcomes["failed"] == 2
    store.refuse = set()
    await found.save()
    assert len((await restored(memory))[1]) == 3


async def test_a_large_archive_goes_into_several_and_is_bounded(
    store: Store, memory: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner_memory, "CHUNK_BYTES", 300)
    names = tuple(f"api-{number}" for number in range(60))
    found, _ = memory(learned(names))
    await found.restore()
    await found.save()
    assert int(store.objects[NAME]["data"]["chunks"]) > 1
    assert sorted((await restored(memory))[1]) == sorted(names)
    monkeypatch.setattr(owner_memory, "MOST_CHUNKS", 2)
    smaller, _ = memory(learned(names))
    await smaller.restore()
    await smaller.save()
    assert int(store.objects[NAME]["data"]["chunks"]) <= 2
    assert 0 < len((await restored(memory))[1]) < 60


def spoil(objects: dict[str, dict[str, Any]], what: str) -> None:
    index, chunk = objects[NAME], objects[f"{NAME}-a-0"]
    match what:
        case "digest":
            index["data"]["sha256"] = "0" * 64
        case "slot":
            index["data"]["slot"] = "../other"
        case "chunks":
            index["data"]["chunks"] = "1000000000"
        case "index":
            index["data"] = None
        case "missing":
            del objects[f"{NAME}-a-0"]
        case "base64":
            chunk["binaryData"]["archive"] = "not base64!"
        case "pickle":
            data = b"\x80\x04\x95\x00."
            chunk["binaryData"]["archive"] = base64.b64encode(data).decode()
            index["data"]["sha256"] = hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("what", ["digest", "slot", "chunks", "index", "missing", "base64", "pickle"])
async def test_garbage_is_told_counted_and_replaced(
    store: Store, memory: Make, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = memory(learned())
    await first.restore()
    await first.save()
    spoil(store.objects, what)
    second, names = await restored(memory)
    assert names == []
    assert second.outcomes["refused"] == 1
    assert f"is not used: in the ConfigMap {NAME}, " in caplog.text
    third, _ = memory(learned(("fresh",)))
    await third.restore()
    await third.save()
    assert (await restored(memory))[1] == ["fresh"]


async def test_what_could_not_be_read_is_not_overwritten_but_read_later(store: Store, memory: Make) -> None:
    first, _ = memory(learned(("api",)))
    await first.restore()
    await first.save()
    history = learned(("other",))
    second, told = memory(history)
    store.fail_reads = True
    await second.restore()
    await second.save()
    assert second.outcomes == {"restored": 0, "refused": 0, "written": 0, "failed": 0}
    assert told == []
    store.fail_reads = False
    await second.save()
    assert second.outcomes["restored"] == 1
    assert len(told) == 1


async def test_a_server_that_does_not_answer_holds_the_start_up_for_a_moment_only(
    server: Any, memory: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.json_response({})

    server.on("GET", f"{CONFIG_MAPS}/{NAME}", hang)
    monkeypatch.setattr(owner_memory, "RESTORE_SECONDS", 0.1)
    found, told = memory(OwnerHistory())
    async with asyncio.timeout(5):
        await found.restore()
    assert told == []


def test_operators_of_one_namespace_keep_apart() -> None:
    assert archive_name({"hydatis"}) == NAME
    assert archive_name({"packer"}) != archive_name({"packer", "hydatis"})
    assert archive_name(["b", "a"]) == archive_name(["a", "b"])
