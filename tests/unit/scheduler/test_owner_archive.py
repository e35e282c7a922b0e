"""What is known of owners, as bytes and back."""

import struct
import zlib
from typing import Any

import numpy as np
import orjson
import pytest

from hydatis.scheduler import owner_archive
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.owner_archive import MOST_BYTES, ArchiveRefused, latest, read, write
from hydatis.scheduler.owner_history import OwnerHistory

WROTE = 1_700_000_000.0


def history(owners: int = 3) -> OwnerHistory:
    found = OwnerHistory()
    random = np.random.default_rng(owners)
    for number in range(owners):
        found.hold(Owner("web", "Deployment", f"api-{number}"))
    for moment in range(5):
        numbers = np.repeat(np.arange(1, owners + 1), 2)
        shares = random.uniform(0.1, 0.9, (2, len(numbers)))
        found.learn(numbers, shares, np.full(len(numbers), 60.0 * moment), np.full(len(numbers), 0.5))
    return found


def header_of(data: bytes) -> tuple[dict[str, Any], bytes]:
    unpacked = zlib.decompress(data)
    (length,) = struct.unpack_from("<I", unpacked)
    return orjson.loads(unpacked[4 : 4 + length]), unpacked[4 + length :]


def packed(header: Any, tables: bytes) -> bytes:
    text = header if isinstance(header, bytes) else orjson.dumps(header)
    return zlib.compress(struct.pack("<I", len(text)) + text + tables)


def test_what_is_written_is_known_again_and_older_by_the_time_since() -> None:
    before, after = history(), OwnerHistory()
    remembered = before.remembered(300.0)
    found = read(write(remembered, WROTE), WROTE + 3600.0)
    assert found.owners == remembered.owners
    assert found.ages == pytest.approx(remembered.ages + 3600.0)
    after.restore(found, 10.0)
    for owner in remembered.owners:
        assert after.use_of(owner) == pytest.approx(before.use_of(owner), rel=1e-4)
        assert after.p95_of(owner) == pytest.approx(before.p95_of(owner), rel=1e-4)
        assert after.observations_of(owner) == pytest.approx(before.observations_of(owner), rel=1e-4)
    # A clock that was set back makes nothing younger.
    assert read(write(remembered, WROTE), WROTE - 3600.0).ages == pytest.approx(remembered.ages)


def test_owners_of_whom_nothing_is_known_are_left_out() -> None:
    found = history(2)
    found.hold(Owner("web", "Job", "new"))
    assert {owner.name for owner in read(write(found.remembered(300.0), WROTE), WROTE).owners} == {"api-0", "api-1"}
    assert read(write(OwnerHistory().remembered(0.0), WROTE), WROTE).owners == ()


def test_the_longest_unheard_of_make_way() -> None:
    found = history(3)
    found.learn(np.array([2]), np.full((2, 1), 0.5), np.array([600.0]), np.array([1.0]))
    kept = latest(found.remembered(900.0), 1)
    assert [owner.name for owner in kept.owners] == ["api-1"]
    assert read(write(kept, WROTE), WROTE).owners == kept.owners
    assert latest(found.remembered(900.0), 10).owners == found.remembered(900.0).owners


def test_ten_thousand_owners_take_few_megabytes() -> None:
    data = write(history(2000).remembered(300.0), WROTE)
    assert len(data) < 2000 * 450


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("version", 2, "its version is 2, and this one reads 1"),
        ("version", None, "its version is None"),
        ("owners", "web", "owners is not a list"),
        ("owners", [["web", "Deployment"]] * 3, "an owner is not a list of three names"),
        ("owners", [["web", "Deployment", 7]] * 3, "an owner has a name that is no text"),
        ("owners", [["web", "Deployment", "x" * 513]] * 3, "an owner has a name that is no text, or too long"),
        ("owners", [["web", "Deployment", "same"]] * 3, "an owner is there twice"),
        ("owners", [], "ages has not one entry"),
        ("at", "now", "a time is not a number"),
        ("at", True, "a time is not a number"),
        ("ages", [1.0], "ages has not one entry"),
        ("ages", [1.0, -1.0, 2.0], "an age has a number that is negative"),
        ("ages", [1.0, None, 2.0], "a time is not a number"),
        ("shapes", [[2, 3]], "its tables have other shapes"),
        ("shapes", None, "its tables have other shapes"),
    ],
)
def test_a_header_with_anything_else_is_refused(field: str, value: object, problem: str) -> None:
    header, tables = header_of(write(history().remembered(300.0), WROTE))
    with pytest.raises(ArchiveRefused, match=problem):
        read(packed({**header, field: value}, tables), WROTE)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -0.5])
def test_numbers_that_cannot_be_are_refused(number: float) -> None:
    header, tables = header_of(write(history().remembered(300.0), WROTE))
    spoilt = struct.pack("<f", number) + tables[4:]
    with pytest.raises(ArchiveRefused, match="a table has a number"):
        read(packed(header, spoilt), WROTE)


def test_bytes_that_are_no_archive_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = write(history().remembered(300.0), WROTE)
    header, tables = header_of(sound)
    for data, problem in (
        (b"", "does not end"),
        (b"\x80\x04\x95pickle", "not a zlib stream"),
        (sound[:-10], "does not end"),
        (sound + b"more", "does not end"),
        (zlib.compress(b"ab"), "too short"),
        (packed(b"{", tables), "not JSON"),
        (packed([], tables), "not an object"),
        (packed(header, tables[:-4]), "shorter or longer"),
        (packed(header, tables + b"0000"), "shorter or longer"),
        (zlib.compress(b"\xff\xff\xff\xff"), "not JSON"),
    ):
        with pytest.raises(ArchiveRefused, match=problem):
            read(data, WROTE)
    monkeypatch.setattr(owner_archive, "MOST_BYTES", 1000)
    with pytest.raises(ArchiveRefused, match="unpacks to more than"):
        read(sound, WROTE)
    assert MOST_BYTES == 64 * 2**20


def test_noise_is_refused_and_never_fails_otherwise() -> None:
    random = np.random.default_rng(1)
    sound = write(history().remembered(300.0), WROTE)
    refused = 0
    for _ in range(300):
        spoilt = bytearray(zlib.decompress(sound))
        for _ in range(3):
            spoilt[int(random.integers(len(spoilt)))] = int(random.integers(256))
        try:
            read(zlib.compress(bytes(spoilt)), WROTE)
        except ArchiveRefused:
            refused += 1
    assert refused > 0
