"""Waits until a scheduler has stored its last Event.

Called at the end of a run. Both schedulers record Events after they bind, and both may drop some under load; so the
end is either one Event for each bound pod, or a silence. Where pods fit nowhere at first, Events tell of that, too, so
that only a silence is the end.
"""

import asyncio
import time

from hydatis.sandbox.api_session import ApiSession

_POLL_SECONDS = 0.1
_SILENCE_SECONDS = 3.0
_MOST_SECONDS = 120.0


class EventCount:
    """The number of Events in a namespace, followed until it stands still."""

    def __init__(self, session: ApiSession, namespace: str) -> None:
        self.stored = 0
        self.last_growth_at = time.perf_counter()
        """When a poll last saw more Events than before (`time.perf_counter`): at most one poll late."""
        self._session = session
        self._path = f"/api/v1/namespaces/{namespace}/events"

    async def settle(self, expected: float) -> None:
        """Follow the count until it reaches `expected`, or has not grown for 3 s, for 2 minutes at most."""
        start = time.perf_counter()
        while True:
            stored = await self._read()
            now = time.perf_counter()
            if stored > self.stored:
                self.stored, self.last_growth_at = stored, now
            if self.stored >= expected or now - self.last_growth_at > _SILENCE_SECONDS or now - start > _MOST_SECONDS:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _read(self) -> int:
        # One object and the number of those left out: the answer's size does not grow with the count.
        answer = await self._session.get(self._path, limit="1")
        return len(answer["items"]) + int(answer["metadata"].get("remainingItemCount", 0))
