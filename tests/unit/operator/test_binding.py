"""What becomes of a bind under every answer, and under none."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from hydatis.operator import binding, connection
from hydatis.operator.binding import Binder
from hydatis.operator.connection import Connection
from hydatis.operator.outbox import Outbox
from hydatis.scheduler.decision import Decision, Mode, PodReference
from hydatis.scheduler.instructions import Bind

POD = PodReference("shop", "cart-1", "uid-1")
PATH = "/api/v1/namespaces/shop/pods/cart-1"
INSTRUCTION = Bind(
    POD,
    "node-1",
    Decision(POD, "hydatis", "built-in", 0, Mode.FALLBACK, 1, 1, None, None, {}, frozenset(), 1, 0.0, 0.0),
)


def pod(uid: str = "uid-1", node: str | None = None) -> dict[str, Any]:
    return {"metadata": {"uid": uid}, "spec": {"nodeName": node} if node else {}}


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "SETTLE_SECONDS", 0.1)
    monkeypatch.setattr(binding, "BIND_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(binding, "_READ_BACKOFF_SECONDS", (0.02, 0.05))


class Rig:
    """A binder in front of the scripted server."""

    def __init__(self, server: Any, answers: Any, connection: Connection, jitter: random.Random) -> None:
        self.server = server
        self.answers = answers
        self.outbox = Outbox(4)
        self._ended: asyncio.Future[tuple[str, str | None]] = asyncio.get_running_loop().create_future()
        self.reasons: list[str | None] = []
        """What the core says each time it is asked whether a binding should be withdrawn; nothing once it is empty."""
        self._binder = Binder(connection, self.outbox, self._done, why_withdraw=self._why, jitter=jitter)

    def _why(self, uid: str) -> str | None:
        assert uid == POD.uid
        return self.reasons.pop(0) if self.reasons else None

    def _done(self, instruction: Bind, outcome: str, reason: str | None) -> None:
        assert instruction is INSTRUCTION
        self._ended.set_result((outcome, reason))

    async def bind(self) -> tuple[str, str | None]:
        self._binder.submit(INSTRUCTION)
        return await asyncio.wait_for(self._ended, 5)


@pytest.fixture
async def rig(server: Any, answers: Any, connection: Connection, jitter: random.Random) -> AsyncIterator[Rig]:
    opened = Rig(server, answers, connection, jitter)
    opened.outbox.start()
    yield opened
    await opened.outbox.close()


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(2)
    return web.Response()


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def test_the_binding_names_the_pods_uid_and_the_node(rig: Rig) -> None:
    rig.server.on("POST", f"{PATH}/binding", rig.answers(201))
    assert await rig.bind() == ("bound", None)
    (body,) = rig.server.sent("POST", f"{PATH}/binding")
    assert body["metadata"] == {"name": "cart-1", "namespace": "shop", "uid": "uid-1"}
    assert body["target"]["name"] == "node-1"


async def test_a_withdrawn_binding_never_leaves(rig: Rig) -> None:
    rig.reasons = ["the node has been filled by others meanwhile"]
    assert await rig.bind() == ("withdrawn", "the node has been filled by others meanwhile")
    assert rig.server.requests == []


async def test_a_binding_that_was_told_to_wait_is_looked_at_again_before_it_leaves(rig: Rig) -> None:
    rig.reasons = [None, "the node is gone"]
    rig.server.on("POST", f"{PATH}/binding", rig.answers(429, {}, {"Retry-After": "0"}), rig.answers(201))
    assert await rig.bind() == ("withdrawn", "the node is gone")
    assert len(rig.server.sent("POST", f"{PATH}/binding")) == 1


@pytest.mark.parametrize(
    ("status", "outcome"), [(404, "gone"), (403, "rejected"), (422, "rejected"), (400, "rejected")]
)
async def test_a_clear_refusal_is_not_asked_about(rig: Rig, status: int, outcome: str) -> None:
    rig.server.on("POST", f"{PATH}/binding", rig.answers(status, {"message": "because"}))
    ended, reason = await rig.bind()
    assert ended == outcome
    assert reason is not None
    assert "because" in reason
    assert len(rig.server.requests) == 1


@pytest.mark.parametrize("fault", ["500", "503", "silence", "cut", "409"])
@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ((200, pod(node="node-1")), "bound_after_read"),
        ((200, pod(node="node-2")), "conflict"),
        ((200, pod(uid="uid-2", node="node-1")), "gone"),
        ((404, {}), "gone"),
        ((200, pod()), "not_bound_after_read"),
    ],
)
async def test_an_unclear_answer_is_settled_by_reading_the_pod(rig: Rig, fault: str, found: Any, outcome: str) -> None:
    handler = {"silence": hang, "cut": cut}.get(fault) or rig.answers(int(fault), {"message": "oops"})
    rig.server.on("POST", f"{PATH}/binding", handler)
    rig.server.on("GET", PATH, rig.answers(*found))
    ended, reason = await rig.bind()
    expected = "conflict" if (fault, outcome) == ("409", "not_bound_after_read") else outcome
    assert ended == expected
    assert (reason is None) == (outcome == "bound_after_read")
    assert len(rig.server.sent("POST", f"{PATH}/binding")) == 1, "never bound twice blindly"


async def test_a_binding_that_lands_late_is_noticed(rig: Rig) -> None:
    rig.server.on("POST", f"{PATH}/binding", hang)
    rig.server.on("GET", PATH, rig.answers(200, pod()), rig.answers(200, pod()), rig.answers(200, pod(node="node-1")))
    assert (await rig.bind())[0] == "bound_after_read"


async def test_reading_goes_on_until_the_server_answers(rig: Rig) -> None:
    rig.server.on("POST", f"{PATH}/binding", rig.answers(500))
    busy = rig.answers(429, None, {"Retry-After": "0"})
    rig.server.on("GET", PATH, rig.answers(500), cut, busy, rig.answers(503), rig.answers(200, pod(node="node-1")))
    assert (await rig.bind())[0] == "bound_after_read"


async def test_a_busy_server_is_obeyed_and_asked_again(rig: Rig) -> None:
    rig.server.on("POST", f"{PATH}/binding", rig.answers(429, None, {"Retry-After": "1"}), rig.answers(201))
    started = asyncio.get_running_loop().time()
    assert (await rig.bind())[0] == "bound"
    assert asyncio.get_running_loop().time() - started >= 1.0


async def test_a_server_that_stays_busy_gives_the_pod_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "BIND_BUDGET_SECONDS", 0.5)
    rig.server.on("POST", f"{PATH}/binding", rig.answers(429, None, {"Retry-After": "1"}))
    outcome, reason = await rig.bind()
    assert outcome == "throttled"
    assert reason is not None


async def test_a_bind_without_credentials_gives_the_pod_back(
    rig: Rig, server: Any, answers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_RELOAD_INTERVAL_SECONDS", 0.0)
    server.on("POST", f"{PATH}/binding", answers(401, {"message": "the token has expired"}))
    (tmp_path / "kubeconfig.yaml").unlink()
    outcome, reason = await rig.bind()
    assert outcome == "rejected"
    assert reason is not None
    assert "kubeconfig" in reason


async def test_a_pod_whose_reading_is_answered_with_something_else_is_not_lost(rig: Rig) -> None:
    rig.server.on("POST", f"{PATH}/binding", rig.answers(500))
    rig.server.on("GET", PATH, rig.answers(200, {"kind": "Banner"}))
    assert await rig.bind() == ("rejected", "an unexpected fault, see the log")
