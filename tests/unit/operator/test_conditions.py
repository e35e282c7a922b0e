"""The PodScheduled condition: written when it changes, and only then."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from hydatis.operator import conditions
from hydatis.operator.conditions import ConditionWriter
from hydatis.operator.connection import Connection
from hydatis.operator.outbox import Lane, Outbox
from hydatis.scheduler.decision import PodReference

POD = PodReference("shop", "cart-1", "uid-1")
PATH = "/api/v1/namespaces/shop/pods/cart-1/status"


class Rig:
    """A writer in front of the scripted server."""

    def __init__(self, server: Any, connection: Connection, answers: Any) -> None:
        self.server = server
        self.answers = answers
        self.outbox = Outbox(16)
        self.writer = ConditionWriter(connection, self.outbox)
        server.on("PATCH", PATH, answers(200))
        self.outbox.start()

    async def report(self, message: str) -> None:
        self.writer.submit(POD, message)
        assert await self.outbox.drain((Lane.CONDITION,), 5.0)

    @property
    def written(self) -> list[Any]:
        return [body["status"]["conditions"][0] for body in self.server.sent("PATCH", PATH)]


@pytest.fixture
async def rig(server: Any, connection: Connection, answers: Any) -> AsyncIterator[Rig]:
    opened = Rig(server, connection, answers)
    yield opened
    await opened.outbox.close()


def pending(status: str, reason: str, message: str) -> dict[str, Any]:
    return {
        "status": {"conditions": [{"type": "PodScheduled", "status": status, "reason": reason, "message": message}]}
    }


async def test_a_pod_of_a_paused_policy_has_a_reason_of_its_own_that_no_autoscaler_acts_on(rig: Rig) -> None:
    rig.writer.observe("uid-1", {"status": {"nominatedNodeName": "n"}})
    rig.writer.paused(POD, "Scheduling is paused.")
    assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
    (condition,) = rig.written
    assert (condition["status"], condition["reason"]) == ("False", "SchedulingPaused")
    assert rig.server.sent("PATCH", PATH)[0]["status"]["nominatedNodeName"] is None


async def test_the_condition_says_why_and_names_the_uid(rig: Rig) -> None:
    await rig.report("0/3 nodes are available")
    (condition,) = rig.written
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "Unschedulable")
    assert condition["message"] == "0/3 nodes are available"
    assert rig.server.sent("PATCH", PATH)[0]["metadata"] == {"uid": "uid-1"}
    assert "lastTransitionTime" in condition


async def test_the_same_message_is_not_written_twice_and_a_new_one_keeps_the_transition_time(rig: Rig) -> None:
    for message in ("a", "a", "b", "b"):
        await rig.report(message)
    assert [condition["message"] for condition in rig.written] == ["a", "b"]
    assert "lastTransitionTime" not in rig.written[1]


async def test_what_the_pod_already_says_is_not_written_after_a_restart(rig: Rig) -> None:
    rig.writer.observe("uid-1", pending("False", "Unschedulable", "a"))
    await rig.report("a")
    assert rig.written == []


async def test_another_reason_in_its_place_is_overwritten(rig: Rig) -> None:
    rig.writer.observe("uid-1", pending("False", "Unschedulable", "a"))
    rig.writer.observe("uid-1", pending("False", "SchedulingGated", "a"))
    await rig.report("a")
    assert len(rig.written) == 1


async def test_a_failed_bind_is_no_reason_for_an_autoscaler_to_add_a_node(rig: Rig) -> None:
    rig.writer.observe("uid-1", pending("False", "Unschedulable", "a"))
    for _ in range(2):
        rig.writer.failed_to_bind(POD, "b")
        assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
    await rig.report("a")
    told = [(condition["reason"], condition["message"]) for condition in rig.written]
    assert told == [("SchedulerError", "b"), ("Unschedulable", "a")]
    assert not any("lastTransitionTime" in condition for condition in rig.written), "it was False all along"


async def test_a_newer_message_takes_the_place_of_one_that_has_not_left(rig: Rig) -> None:
    rig.writer.submit(POD, "a")
    await rig.report("b")
    assert [condition["message"] for condition in rig.written] == ["b"]


async def test_a_pod_that_is_bound_or_gone_gets_no_condition(rig: Rig) -> None:
    rig.writer.submit(POD, "a")
    rig.writer.forget("uid-1")
    assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
    assert rig.written == []


@pytest.mark.parametrize("fault", [500, 429])
async def test_a_fault_that_passes_is_waited_out(rig: Rig, fault: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "RETRY_SECONDS", 0.01)
    rig.server.on("PATCH", PATH, rig.answers(fault, None, {"Retry-After": "0"}), rig.answers(200))
    await rig.report("a")
    assert [condition["message"] for condition in rig.written] == ["a", "a"]
    assert rig.writer.written == 1


class Held:
    """An answer that a test gives when it likes to."""

    def __init__(self, give: Any) -> None:
        self.asked = asyncio.Event()
        self.release = asyncio.Event()
        self._give = give

    async def __call__(self, request: Any) -> Any:
        self.asked.set()
        await self.release.wait()
        return await self._give(request)


async def test_a_condition_that_got_no_clear_answer_is_not_repeated_on_a_pod_that_is_bound_meanwhile(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "RETRY_SECONDS", 0.0)
    for ended in (rig.writer.forget, rig.writer.withdraw):
        held = Held(rig.answers(500))
        rig.server.on("PATCH", PATH, held, rig.answers(200))
        before = len(rig.written)
        rig.writer.submit(POD, "a")
        await held.asked.wait()
        ended("uid-1")
        held.release.set()
        assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
        assert len(rig.written) == before + 1


async def test_nothing_is_remembered_of_a_pod_that_went_while_its_condition_was_on_its_way(rig: Rig) -> None:
    held = Held(rig.answers(200))
    rig.server.on("PATCH", PATH, held)
    rig.writer.submit(POD, "a", "n1")
    await held.asked.wait()
    rig.writer.forget("uid-1")
    held.release.set()
    assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
    kept = (rig.writer._present, rig.writer._nominated, rig.writer._wanted, rig.writer._sending)
    assert kept == ({}, {}, {}, {})


async def test_an_older_message_that_is_repeated_never_takes_the_place_of_a_newer_one(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "RETRY_SECONDS", 0.0)
    held = Held(rig.answers(500))
    rig.server.on("PATCH", PATH, held, rig.answers(200))
    rig.writer.submit(POD, "a", "n1")
    await held.asked.wait()
    rig.writer.submit(POD, "b", "n2")
    rig.writer.submit(POD, "b")
    held.release.set()
    assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
    assert [condition["message"] for condition in rig.written] == ["a", "b"]
    assert rig.server.sent("PATCH", PATH)[-1]["status"]["nominatedNodeName"] == "n2"


async def test_a_newer_message_waits_for_the_answer_of_the_older_one(rig: Rig) -> None:
    held = Held(rig.answers(200))
    rig.server.on("PATCH", PATH, held, rig.answers(200))
    rig.writer.submit(POD, "a")
    await held.asked.wait()
    rig.writer.submit(POD, "b")
    await asyncio.sleep(0.02)
    assert [condition["message"] for condition in rig.written] == ["a"]
    held.release.set()
    assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
    assert [condition["message"] for condition in rig.written] == ["a", "b"]


@pytest.mark.parametrize(("status", "failed"), [(403, 1), (404, 0), (409, 0)])
async def test_a_refusal_is_not_repeated(rig: Rig, status: int, failed: int) -> None:
    rig.server.on("PATCH", PATH, rig.answers(status))
    await rig.report("a")
    await asyncio.sleep(0.05)
    assert len(rig.written) == 1
    assert (rig.writer.written, rig.writer.failed) == (0, failed)


async def test_the_nominated_node_goes_out_with_the_condition_and_is_cleared_by_itself(rig: Rig) -> None:
    rig.writer.submit(POD, "a", "n1")
    assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
    rig.writer.nominate(POD, "n1")
    rig.writer.nominate(POD, "")
    assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
    together, cleared = (body["status"] for body in rig.server.sent("PATCH", PATH))
    assert (together["nominatedNodeName"], together["conditions"][0]["message"]) == ("n1", "a")
    assert cleared == {"nominatedNodeName": None}


async def test_a_nomination_that_is_not_there_is_not_cleared(rig: Rig) -> None:
    rig.writer.nominate(POD, "")
    assert rig.outbox.waiting(Lane.CONDITION) == 0
    rig.writer.observe("uid-1", {"status": {"nominatedNodeName": "n1"}})
    rig.writer.nominate(POD, "")
    assert rig.outbox.waiting(Lane.CONDITION) == 1


async def test_what_is_wanted_of_condition_and_nomination_adds_up_until_it_leaves(rig: Rig) -> None:
    rig.writer.submit(POD, "a", "n1")
    rig.writer.nominate(POD, "n2")
    rig.writer.submit(POD, "b")
    assert await rig.outbox.drain((Lane.CONDITION,), 5.0)
    (body,) = rig.server.sent("PATCH", PATH)
    assert body["status"]["nominatedNodeName"] == "n2"
    assert body["status"]["conditions"][0]["message"] == "b"


async def test_what_comes_after_a_write_waits_for_its_answer_and_for_nothing_else(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "RETRY_SECONDS", 3600.0)
    arrived, answered, acts = asyncio.Event(), asyncio.Event(), list[str]()

    async def slowly(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await answered.wait()
        refused: web.StreamResponse = await rig.answers(503)(request)
        return refused

    rig.server.on("PATCH", PATH, slowly)
    rig.writer.after_writing("uid-1", lambda: acts.append("nothing on its way"))
    assert acts == ["nothing on its way"]
    rig.writer.submit(POD, "a")
    await arrived.wait()
    rig.writer.withdraw("uid-1")
    done = asyncio.Event()
    rig.writer.after_writing("uid-1", done.set)
    rig.writer.after_writing("uid-2", lambda: acts.append("another pod"))
    assert (done.is_set(), acts[1:]) == (False, ["another pod"])
    answered.set()
    # Not after the pause that follows an answer like this one.
    await asyncio.wait_for(done.wait(), 30.0)
