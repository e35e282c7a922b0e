"""Records Events (events.k8s.io/v1) that `kubectl describe pod` shows.

The `driver` hands over what happened. Events are the last lane of the outbox: they wait while binds are queued. What
is told again of the same pod, with the same reason and note, becomes a `series` of the first Event, patched at most
once in `SERIES_INTERVAL_SECONDS`. When more than `limit` Events wait, a newer one takes the place of an older one of
the same pod, so the last word about a pod is never lost to a full queue. Nor is it lost to an API server that takes no
Events for a while: it is put aside and sent again later. What was replaced or refused is counted in `dropped`.
"""

import asyncio
import logging
import socket
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hydatis.operator.connection import Body, Connection
from hydatis.operator.errors import TRANSIENT, Conflict, NotFound, OperatorError, TooManyRequests
from hydatis.operator.outbox import Lane, Outbox
from hydatis.scheduler.decision import PodReference

logger = logging.getLogger(__name__)

NOTE_BYTES = 1024
"""The API server's limit (pkg/apis/core/validation/events.go, NoteLengthLimit)."""
NAME_LENGTH = 253
SERIES_INTERVAL_SECONDS = 30.0
SERIES_KEPT = 4096
_TEND_SECONDS = 5.0
_ATTEMPTS = 6


@dataclass(slots=True)
class _Record:
    pod: PodReference
    kind: str
    reason: str
    note: str
    action: str
    controller: str
    """The pod's scheduler name, which kube-scheduler names as the reporting controller, too."""
    at: datetime
    related: PodReference | None = None
    name: str = ""
    """The Event's, given when it is first sent: an attempt whose answer was lost is then found out by its name."""


@dataclass(slots=True)
class _Series:
    """An Event that was recorded once and is observed again."""

    record: _Record
    name: str
    count: int = 1
    sent: int = 1
    patched_at: float = 0.0
    leaving: bool = False
    """A PATCH of it is queued or on its way."""


