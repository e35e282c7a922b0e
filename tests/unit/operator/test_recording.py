"""Events: what they say, how repeats are told, and what happens when many wait."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydatis.operator import recording
from hydatis.operator.connection import Connection
from hydatis.operator.outbox import Lane, Outbox
from hydatis.operator.recording import NAME_LENGTH, NOTE_BYTES, Recorder, event_name
from hydatis.scheduler.decision import PodReference

POD = PodReference("shop", "cart-1", "uid-1")
PATH = "/apis/events.k8s.io/v1/namespaces/shop/events"


class Rig:
    """A recorder in front of the scripted server."""

    def __init__(self, server: Any, connection: Connection, answers: Any) -> None:
        self.server = server
        self.answers = answers
        self.outbox = Outbox(4)
        self.recorder = Recorder(connection, self.outbox, limit=3)
        server.on("POST", PATH, answers(201))

    async def settle(self) -> None:
        assert await self.outbox.drain((Lane.EVENT,), 5.0)

    @property
    def posted(self) -> list[Any]:
        bodies: list[Any] = self.server.sent("POST", PATH)
        return bodies


@pytest.fixture
async def rig(server: Any, connection: Connection, answers: Any) -> AsyncIterator[Rig]:
    opened = Rig(server, connection, answers)
    yield opened
    await opened.outbox.close()


async def test_an_event_says_who_what_and_about_which_pod(rig: Rig) -> None:
    rig.outbox.start()
    rig.recorder.normal(
        POD, "Scheduled", "Successfully assigned shop/cart-1 to node-1", action="Binding", controller="packer"
    )
    await rig.settle()
    (body,) = rig.posted
    assert body["regarding"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "shop",
        "name": "cart-1",
        "uid": "uid-1",
    }
    assert (body["type"], body["reason"], body["action"]) == ("Normal", "Scheduled", "Binding")
    assert body["metadata"]["name"].startswith("cart-1.")
    assert body["reportingController"] == "packer"
    assert body["eventTime"].endswith("Z")
    assert rig.recorder.recorded == 1


async def test_repeats_of_a_warning_become_a_series(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "SERIES_INTERVAL_SECONDS", 0.0)
    rig.outbox.start()
    rig.recorder.warning(POD, "FailedScheduling", "no room", action="Scheduling", controller="hydatis")
    await rig.settle()
    name = rig.posted[0]["metadata"]["name"]
    rig.server.on("PATCH", f"{PATH}/{name}", rig.answers(200))
    for _ in range(2):
        rig.recorder.warning(POD, "FailedScheduling", "no room", action="Scheduling", controller="hydatis")
        await rig.settle()
    rig.recorder.warning(POD, "FailedScheduling", "another reason", action="Scheduling", controller="hydatis")
    await rig.settle()
    assert [body["series"]["count"] for body in rig.server.sent("PATCH", f"{PATH}/{name}")] == [2, 3]
    assert [body["note"] for body in rig.posted] == ["no room", "another reason"]
    assert (rig.recorder.recorded, rig.recorder.aggregated) == (2, 2)


async def test_a_series_is_not_patched_more_often_than_its_interval_but_flushed_at_the_end(rig: Rig) -> None:
    rig.outbox.start()
    rig.recorder.warning(POD, "FailedScheduling", "no room", action="Scheduling", controller="hydatis")
    await rig.settle()
    path = f"{PATH}/{rig.posted[0]['metadata']['name']}"
    rig.server.on("PATCH", path, rig.answers(200))
    for _ in range(5):
        rig.recorder.warning(POD, "FailedScheduling", "no room", action="Scheduling", controller="hydatis")
    await rig.settle()
    assert rig.server.sent("PATCH", path) == []
    assert await rig.recorder.flush(5.0)
    assert [body["series"]["count"] for body in rig.server.sent("PATCH", path)] == [6]


async def test_a_series_whose_event_has_expired_starts_anew(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "SERIES_INTERVAL_SECONDS", 0.0)
    rig.outbox.start()
    for _ in range(3):
        rig.recorder.warning(POD, "FailedScheduling", "no room", action="Scheduling", controller="hydatis")
        await rig.settle()
    assert len(rig.posted) == 2, "the PATCH found no Event (404), so the third is recorded as a new one"


async def test_when_many_wait_the_last_word_about_each_pod_survives(rig: Rig) -> None:
    for number in range(6):
        rig.recorder.warning(POD, "FailedScheduling", f"try {number}", action="Scheduling", controller="hydatis")
    other = PodReference("shop", "cart-2", "uid-2")
    rig.recorder.normal(other, "Scheduled", "there", action="Binding", controller="hydatis")
    rig.recorder.normal(POD, "Scheduled", "at last", action="Binding", controller="hydatis")
    rig.outbox.start()
    await rig.settle()
    notes = {(body["regarding"]["name"], body["note"]) for body in rig.posted}
    assert {("cart-1", "at last"), ("cart-2", "there")} <= notes
    assert len(rig.posted) == 4
    assert rig.recorder.dropped == 4


async def test_what_takes_the_place_of_an_older_event_says_who_told_it_and_of_which_other_pod(rig: Rig) -> None:
    for number in range(3):
        rig.recorder.warning(POD, "FailedScheduling", f"try {number}", action="Scheduling", controller="packer")
    other = PodReference("shop", "cart-2", "uid-2")
    rig.recorder.normal(POD, "Preempted", "by cart-2", action="Preempting", controller="hydatis", related=other)
    rig.outbox.start()
    await rig.settle()
    told = next(body for body in rig.posted if body["reason"] == "Preempted")
    assert (told["reportingController"], told["related"]["name"]) == ("hydatis", "cart-2")


async def test_the_same_warning_told_twice_before_it_left_is_one_event(rig: Rig) -> None:
    for _ in range(2):
        rig.recorder.warning(POD, "FailedScheduling", "no room", action="Scheduling", controller="hydatis")
    rig.outbox.start()
    await rig.settle()
    assert len(rig.posted) == 1
    assert rig.recorder.aggregated == 1


@pytest.mark.parametrize(("faults", "recorded"), [((500, 429, 201), 1), ((503, 409), 1), ((403,), 0), ((404,), 0)])
async def test_what_is_unclear_is_sent_again_and_what_is_refused_is_counted(
    rig: Rig, faults: tuple[int, ...], recorded: int
) -> None:
    rig.server.on("POST", PATH, *(rig.answers(status, None, {"Retry-After": "0"}) for status in faults))
    rig.outbox.start()
    rig.recorder.normal(POD, "Scheduled", "there", action="Binding", controller="hydatis")
    await rig.settle()
    assert (rig.recorder.recorded, rig.recorder.dropped) == (recorded, 1 - recorded)
    assert len(rig.posted) == len(faults)
    assert len({body["metadata"]["name"] for body in rig.posted}) == 1


async def test_flushing_gives_up_after_its_time_and_says_how_many_are_lost(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(_: Any) -> Any:
        await asyncio.sleep(3)

    rig.server.on("POST", PATH, hang)
    rig.outbox.start()
    for number in range(5):
        pod = PodReference("shop", f"cart-{number}", f"uid-{number}")
        rig.recorder.normal(pod, "Scheduled", "there", action="Binding", controller="hydatis")
    assert not await rig.recorder.flush(0.1)
    assert "3 Events not recorded" in caplog.text


@given(st.text(max_size=1500))
def test_a_note_is_never_longer_than_the_api_server_takes_and_never_broken_within_a_character(note: str) -> None:
    capped = recording.capped(note)
    assert len(capped.encode()) <= NOTE_BYTES
    assert capped == note or (capped.endswith("…") and note.startswith(capped[:-1]))


@given(st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", fullmatch=True), st.integers(1, 2**63))
def test_an_events_name_is_valid_and_begins_with_the_pods(name: str, stamp: int) -> None:
    full = event_name(name, stamp)
    assert len(full) <= NAME_LENGTH
    assert full.endswith(f".{stamp:x}")
    assert name.startswith(full.removesuffix(f".{stamp:x}"))
    assert full[len(full) - len(f".{stamp:x}") - 1] not in "-."


def test_names_differ_even_within_one_nanosecond() -> None:
    names = recording.Stamps()
    drawn = [names.draw() for _ in range(1000)]
    assert len(set(drawn)) == 1000
