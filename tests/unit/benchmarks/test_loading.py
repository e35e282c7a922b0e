"""The load generator against a server that takes its time."""

import asyncio
from typing import Any

import orjson
import pytest

from hydatis.benchmarks.loading import CONCURRENCY, create_pods
from hydatis.sandbox.api_session import ApiError, ApiSession

PATH = "/api/v1/namespaces/bench/pods"


class SlowServer(ApiSession):
    """Answers every creation after a fixed time, and remembers how many were under way at once."""

    def __init__(self, answer_seconds: float, refuse: str | None = None) -> None:
        self.answer_seconds = answer_seconds
        self.refuse = refuse
        self.started = 0
        self.under_way = 0
        self.most_under_way = 0

    async def post(self, path: str, body: bytes) -> Any:
        name = orjson.loads(body)["metadata"]["name"]
        self.started += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(self.answer_seconds)
        self.under_way -= 1
        if name == self.refuse:
            raise ApiError(f"POST {path}", 403, "not this one")
        return {"metadata": {"uid": f"uid-{name}"}}


def pods(count: int) -> list[dict[str, Any]]:
    return [{"metadata": {"name": str(index)}} for index in range(count)]


async def test_a_paced_load_is_not_held_back_by_slow_answers() -> None:
    server = SlowServer(answer_seconds=0.3)
    created = await create_pods(server, PATH, pods(40), pods_per_second=100.0)
    moments = sorted(created.sent_at.values())
    assert len(moments) == 40
    # 40 pods at 100/s take 0.39 s to send; one after the other they would take 12 s.
    assert 0.38 <= moments[-1] - moments[0] < 2.0
    assert len(created.lateness_seconds) == 40
    assert min(created.lateness_seconds) >= 0.0


async def test_a_burst_keeps_as_many_requests_under_way_as_it_may() -> None:
    server = SlowServer(answer_seconds=0.02)
    created = await create_pods(server, PATH, pods(200), pods_per_second=None)
    assert set(created.sent_at) == {f"uid-{index}" for index in range(200)}
    assert server.most_under_way == CONCURRENCY
    assert created.lateness_seconds == []


async def test_a_refusal_ends_the_load() -> None:
    server = SlowServer(answer_seconds=0.01, refuse="5")
    with pytest.raises(ApiError, match="status 403, not this one"):
        await create_pods(server, PATH, pods(5000), pods_per_second=None)
    started = server.started
    await asyncio.sleep(0.1)
    assert server.started == started < 200
