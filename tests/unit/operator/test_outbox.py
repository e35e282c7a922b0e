"""Who goes first, and who waits how long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from hydatis.operator import outbox as outbox_module
from hydatis.operator.outbox import Lane, Outbox


@pytest.fixture
async def outbox() -> AsyncIterator[Outbox]:
    opened = Outbox(2)
    yield opened
    await opened.close()


class Jobs:
    """Jobs that note when they ran and end when told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gate = asyncio.Event()

    def named(self, name: str) -> Callable[[], Awaitable[None]]:
        async def job() -> None:
            self.begun.append(name)
            await self.gate.wait()

        return job


async def turn_over() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_binds_go_first_then_conditions_then_events(outbox: Outbox) -> None:
    jobs = Jobs()
    jobs.gate.set()
    for lane in (Lane.EVENT, Lane.CONDITION, Lane.BIND):
        for number in range(2):
            outbox.put(lane, jobs.named(f"{lane.name}{number}"))
    outbox.start()
    assert await outbox.drain(tuple(Lane), 2.0)
    assert jobs.begun == ["BIND0", "BIND1", "CONDITION0", "CONDITION1", "EVENT0", "EVENT1"]


async def test_hanging_events_leave_workers_for_binds(outbox: Outbox) -> None:
    jobs = Jobs()
    outbox.start()
    for number in range(5):
        outbox.put(Lane.EVENT, jobs.named(f"event{number}"))
    await turn_over()
    outbox.put(Lane.BIND, jobs.named("bind"))
    await turn_over()
    assert jobs.begun == ["event0", "bind"]
    assert (outbox.running(Lane.EVENT), outbox.waiting(Lane.EVENT)) == (1, 4)


async def test_a_worker_that_rests_takes_over_when_the_lower_lane_has_room_again(outbox: Outbox) -> None:
    first, later = Jobs(), Jobs()
    outbox.start()
    outbox.put(Lane.EVENT, first.named("event0"))
    outbox.put(Lane.EVENT, later.named("event1"))
    await turn_over()
    for number in range(2):
        outbox.put(Lane.BIND, later.named(f"bind{number}"))
    first.gate.set()
    await turn_over()
    assert set(later.begun) == {"bind0", "bind1"}
    later.gate.set()
    await turn_over()
    assert "event1" in later.begun


async def test_an_event_that_waited_long_goes_before_binds(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs()
    jobs.gate.set()
    outbox.put(Lane.EVENT, jobs.named("event"))
    outbox.put(Lane.BIND, jobs.named("bind"))
    monkeypatch.setattr(outbox_module, "PATIENCE_SECONDS", -1.0)
    outbox.start()
    assert await outbox.drain(tuple(Lane), 2.0)
    assert jobs.begun == ["event", "bind"]


async def test_a_job_with_a_defect_is_counted_and_the_rest_goes_on(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = Jobs()
    jobs.gate.set()

    async def broken() -> None:
        raise ZeroDivisionError

    for _ in range(3):
        outbox.put(Lane.BIND, broken)
    outbox.put(Lane.BIND, jobs.named("bind"))
    outbox.start()
    assert await outbox.drain(tuple(Lane), 2.0)
    assert outbox.failures == 3
    assert jobs.begun == ["bind"]
    assert "ZeroDivisionError" in caplog.text


async def test_draining_gives_up_after_its_time(outbox: Outbox) -> None:
    jobs = Jobs()
    outbox.put(Lane.BIND, jobs.named("bind"))
    outbox.start()
    assert not await outbox.drain((Lane.BIND,), 0.05)
    assert await outbox.drain((Lane.EVENT,), 0.05)
