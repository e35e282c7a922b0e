"""Keeps what is known of owners over restarts, in ConfigMaps of HYDATIS' own namespace.

`running` has `restore` tried before the first decision, `run` in the background and `save` at the end. An archive
(`hydatis.scheduler.owner_archive`) is cut into chunks, written beside those of the archive before, and then named by
the index, with its digest: whatever fails in between, the index goes on naming an archive that is whole. Invariants:
nothing is written before what is there was read, or found to be none; what is read and is no archive of this version is
told, counted and left alone until the next one takes its place; scheduling waits for none of it longer than
`RESTORE_SECONDS`, and no failure of it ends the operator. There is one operator at a time, so nobody else writes.
"""

import asyncio
import base64
import binascii
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hydatis.operator.connection import Body, Connection
from hydatis.operator.errors import NotFound, OperatorError
from hydatis.scheduler.events import Event, OwnersRemembered
from hydatis.scheduler.owner_archive import ArchiveRefused, latest, read, write
from hydatis.scheduler.owner_history import OwnerHistory
from hydatis.scheduler.remembered_owners import RememberedOwners

logger = logging.getLogger(__name__)

NAME = "hydatis-owners"
SAVE_SECONDS = 300.0
RESTORE_SECONDS = 5.0
"""How long the first decision waits."""
CHUNK_BYTES = 512 * 1024
"""Of one ConfigMap, which holds 1 MiB; base64 makes it a third more."""
MOST_CHUNKS = 16
"""Of one archive: 8 MiB."""
_SLOTS = ("a", "b")
_DATA = "archive"


def archive_name(scheduler_names: Iterable[str]) -> str:
    """The name of the index: operators of one namespace have different scheduler names."""
    names = sorted(scheduler_names)
    if names == ["hydatis"]:
        return NAME
    return f"{NAME}-{hashlib.sha256(' '.join(names).encode()).hexdigest()[:8]}"


class OwnerMemory:
    """The archive of one operator."""

    def __init__(
        self,
        connection: Connection,
        history: OwnerHistory,
        tell: Callable[[Event], None],
        *,
        namespace: str,
        name: str = NAME,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` is the core's."""
        self.outcomes = dict.fromkeys(("restored", "refused", "written", "failed"), 0)
        """What became of archives: how often each."""
        self._connection = connection
        self._history = history
        self._tell = tell
        self._path = f"/api/v1/namespaces/{namespace}/configmaps"
        self._name = name
        self._clock = clock
        self._read = False
        """Whether it is known what is there."""
        self._slot = _SLOTS[0]
        """Where the next archive goes."""
        self._saved_version: int | None = None
        self._busy = asyncio.Lock()

    async def restore(self) -> None:
        """Read the archive, if there is one, for `RESTORE_SECONDS` at most; `run` goes on trying."""
        try:
            async with asyncio.timeout(RESTORE_SECONDS):
                await self._restore()
        except TimeoutError:
            logger.warning("What was known of owners could not be read in time; it is tried again.")

    async def run(self) -> None:
        """Save now and then, until cancelled."""
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            await self.save()

    async def save(self) -> None:
        """Write the archive if anything has been learned since it was written."""
        if not self._read:
            await self._restore()
        if not self._read or self._saved_version == self._history.version:
            return
        async with self._busy:
            version, remembered = self._history.version, self._history.remembered(self._clock())
            try:
                data = await asyncio.to_thread(_written, remembered)
                if data:
                    await self._write(data)
                    self.outcomes["written"] += 1
            except OperatorError as error:
                self.outcomes["failed"] += 1
                logger.warning("What is known of owners could not be kept; it is tried again: %s", error)
            else:
                self._saved_version = version

    async def _restore(self) -> None:
        try:
            index = await self._get(self._name)
            if index is None:
                self._read = True
                return
            slot, chunks, digest = _named(index)
            # Whatever is wrong with it, it is left alone until another one is whole.
            self._slot = _SLOTS[1 - _SLOTS.index(slot)]
            data = b"".join([_bytes_of(await self._get(self._chunk(slot, number))) for number in range(chunks)])
            if hashlib.sha256(data).hexdigest() != digest:
                raise ArchiveRefused("its chunks are not those that were written")  # noqa: TRY301 - one place tells it
            remembered = await asyncio.to_thread(read, data, time.time())
        except OperatorError as error:
            logger.warning("What was known of owners could not be read; it is tried again: %s", error)
            return
        except ArchiveRefused as refused:
            self._read = True
            self.outcomes["refused"] += 1
            logger.warning("What was known of owners is not used: in the ConfigMap %s, %s.", self._name, refused)
            return
        self._read = True
        self.outcomes["restored"] += 1
        self._tell(OwnersRemembered(remembered))
        logger.info("What was known of %d owners is known again.", len(remembered.owners))

    async def _write(self, data: bytes) -> None:
        """Write the chunks, then the index. Raises OperatorError."""
        chunks = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
        for number, chunk in enumerate(chunks):
            text = base64.b64encode(chunk).decode("ascii")
            await self._put(self._chunk(self._slot, number), {"binaryData": {_DATA: text}})
        digest = hashlib.sha256(data).hexdigest()
        await self._put(self._name, {"data": {"slot": self._slot, "chunks": str(len(chunks)), "sha256": digest}})
        self._slot = _SLOTS[1 - _SLOTS.index(self._slot)]

    async def _get(self, name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = await self._connection.get(f"{self._path}/{name}", resource="configmaps")
        except NotFound:
            return None
        return found

    async def _put(self, name: str, content: Mapping[str, Any]) -> None:
        labels = {"app.kubernetes.io/name": "hydatis", "app.kubernetes.io/component": "owners"}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, **content}
        try:
            await self._connection.request(
                "PATCH",
                f"{self._path}/{name}",
                resource="configmaps",
                verb="patch",
                body=body,
                meaning=Body.MERGE_PATCH,
            )
        except NotFound:
            await self._connection.request("POST", self._path, resource="configmaps", verb="create", body=body)

    def _chunk(self, slot: str, number: int) -> str:
        return f"{self._name}-{slot}-{number}"


def _written(remembered: RememberedOwners) -> bytes:
    """Return an archive that fits, without those of whom least is known lately; nothing where nothing is known."""
    at, count = time.time(), len(remembered.owners)
    known = sum(1 for age in remembered.ages.tolist() if age < float("inf"))
    if not known:
        return b""
    data = write(remembered, at)
    while len(data) > MOST_CHUNKS * CHUNK_BYTES:
        count //= 2
        remembered = latest(remembered, count)
        data = write(remembered, at)
    return data


def _named(index: Mapping[str, Any]) -> tuple[str, int, str]:
    """Return slot, number of chunks and digest of the archive that an index names. Raises ArchiveRefused."""
    data = index.get("data") or {}
    slot, chunks, digest = data.get("slot"), data.get("chunks", ""), data.get("sha256", "")
    if slot not in _SLOTS:
        raise ArchiveRefused("slot is neither a nor b")
    if not (chunks.isascii() and chunks.isdigit() and len(chunks) < 4 and 1 <= int(chunks) <= MOST_CHUNKS):
        raise ArchiveRefused(f"chunks is no number from 1 to {MOST_CHUNKS}")
    return slot, int(chunks), digest


def _bytes_of(chunk: Mapping[str, Any] | None) -> bytes:
    if chunk is None:
        raise ArchiveRefused("a chunk is missing")
    try:
        return base64.b64decode((chunk.get("binaryData") or {}).get(_DATA, ""), validate=True)
    except (binascii.Error, ValueError):
        raise ArchiveRefused("a chunk is not base64") from None
