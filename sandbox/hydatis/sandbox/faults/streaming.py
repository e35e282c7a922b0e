"""Passes a watch on, event by event and unbuffered, and spoils it where a rule says so.

Called by `proxy` for every watch. Whole lines are passed on, so that a fault falls exactly between two events, or
inside one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
import orjson
from aiohttp import web

from hydatis.sandbox.faults.actions import CutWatch, ExpireWatch, SilenceWatch, WatchAction, WithholdBookmarks

_BOOKMARK = b'{"type":"BOOKMARK"'
EXPIRED_EVENT = (
    orjson.dumps(
        {
            "type": "ERROR",
            "object": {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": "too old resource version: an injected fault",
                "reason": "Expired",
                "code": 410,
            },
        }
    )
    + b"\n"
)


async def pass_on_watch(
    request: web.Request, answer: aiohttp.ClientResponse, action: WatchAction | None, applied: Callable[[], None]
) -> web.StreamResponse:
    """Pass the watch on until either side ends it. `applied` is called when the fault takes effect.

    Raises aiohttp.ClientError where the API server breaks off.
    """
    client = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.headers["Content-Type"]})
    await client.prepare(request)
    lines = _lines(answer.content)
    passed = 0
    while True:
        if isinstance(action, SilenceWatch | ExpireWatch) and passed >= action.after_lines:
            applied()
            return await _end(client, action)
        line = await anext(lines, None)
        if line is None:
            await client.write_eof()
            return client
        if isinstance(action, CutWatch) and passed >= action.after_lines:
            applied()
            await client.write(line[: len(line) // 2])
            break_off(request)
            return client
        if isinstance(action, WithholdBookmarks) and line.startswith(_BOOKMARK):
            applied()
            continue
        await client.write(line)
        passed += 1


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Each line with its end, as soon as it is there; an object can be larger than a stream reader's line limit."""
    pending = bytearray()
    async for chunk in content.iter_any():
        pending += chunk
        if b"\n" in chunk:
            *lines, rest = bytes(pending).split(b"\n")
            pending = bytearray(rest)
            for line in lines:
                yield line + b"\n"
    if pending:
        yield bytes(pending)


async def _end(client: web.StreamResponse, action: SilenceWatch | ExpireWatch) -> web.StreamResponse:
    if isinstance(action, SilenceWatch):
        # Until the client gives up, which cancels this.
        await asyncio.Event().wait()
    await client.write(EXPIRED_EVENT)
    await client.write_eof()
    return client


def break_off(request: web.Request) -> None:
    """Break the client's connection, without the end that HTTP would give it."""
    if request.transport is not None:
        request.transport.abort()