class Recorder:
    """Queues, aggregates and posts Events."""

    def __init__(self, connection: Connection, outbox: Outbox, *, limit: int = 10_000) -> None:
        self.recorded = 0
        self.aggregated = 0
        self.dropped = 0
        self._connection = connection
        self._outbox = outbox
        self._limit = limit
        self._waiting: deque[_Record] = deque()
        self._latest: dict[str, _Record] = {}
        """The newest waiting record of each pod, by uid."""
        self._put_aside: dict[str, _Record] = {}
        """The last word about each pod that the API server would not take for now, by uid; `tend` sends it again."""
        self._series: OrderedDict[tuple[str, str, str], _Series] = OrderedDict()
        self._instance = f"hydatis-{socket.gethostname()}"[:128]
        self._stamps = Stamps()
        self._warned_at = float("-inf")

    def normal(
        self,
        pod: PodReference,
        reason: str,
        note: str,
        *,
        action: str,
        controller: str,
        related: PodReference | None = None,
    ) -> None:
        """Record what went as it should; it is never aggregated. `related` is the other pod it is about."""
        record = _Record(pod, "Normal", reason, capped(note), action, controller, datetime.now(UTC), related=related)
        self._enqueue(record)

    def warning(self, pod: PodReference, reason: str, note: str, *, action: str, controller: str) -> None:
        """Record what did not; repeats become a series."""
        record = _Record(pod, "Warning", reason, capped(note), action, controller, datetime.now(UTC))
        series = self._series.get((pod.uid, reason, record.note))
        if series is None:
            waiting = self._latest.get(pod.uid) or self._put_aside.get(pod.uid)
            if waiting is not None and (waiting.reason, waiting.note) == (reason, record.note):
                waiting.at = record.at
                self.aggregated += 1
            else:
                self._enqueue(record)
            return
        series.count += 1
        series.record.at = record.at
        self.aggregated += 1
        self._send_series(series)

    async def tend(self) -> None:
        """Send what was put aside, and the series whose interval has passed; runs until cancelled."""
        while True:
            await asyncio.sleep(_TEND_SECONDS)
            self._take_up_again()
            for series in self._series.values():
                self._send_series(series)

    async def flush(self, seconds: float) -> bool:
        """Send everything that waits, series included; returns False when that took longer than `seconds`."""
        self._take_up_again()
        for series in self._series.values():
            self._send_series(series, now=True)
        done = await self._outbox.drain((Lane.EVENT,), seconds)
        lost = len(self._waiting) + len(self._put_aside)
        if lost or not done:
            self.dropped += lost
            logger.warning("Stopping with %d Events not recorded.", lost)
        return done

    def _enqueue(self, record: _Record) -> None:
        uid = record.pod.uid
        older = self._latest.get(uid)
        if older is not None and len(self._waiting) >= self._limit:
            older.kind, older.reason, older.note = record.kind, record.reason, record.note
            older.action, older.at = record.action, record.at
            older.controller, older.related = record.controller, record.related
            self.dropped += 1
            return
        if self._put_aside.pop(uid, None) is not None:
            self.dropped += 1
        self._queue(record)

    def _queue(self, record: _Record) -> None:
        self._waiting.append(record)
        self._latest[record.pod.uid] = record
        self._outbox.put(Lane.EVENT, self._post_next)

    def _take_up_again(self) -> None:
        records = list(self._put_aside.values())
        self._put_aside.clear()
        for record in records:
            self._queue(record)

    async def _post_next(self) -> None:
        record = self._waiting.popleft()
        if self._latest.get(record.pod.uid) is record:
            del self._latest[record.pod.uid]
        await self._post(record)

    async def _post(self, record: _Record) -> None:
        record.name = record.name or event_name(record.pod.name, self._stamps.draw())
        body = self._body(record, record.name)
        path = f"/apis/events.k8s.io/v1/namespaces/{record.pod.namespace}/events"
        refusal = await self._deliver("POST", path, "create", body)
        if refusal is not None:
            if not (isinstance(refusal, TRANSIENT) and self._keep_for_later(record)):
                self._tell_dropped(refusal)
            return
        self.recorded += 1
        if record.kind == "Warning":
            now = time.monotonic()
            self._series[(record.pod.uid, record.reason, record.note)] = _Series(record, record.name, patched_at=now)
            while len(self._series) > SERIES_KEPT:
                self._series.popitem(last=False)

    def _keep_for_later(self, record: _Record) -> bool:
        """Put the record aside unless there is a newer word about its pod, or too much is put aside already."""
        uid = record.pod.uid
        known = self._latest.get(uid) or self._put_aside.get(uid)
        if (known is not None and known.at >= record.at) or len(self._put_aside) >= self._limit:
            return False
        if self._put_aside.get(uid) is not None:
            self.dropped += 1
        self._put_aside[uid] = record
        return True

    def _send_series(self, series: _Series, *, now: bool = False) -> None:
        due = now or time.monotonic() - series.patched_at >= SERIES_INTERVAL_SECONDS
        if due and series.count > series.sent and not series.leaving:
            series.leaving = True
            self._outbox.put(Lane.EVENT, lambda: self._patch(series))

    async def _patch(self, series: _Series) -> None:
        record, count = series.record, series.count
        path = f"/apis/events.k8s.io/v1/namespaces/{record.pod.namespace}/events/{series.name}"
        body = {"series": {"count": count, "lastObservedTime": _micro_time(record.at)}}
        try:
            refusal = await self._deliver("PATCH", path, "patch", body)
        finally:
            series.leaving = False
        if refusal is None:
            series.sent, series.patched_at = count, time.monotonic()
        elif not isinstance(refusal, TRANSIENT):
            # The Event's time to live has passed, or it never will be accepted: what is observed next starts anew.
            self._tell_dropped(refusal)
            self._series.pop((record.pod.uid, record.reason, record.note), None)

    async def _deliver(self, method: str, path: str, verb: str, body: Mapping[str, Any]) -> OperatorError | None:
        """Send until the API server has taken or refused it, or some attempts got no clear answer; returns why it was
        not taken. Both requests may be repeated without harm.
        """
        last: OperatorError | None = None
        for attempt in range(_ATTEMPTS):
            try:
                await self._connection.request(
                    method, path, resource="events", verb=verb, body=body, meaning=_MEANINGS[method]
                )
            except Conflict as error:
                # An earlier attempt to create it, whose answer was lost, did.
                return None if method == "POST" else error
            except TRANSIENT as error:
                wait = error.retry_after if isinstance(error, TooManyRequests) else 0.25 * 2**attempt
                await asyncio.sleep(wait)
                last = error
            except OperatorError as error:
                return error
            else:
                return None
        return last

    def _tell_dropped(self, error: OperatorError) -> None:
        self.dropped += 1
        now = time.monotonic()
        if not isinstance(error, NotFound) and now - self._warned_at > 60.0:
            self._warned_at = now
            logger.warning("An Event was not recorded (told once a minute; %d in all): %s", self.dropped, error)

    def _body(self, record: _Record, name: str) -> Mapping[str, Any]:
        pod = record.pod
        related = {} if record.related is None else {"related": _object(record.related)}
        return related | {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": pod.namespace},
            "eventTime": _micro_time(record.at),
            "reportingController": record.controller,
            "reportingInstance": self._instance,
            "action": record.action,
            "reason": record.reason,
            "regarding": _object(pod),
            "note": record.note,
            "type": record.kind,
        }


def _object(pod: PodReference) -> Mapping[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}


class Stamps:
    """Nanoseconds since 1970, none twice: names made of them stay unique even after a restart."""

    def __init__(self) -> None:
        self._last = 0

    def draw(self) -> int:
        """The next stamp."""
        self._last = max(self._last + 1, time.time_ns())
        return self._last


_MEANINGS = {"POST": Body.JSON, "PATCH": Body.MERGE_PATCH}


def event_name(pod_name: str, stamp: int) -> str:
    """POD.HEX, the pod's name shortened when the whole would exceed what a name may be."""
    suffix = f".{stamp:x}"
    return pod_name[: NAME_LENGTH - len(suffix)].rstrip("-.") + suffix


def capped(note: str) -> str:
    """The note within `NOTE_BYTES` of UTF-8, cut at a character and marked with an ellipsis."""
    encoded = note.encode()
    if len(encoded) <= NOTE_BYTES:
        return note
    return encoded[: NOTE_BYTES - len("…".encode())].decode("utf-8", "ignore") + "…"


def _micro_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
