"""The event loop of the operator: uvloop, with one defect of it worked around.

`running` starts it. When `create_connection(sock=…)` fails or is cancelled before the connection is set up, uvloop
closes the descriptor, but leaves the Python socket believing that it still owns it (uvloop issues 653 and pull request
646). When that socket is collected it closes the number a second time, which by then belongs to another connection:
requests hang, or answers go astray. aiohttp connects in just this way, and an API server that restarts makes it fail
often.
"""

from typing import Any

import uvloop


class EventLoop(uvloop.Loop):
    """uvloop's loop; a socket given to a failed `create_connection` no longer owns its descriptor."""

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Connect, as `asyncio.loop.create_connection` does."""
        try:
            return await super().create_connection(*args, **kwargs)
        except BaseException:
            given = kwargs.get("sock")
            if given is not None:
                given.detach()
            raise


def new_event_loop() -> EventLoop:
    """A loop for `asyncio.Runner`."""
    return EventLoop()
