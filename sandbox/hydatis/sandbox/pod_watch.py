"""One watch on one namespace's pods, which stamps when each pod was first seen, first seen bound, and found
unschedulable.

Used by the demo and the benchmarks: all their latencies come from these stamps, taken on one clock when a chunk of
the stream arrives, before it is decoded. Invariants: a pod's first stamps are never overwritten, and a pod seen on a
second node is recorded as rebound instead of silently replacing the first. The API server closes watches under load;
the watch resumes from the last resourceVersion it saw, or lists again when that is too old, and counts both.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from hydatis.sandbox.api_session import ApiError, ApiSession

_GONE = 410
_WATCH_SECONDS = 600
_RECONNECT_SECONDS = 0.05
_MOST_FAILURES = 200
"""Failed connections in a row (10 s of them) after which the watch gives up: the API server is gone, not busy."""


@dataclass(slots=True)
class ObservedPod:
    """What the watch saw of one pod; times are seconds on the watch's clock."""

    uid: str
    name: str
    owner: str
    """Name of the controller that owns the pod, or of the pod itself when it has none."""
    ready_to_schedule_at: float
    """When the pod was first seen without scheduling gates; for a gated pod, when it was first seen at all."""
    gated: bool
    node: str | None = None
    bound_at: float | None = None
    unschedulable_message: str = ""
    """Message of the condition PodScheduled=False, reason Unschedulable; empty while there is none."""
    rebound: bool = False
    deleted: bool = False


class PodWatch:
    """Lists, then watches; `pods` holds every pod ever seen, by uid."""

    def __init__(
        self,
        session: ApiSession,
        namespace: str,
        *,
        on_bind: Callable[[Mapping[str, Any]], None] = lambda manifest: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Prepare a watch; `on_bind` is told the manifest of every pod when it is first seen bound."""
        self.pods: dict[str, ObservedPod] = {}
        self.bound = 0
        self.resumed = 0
        self.relisted = 0
        self._session = session
        self._path = f"/api/v1/namespaces/{namespace}/pods"
        self._clock = clock
        self._on_bind = on_bind
        self._resource_version = ""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """List what is there, then keep watching until `stop`."""
        await self._list()
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Stop watching.

        Raises:
            ApiError: the watch had already failed.

        """
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def until(self, reached: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until `reached()`, asked again after every change; false when the time is over.

        Raises:
            ApiError: the watch failed for good.

        """
        deadline = self._clock() + timeout_seconds
        while not reached():
            if self._task is not None and self._task.done():
                await self._task
            remaining = deadline - self._clock()
            if remaining <= 0:
                return False
            self._changed.clear()
            with suppress(TimeoutError):
                # At most a quarter of a second, so that a failed watch is noticed although it changes nothing.
                await asyncio.wait_for(self._changed.wait(), min(remaining, 0.25))
        return True

    async def _list(self) -> None:
        answer = await self._session.get(self._path)
        now = self._clock()
        for manifest in answer["items"]:
            self._see(manifest, now)
        present = {manifest["metadata"]["uid"] for manifest in answer["items"]}
        for uid, pod in self.pods.items():
            pod.deleted = uid not in present
        self._resource_version = answer["metadata"]["resourceVersion"]
        self._changed.set()

    async def _watch(self) -> None:
        failures = 0
        while True:
            before = self._resource_version
            try:
                await self._read_stream()
                failures = 0
            except ApiError as error:
                if error.status == _GONE:
                    await self._list()
                    self.relisted += 1
                    continue
                failures = 0 if self._resource_version != before else failures + 1
                if failures >= _MOST_FAILURES or error.status in (401, 403):
                    raise
                await asyncio.sleep(_RECONNECT_SECONDS)
            self.resumed += 1

    async def _read_stream(self) -> None:
        parameters = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._resource_version,
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        async with self._session.stream(self._path, parameters) as response:
            rest = b""
            async for chunk in response.content.iter_any():
                now = self._clock()
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._take(orjson.loads(line), now)
                self._changed.set()

    def _take(self, event: Mapping[str, Any], now: float) -> None:
        kind, manifest = event["type"], event["object"]
        if kind == "ERROR":
            raise ApiError(f"watch {self._path}", int(manifest.get("code", 0)), str(manifest.get("message", "")))
        self._resource_version = manifest["metadata"]["resourceVersion"]
        if kind == "BOOKMARK":
            return
        pod = self._see(manifest, now)
        pod.deleted = kind == "DELETED"

    def _see(self, manifest: Mapping[str, Any], now: float) -> ObservedPod:
        metadata, spec = manifest["metadata"], manifest["spec"]
        gated = bool(spec.get("schedulingGates"))
        pod = self.pods.get(metadata["uid"])
        if pod is None:
            owners = metadata.get("ownerReferences") or [{"name": metadata["name"]}]
            pod = ObservedPod(metadata["uid"], metadata["name"], owners[0]["name"], now, gated)
            self.pods[pod.uid] = pod
        elif pod.gated and not gated:
            pod.ready_to_schedule_at = now
        pod.gated = gated
        node = spec.get("nodeName")
        if node and pod.node is None:
            pod.node, pod.bound_at = node, now
            self.bound += 1
            self._on_bind(manifest)
        elif node and node != pod.node:
            pod.rebound = True
        pod.unschedulable_message = _unschedulable_message(manifest)
        return pod


def _unschedulable_message(manifest: Mapping[str, Any]) -> str:
    for condition in manifest.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("message", "")) if condition.get("reason") == "Unschedulable" else ""
    return ""
