"""The load generator: creates pods from prepared JSON bodies, at a rate or as fast as it can.

Called by a run. Bodies are encoded before the first request leaves, so that a creation costs little more than the
HTTP exchange. A paced load is open: each creation has its due time and is not held back by the one before; how late
the requests left is measured and reported.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from hydatis.sandbox.api_session import ApiSession

CONCURRENCY = 32
"""Requests in flight at once; on a small machine the API server creates no faster with more."""


@dataclass(slots=True)
class Created:
    """The pods a load created; times are seconds of `time.perf_counter`."""

    sent_at: dict[str, float] = field(default_factory=dict)
    """Pod uid to the moment just before its create request was sent."""
    lateness_seconds: list[float] = field(default_factory=list)
    """Of a paced load: how long after its due time each request was sent."""


async def create_pods(
    session: ApiSession, path: str, manifests: Sequence[Mapping[str, Any]], pods_per_second: float | None
) -> Created:
    """Create pods, at a rate or as fast as the server takes them.

    Raises:
        ApiError: the server refused one.

    """
    created = Created()
    schedule = _schedule([orjson.dumps(manifest) for manifest in manifests], pods_per_second)

    async def work() -> None:
        for due_at, body in schedule:
            if due_at is not None:
                await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
            sent_at = time.perf_counter()
            answer = await session.post(path, body)
            created.sent_at[answer["metadata"]["uid"]] = sent_at
            if due_at is not None:
                created.lateness_seconds.append(sent_at - due_at)

    workers = [asyncio.ensure_future(work()) for _ in range(CONCURRENCY)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
    return created


def _schedule(bodies: Sequence[bytes], pods_per_second: float | None) -> Iterator[tuple[float | None, bytes]]:
    """Yield each body with its due time; the workers share one iterator, so each takes the next one due."""
    start = time.perf_counter()
    for index, body in enumerate(bodies):
        yield (None if pods_per_second is None else start + index / pods_per_second), body
