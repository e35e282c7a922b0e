"""Raw list-and-watch of one kind of object: what client-go calls a reflector.

`running` starts one `Stream` for pods, nodes and namespaces each; the `driver` receives their objects through
synchronous callbacks. Invariants: after the first list the callbacks have told every object that exists; every later
change is told at least once and in order; an object that vanished while the stream was cut is told as gone after the
next list. Only keys and resource versions are kept, never manifests.
Protocol: Kubernetes API concepts, "Efficient detection of changes".
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from hydatis.operator.connection import Connection, decode
from hydatis.operator.errors import (
    ApiError,
    Expired,
    Forbidden,
    NotFound,
    OperatorError,
    ServerError,
    StartRefused,
    TooManyRequests,
    Unauthorized,
)

logger = logging.getLogger(__name__)

PAGE_SIZE = 500
LIST_TIMEOUT_SECONDS = 30.0
"""For one page."""
LASTING_SECONDS = 1.0
"""A watch that was open for this long has worked, so the backoff begins anew."""
SLICE_SECONDS = 0.005
"""Applying a burst of events gives way to the rest of the loop (binds, answers) this often."""
_READ_FAULTS = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Watched:
    """One kind of object, and who is told about it."""

    resource: str
    """Kubernetes' plural, for metrics and messages."""
    path: str
    key: Callable[[Mapping[str, Any]], str]
    """What names the object to `gone`: its uid or its name."""
    seen: Callable[[Mapping[str, Any]], None]
    gone: Callable[[str], None]
    field_selector: str = ""


@dataclass(frozen=True, slots=True)
class WatchTiming:
    """How long a stream waits, in seconds."""

    server_seconds: tuple[int, int] = (300, 600)
    """The server is asked to end each watch at a random time in this range, so that not all streams return at once."""
    silence_seconds: float = 90.0
    """Bookmarks come about once a minute; a stream without any line for this long is cut and resumed."""
    open_seconds: float = 15.0
    """The server must answer a watch request within this time."""
    backoff_initial_seconds: float = 0.1
    backoff_max_seconds: float = 5.0
    grace_seconds: float = 15.0
    """A stream that lost its connection counts as alive for this long while it reconnects."""


DEFAULT_TIMING = WatchTiming()


