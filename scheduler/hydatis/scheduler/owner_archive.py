"""What is known of owners, as bytes: to be kept where a scheduler finds it again after a restart.

A zlib stream of a length (four bytes, little-endian), a JSON header of that length, and the tables one after the other
as float32, little-endian. The header tells the version of this format, when it was written, the owners, the ages and
the tables' shapes. Reading trusts nothing: whatever the bytes, at most `MOST_BYTES` are unpacked, and what is returned
has the shapes of this version's tables and numbers that are finite and not negative. Nothing is unpickled.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from hydatis.scheduler.arrays import Float64Array
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.owner_history import OwnerHistory
from hydatis.scheduler.remembered_owners import RememberedOwners

VERSION = 1
MOST_OWNERS = 20_000
MOST_BYTES = 64 * 2**20
"""Most bytes that are unpacked: some hundred more than `MOST_OWNERS` take."""
_LONGEST_NAME = 512
_LEVEL = 1
"""zlib's fastest: most of the tables is zeros."""
_HEADER_LENGTH = struct.Struct("<I")


class ArchiveRefused(Exception):  # noqa: N818 - it says what happened to the archive
    """Bytes that are no archive of this version; the text says in what."""


def write(remembered: RememberedOwners, at: float) -> bytes:
    """Return the owners of which something is known, written at this many seconds since 1970."""
    known = np.flatnonzero(np.isfinite(remembered.ages))
    tables = [np.ascontiguousarray(table[:, known], dtype="<f4") for table in remembered.tables]
    header = orjson.dumps(
        {
            "version": VERSION,
            "at": at,
            "owners": [list(remembered.owners[number]) for number in known.tolist()],
            "ages": remembered.ages[known].tolist(),
            "shapes": [table.shape for table in tables],
        }
    )
    packer = zlib.compressobj(_LEVEL)
    parts = [packer.compress(_HEADER_LENGTH.pack(len(header)) + header)]
    parts += [packer.compress(table.tobytes()) for table in tables]
    return b"".join((*parts, packer.flush()))


def read(data: bytes, now: float) -> RememberedOwners:
    """Return what was written, older by the time since; `now` is in seconds since 1970. Raises ArchiveRefused."""
    unpacked = _unpacked(data)
    header, start = _header(unpacked)
    owners = _owners(header.get("owners"))
    at, ages = _number(header.get("at")), _ages(header.get("ages"), len(owners))
    tables = _tables(unpacked, start, header.get("shapes"), len(owners))
    return RememberedOwners(owners, ages + max(0.0, now - at), tables)


def latest(remembered: RememberedOwners, count: int) -> RememberedOwners:
    """Return the owners about whom something was learned last, at most so many."""
    if count >= len(remembered.owners):
        return remembered
    kept = np.sort(np.argsort(remembered.ages, kind="stable")[:count])
    owners = tuple(remembered.owners[number] for number in kept.tolist())
    return RememberedOwners(owners, remembered.ages[kept], tuple(table[:, kept] for table in remembered.tables))


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, MOST_BYTES)
    except zlib.error:
        raise ArchiveRefused("it is not a zlib stream, or a damaged one") from None
    if unpacker.unconsumed_tail:
        raise ArchiveRefused(f"it unpacks to more than {MOST_BYTES // 2**20} MiB")
    if not unpacker.eof or unpacker.unused_data:
        raise ArchiveRefused("it does not end where its stream ends")
    return unpacked


def _header(unpacked: bytes) -> tuple[dict[str, Any], int]:
    """Return the header, and where the tables begin."""
    if len(unpacked) < _HEADER_LENGTH.size:
        raise ArchiveRefused("it is too short")
    (length,) = _HEADER_LENGTH.unpack_from(unpacked)
    start = _HEADER_LENGTH.size + length
    try:
        header = orjson.loads(unpacked[_HEADER_LENGTH.size : start])
    except orjson.JSONDecodeError:
        raise ArchiveRefused("its header is not JSON") from None
    if not isinstance(header, dict):
        raise ArchiveRefused("its header is not an object")
    if header.get("version") != VERSION:
        raise ArchiveRefused(f"its version is {str(header.get('version'))[:20]}, and this one reads {VERSION}")
    return header, start


def _owners(found: Any) -> tuple[Owner, ...]:
    if not isinstance(found, list) or len(found) > MOST_OWNERS:
        raise ArchiveRefused(f"owners is not a list of at most {MOST_OWNERS}")
    owners = []
    for names in found:
        if not isinstance(names, list) or len(names) != len(Owner._fields):
            raise ArchiveRefused("an owner is not a list of three names")
        if not all(isinstance(name, str) and len(name) <= _LONGEST_NAME for name in names):
            raise ArchiveRefused("an owner has a name that is no text, or too long")
        owners.append(Owner(*names))
    if len(set(owners)) != len(owners):
        raise ArchiveRefused("an owner is there twice")
    return tuple(owners)


def _number(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ArchiveRefused("a time is not a number")
    return float(found)


def _ages(found: Any, count: int) -> Float64Array:
    if not isinstance(found, list) or len(found) != count:
        raise ArchiveRefused("ages has not one entry for each owner")
    ages = np.array([_number(age) for age in found], dtype=np.float64)
    _check_numbers(ages, "an age")
    return ages


def _tables(unpacked: bytes, start: int, shapes: Any, count: int) -> tuple[Float64Array, ...]:
    wanted = [[table.shape[0], count, *table.shape[2:]] for table in OwnerHistory().remembered(0.0).tables]
    if shapes != wanted:
        raise ArchiveRefused("its tables have other shapes than those of this version")
    sizes = [_size(shape) for shape in wanted]
    if len(unpacked) - start != 4 * sum(sizes):
        raise ArchiveRefused("its tables are shorter or longer than their shapes")
    tables = []
    for shape, size in zip(wanted, sizes, strict=True):
        table = np.frombuffer(unpacked, dtype="<f4", count=size, offset=start).reshape(shape).astype(np.float64)
        _check_numbers(table, "a table")
        tables.append(table)
        start += 4 * size
    return tuple(tables)


def _size(shape: Sequence[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _check_numbers(numbers: Float64Array, what: str) -> None:
    if not np.isfinite(numbers).all() or (numbers < 0.0).any():
        raise ArchiveRefused(f"{what} has a number that is negative or not finite")
