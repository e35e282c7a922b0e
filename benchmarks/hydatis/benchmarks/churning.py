"""Creates and deletes objects at a steady pace while pods are measured.

Called by a run, for workloads that ask for it. Like upstream's churn, a tick whose requests take longer than the
interval delays the next one.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from hydatis.benchmarks.workload import Churn
from hydatis.sandbox.api_session import ApiSession


class Churner:
    """Use on one event loop: `start`, then `stop`."""

    def __init__(self, session: ApiSession, churn: Churn) -> None:
        self.created = 0
        """Objects made so far."""
        self._session = session
        self._churn = churn
        self._alive: list[str] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; the first objects come after one interval."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Make no more. What is there stays.

        Raises:
            ApiError: the API server had refused a request.

        """
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._churn.interval_seconds)
            if self._churn.deleted_again and self._alive:
                for path in self._alive:
                    await self._session.request("DELETE", path)
                self._alive = []
                continue
            for manifest in self._churn.manifests:
                path = _collection(manifest)
                created = await self._session.post(path, orjson.dumps(manifest))
                self.created += 1
                if self._churn.deleted_again:
                    self._alive.append(f"{path}/{created['metadata']['name']}")


def _collection(manifest: Mapping[str, Any]) -> str:
    plural = f"{manifest['kind'].lower()}s"
    namespace = manifest["metadata"].get("namespace")
    return f"/api/v1/namespaces/{namespace}/{plural}" if namespace else f"/api/v1/{plural}"