class Stream:
    """Keeps one kind of object up to date until cancelled. `run` is its only task."""

    def __init__(
        self, connection: Connection, watched: Watched, timing: WatchTiming = DEFAULT_TIMING, *, jitter: random.Random
    ) -> None:
        self.watched = watched
        self.listed = asyncio.Event()
        """Set once the first list is complete."""
        self.restarts = 0
        """Watches opened after the first."""
        self.relists = 0
        """Lists after the first: the resource version was too old."""
        self.faults = 0
        """Lists and watches that failed."""
        self._connection = connection
        self._timing = timing
        self._jitter = jitter
        self._versions: dict[str, str] = {}
        self._version: str | None = None
        self._established = False
        self._connected = False
        self._opened = 0
        self._heard_at = 0.0
        self._failures = 0

    def silent_seconds(self, now: float) -> float:
        """Seconds since the connected stream last said anything; 0 while it is reconnecting."""
        return now - self._heard_at if self._connected else 0.0

    def alive(self, now: float) -> bool:
        """Whether objects are up to date: the first list is in and the watch is open, or was until just now."""
        return self.listed.is_set() and (self._connected or now - self._heard_at < self._timing.grace_seconds)

    async def run(self) -> None:
        """List, watch, resume, for ever. Raises StartRefused when the very first list or watch is not permitted."""
        while True:
            try:
                if self._version is None:
                    await self._list()
                await self._watch()
            except Expired as error:
                logger.info("The %s stream is too old to resume, listing again: %s", self.watched.resource, error)
                self._version = None
                self.relists += self.listed.is_set()
                await self._pause(0.0)
            except OperatorError as error:
                self._refuse_if_hopeless(error)
                await self._recover(error)
            except _READ_FAULTS as fault:
                await self._recover(fault)

    async def _list(self) -> None:
        """Tell everything that exists, page by page, then what vanished since the last time."""
        query = {"limit": str(PAGE_SIZE)}
        if self.watched.field_selector:
            query["fieldSelector"] = self.watched.field_selector
        listed: set[str] = set()
        async for page in self._pages(query):
            version = page["metadata"]["resourceVersion"]
            await self._apply_sliced(page.get("items") or (), listed)
        for key in [key for key in self._versions if key not in listed]:
            del self._versions[key]
            self.watched.gone(key)
        self._version = version
        self._heard_at = time.monotonic()
        self.listed.set()

    async def _pages(self, query: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        while True:
            _, payload = await self._connection.request(
                "GET",
                self.watched.path,
                resource=self.watched.resource,
                verb="list",
                query=query,
                timeout=LIST_TIMEOUT_SECONDS,
            )
            page = decode(payload)
            if not isinstance(page, dict) or "resourceVersion" not in page.get("metadata", {}):
                raise ServerError(502, "the answer is not a list of objects")
            yield page
            token = page["metadata"].get("continue")
            if not token:
                return
            query["continue"] = token

    async def _apply_sliced(self, items: Iterable[dict[str, Any]], listed: set[str]) -> None:
        slice_end = time.monotonic() + SLICE_SECONDS
        for item in items:
            key = self.watched.key(item)
            listed.add(key)
            self._tell(key, item)
            if time.monotonic() > slice_end:
                await asyncio.sleep(0)
                slice_end = time.monotonic() + SLICE_SECONDS

    def _tell(self, key: str, manifest: Mapping[str, Any]) -> None:
        version = manifest["metadata"]["resourceVersion"]
        if self._versions.get(key) != version:
            self._versions[key] = version
            self.watched.seen(manifest)

    async def _watch(self) -> None:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version or "",
            "timeoutSeconds": str(self._jitter.randint(*self._timing.server_seconds)),
        }
        if self.watched.field_selector:
            query["fieldSelector"] = self.watched.field_selector
        opened_at = time.monotonic()
        async with self._connection.stream(
            self.watched.path,
            resource=self.watched.resource,
            query=query,
            open_seconds=self._timing.open_seconds,
            silence_seconds=self._timing.silence_seconds,
        ) as reader:
            self._established = self._connected = True
            self.restarts += self._opened > 0
            self._opened += 1
            self._heard_at = time.monotonic()
            try:
                await self._consume(reader)
            finally:
                self._connected = False
                lasted = time.monotonic() - opened_at >= LASTING_SECONDS
                if lasted:
                    # However it ended: the quiet stream of an idle cluster must not grow ever slower to come back.
                    self._failures = 0
        if not lasted:
            # A server or proxy that ends every watch at once would otherwise be asked thousands of times a second.
            await self._pause(0.0)

    async def _consume(self, reader: aiohttp.StreamReader) -> None:
        """Split lines by hand: one object can be larger than any line limit of a stream reader."""
        pending = bytearray()
        # Not the loop's clock: uvloop's stands still while a callback runs.
        slice_end = time.monotonic() + SLICE_SECONDS
        async for chunk in reader.iter_any():
            self._heard_at = time.monotonic()
            pending += chunk
            if b"\n" not in chunk:
                continue
            *lines, rest = bytes(pending).split(b"\n")
            pending = bytearray(rest)
            for line in lines:
                if line:
                    self._apply(line)
                if time.monotonic() > slice_end:
                    await asyncio.sleep(0)
                    slice_end = time.monotonic() + SLICE_SECONDS

    def _apply(self, line: bytes) -> None:
        try:
            event = orjson.loads(line)
            kind, manifest = event["type"], event["object"]
            if kind == "ERROR":
                raise _stream_error(manifest)
            version = manifest["metadata"]["resourceVersion"]
            key = "" if kind == "BOOKMARK" else self.watched.key(manifest)
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ServerError(502, "a line of the watch is not a watch event") from error
        self._failures = 0
        self._version = version
        if kind == "BOOKMARK":
            return
        if kind == "DELETED":
            self._versions.pop(key, None)
            self.watched.gone(key)
        else:
            self._tell(key, manifest)

    def _refuse_if_hopeless(self, error: OperatorError) -> None:
        if not self._established and isinstance(error, Forbidden | NotFound | Unauthorized):
            raise StartRefused(
                f"HYDATIS cannot list and watch {self.watched.resource}: {error.message}.",
                "Install the RBAC of the chart, or give this identity the permission.",
            ) from error

    async def _recover(self, fault: Exception) -> None:
        self.faults += 1
        level = logging.DEBUG if isinstance(fault, TimeoutError | aiohttp.ClientPayloadError) else logging.WARNING
        logger.log(level, "The %s stream was lost, resuming: %s", self.watched.resource, fault or type(fault).__name__)
        await self._pause(fault.retry_after if isinstance(fault, TooManyRequests) else 0.0)

    async def _pause(self, at_least: float) -> None:
        """Exponential backoff with full jitter, so that many clients of a restarted server do not return together."""
        timing = self._timing
        ceiling = min(timing.backoff_max_seconds, timing.backoff_initial_seconds * 2 ** min(self._failures, 16))
        self._failures += 1
        await asyncio.sleep(at_least + self._jitter.uniform(ceiling / 2, ceiling))


def _stream_error(status: Mapping[str, Any]) -> ApiError:
    code, message = status.get("code", 500), status.get("message", "no message")
    if code == 410 or status.get("reason") in ("Expired", "Gone"):
        return Expired(410, message)
    return ServerError(code, message)
