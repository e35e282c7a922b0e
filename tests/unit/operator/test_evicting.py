"""Victims: the condition first, then the deletion, each naming the uid; who stays is told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hydatis.operator import evicting
from hydatis.operator.connection import Connection
from hydatis.operator.evicting import ATTEMPTS, Evictor
from hydatis.operator.outbox import Lane, Outbox
from hydatis.operator.recording import Recorder
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.instructions import Preemption

HIGH = PodReference("shop", "high", "uid-high")
LOW = PodReference("shop", "low", "uid-low")
POD = "/api/v1/namespaces/shop/pods/low"
EVENTS = "/apis/events.k8s.io/v1/namespaces/shop/events"


class Rig:
    """An evictor in front of the scripted server."""

    def __init__(self, server: Any, connection: Connection, answers: Any) -> None:
        self.server = server
        self.answers = answers
        self.outbox = Outbox(4)
        self.staying: list[tuple[PodReference, frozenset[str]]] = []
        recorder = Recorder(connection, self.outbox)
        self.evictor = Evictor(connection, self.outbox, recorder, lambda *told: self.staying.append(told))
        server.on("PATCH", f"{POD}/status", answers(200))
        server.on("DELETE", POD, answers(200))
        server.on("POST", EVENTS, answers(201))
        self.outbox.start()

    async def displace(self) -> None:
        self.evictor.submit(HIGH, Preemption("n1", "hydatis", (LOW,), 1))
        assert await self.outbox.drain((Lane.EVICTION, Lane.EVENT), 5.0)

    @property
    def methods(self) -> list[str]:
        return [method for method, path, _ in self.server.requests if path.startswith(POD)]


@pytest.fixture
async def rig(server: Any, connection: Connection, answers: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr(evicting, "_FIRST_WAIT_SECONDS", 0.001)
    opened = Rig(server, connection, answers)
    yield opened
    await opened.outbox.close()


async def test_the_victim_is_told_why_before_it_is_deleted_with_its_own_grace_period(rig: Rig) -> None:
    await rig.displace()
    assert rig.methods == ["PATCH", "DELETE"]
    (patch,) = rig.server.sent("PATCH", f"{POD}/status")
    assert patch["metadata"] == {"uid": "uid-low"}
    (condition,) = patch["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionTarget", "True")
    assert condition["reason"] == "PreemptionByScheduler"
    assert condition["message"] == "hydatis: preempting to accommodate a higher priority pod"
    assert rig.server.sent("DELETE", POD) == [{"preconditions": {"uid": "uid-low"}}]
    assert rig.staying == []


async def test_an_event_on_the_victim_names_who_took_its_place(rig: Rig) -> None:
    await rig.displace()
    (event,) = rig.server.sent("POST", EVENTS)
    assert (event["reason"], event["action"], event["type"]) == ("Preempted", "Preempting", "Normal")
    assert event["note"] == "Preempted by pod uid-high on node n1"
    assert (event["regarding"]["uid"], event["related"]["uid"]) == ("uid-low", "uid-high")


@pytest.mark.parametrize("fault", [500, 429])
async def test_a_fault_that_passes_is_waited_out(rig: Rig, fault: int) -> None:
    rig.server.on("DELETE", POD, rig.answers(fault, None, {"Retry-After": "0"}), rig.answers(200))
    await rig.displace()
    assert rig.methods == ["PATCH", "DELETE", "DELETE"]
    assert (rig.staying, rig.evictor.evicted) == ([], 1)


@pytest.mark.parametrize("status", [403, 409, 500])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_who_could_not_be_deleted_is_told(rig: Rig, method: str, status: int) -> None:
    rig.server.on(method, f"{POD}/status" if method == "PATCH" else POD, rig.answers(status))
    await rig.displace()
    assert rig.staying == [(HIGH, frozenset({"uid-low"}))]
    assert rig.methods.count(method) == (ATTEMPTS if status == 500 else 1)
    assert rig.server.sent("POST", EVENTS) == []


async def test_a_victim_that_is_not_bound_yet_is_taken_back_and_not_deleted(
    rig: Rig, server: Any, connection: Connection
) -> None:
    taken: list[str] = []

    def take_back(uid: str) -> bool:
        taken.append(uid)
        return True

    recorder = Recorder(connection, rig.outbox)
    rig.evictor = Evictor(connection, rig.outbox, recorder, lambda *told: rig.staying.append(told), take_back=take_back)
    await rig.displace()
    assert (taken, rig.methods, rig.staying) == (["uid-low"], [], [])
    (event,) = server.sent("POST", EVENTS)
    assert event["note"] == "Preempted by pod uid-high on node n1 before it was bound"


async def test_nobody_is_deleted_for_a_pod_that_is_gone_or_bound_meanwhile(rig: Rig, connection: Connection) -> None:
    asked: list[str] = []

    def waits(uid: str) -> bool:
        asked.append(uid)
        return False

    recorder = Recorder(connection, rig.outbox)
    rig.evictor = Evictor(connection, rig.outbox, recorder, lambda *told: rig.staying.append(told), waits=waits)
    await rig.displace()
    assert (asked, rig.methods) == (["uid-high"], [])
    assert rig.staying == [(HIGH, frozenset({"uid-low"}))], "the core no longer counts on its going"


async def test_a_defect_does_not_leave_the_pod_waiting_for_its_victims(rig: Rig, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(evicting, "disruption_patch", broken)
    await rig.displace()
    assert rig.staying == [(HIGH, frozenset({"uid-low"}))]
    assert rig.outbox.failures == 1


async def test_who_is_gone_already_is_not_told_of(rig: Rig) -> None:
    rig.server.on("PATCH", f"{POD}/status", rig.answers(404))
    await rig.displace()
    assert (rig.methods, rig.staying) == (["PATCH"], [])
