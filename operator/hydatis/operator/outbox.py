"""What leaves for the API server: a fixed pool of workers that serve binds first, then claims, evictions, conditions
and Events.

`binding`, `claiming`, `evicting`, `conditions` and `recording` put their work here; `running` starts and closes it. A
lower lane gets only the workers that its limit leaves it, so hanging writes to claims, or posts of Events, never hold
up binds, and its oldest work waits no longer than `PATIENCE_SECONDS` for the lanes above it. One job at a time has a
worker, so nothing grows but the lanes themselves.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0

Job = Callable[[], Awaitable[None]]


class Lane(IntEnum):
    """What goes first: the lower, the sooner."""

    BIND = 0
    CLAIM = 1
    EVICTION = 2
    CONDITION = 3
    EVENT = 4


class Outbox:
    """Runs jobs by at most `concurrency` workers at a time."""

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.failures = 0
        """Jobs that ended in an error nobody expected; each is logged with its traceback."""
        eighth = max(1, concurrency // 8)
        # Those of the lower lanes are less than all: some workers stay for binds as long as there are more than four.
        self._limits = (concurrency, eighth, eighth, eighth, max(1, concurrency // 2))
        self._lanes: tuple[deque[tuple[float, Job]], ...] = tuple(deque() for _ in Lane)
        self._running = [0] * len(Lane)
        self._idle: deque[asyncio.Future[None]] = deque()
        self._workers: list[asyncio.Task[None]] = []
        self._loop = asyncio.get_running_loop()
        self._settled = asyncio.Event()
        self.on_room: Callable[[], None] = lambda: None
        """Called when a bind has left its lane."""

    def start(self) -> None:
        """Start the workers; jobs put in before wait until then."""
        self._workers = [asyncio.create_task(self._work(), name=f"outbox-{n}") for n in range(self.concurrency)]

    def put(self, lane: Lane, job: Job) -> None:
        """Queue a job; it runs once, as soon as a worker is free for its lane."""
        self._lanes[lane].append((time.monotonic(), job))
        self._wake_one()

    def waiting(self, lane: Lane) -> int:
        """Jobs of the lane that no worker has taken yet."""
        return len(self._lanes[lane])

    def running(self, lane: Lane) -> int:
        """Jobs of the lane that a worker is busy with."""
        return self._running[lane]

    async def drain(self, lanes: tuple[Lane, ...], seconds: float) -> bool:
        """Wait until the lanes are empty and idle; returns False when that took longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while any(self._lanes[lane] or self._running[lane] for lane in lanes):
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Cancel the workers and whatever they are doing."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers.clear()

    async def _work(self) -> None:
        while True:
            lane = self._choose()
            if lane is None:
                await self._rest()
                continue
            _, job = self._lanes[lane].popleft()
            self._running[lane] += 1
            if lane is Lane.BIND:
                self.on_room()
            try:
                await job()
            except Exception:  # a worker must outlive a defect of one job; it is counted and told
                self.failures += 1
                logger.exception("A request job failed unexpectedly; the others go on.")
            finally:
                self._running[lane] -= 1
                self._settled.set()
                # This worker may go on with a higher lane; one that rests because this lane was full takes its place.
                if self._lanes[lane]:
                    self._wake_one()

    def _choose(self) -> Lane | None:
        overdue = time.monotonic() - PATIENCE_SECONDS
        chosen: Lane | None = None
        for lane in Lane:
            queue = self._lanes[lane]
            if not queue or self._running[lane] >= self._limits[lane]:
                continue
            if chosen is None or queue[0][0] < overdue:
                chosen = lane
        return chosen

    async def _rest(self) -> None:
        called = self._loop.create_future()
        self._idle.append(called)
        await called

    def _wake_one(self) -> None:
        while self._idle:
            called = self._idle.popleft()
            if not called.done():
                called.set_result(None)
                return
