"""Weights as a custom resource holds them: what is read, and what each kind of damage is called."""

import base64
import gzip
import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydatis.scheduler.models.refusal import ModelRefused, Refusal
from hydatis.scheduler.models.weights import MOST_BYTES, decode_base64, digest_of, pack, unpack, verified

DATA = bytes(range(256)) * 40
PACKED = base64.b64decode(pack(DATA))


def refusal(chunks: list[bytes], sha256: str = digest_of(DATA)) -> ModelRefused:
    with pytest.raises(ModelRefused) as raised:
        unpack(chunks, sha256, "spec.weights.inline")
    return raised.value


def test_what_was_packed_comes_back_and_packing_repeats() -> None:
    assert pack(DATA) == pack(DATA)
    assert unpack([decode_base64(pack(DATA), "p")], digest_of(DATA), "p") == DATA


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, len(PACKED)), max_size=5))
def test_chunks_of_any_size_are_joined_in_their_order(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(PACKED)]
    chunks = [PACKED[start:end] for start, end in itertools.pairwise(places) if start != end]
    assert unpack(chunks, digest_of(DATA), "p") == DATA


def test_line_breaks_of_yaml_blocks_are_skipped() -> None:
    text = pack(DATA)
    folded = "\n".join(text[start : start + 76] for start in range(0, len(text), 76)) + "\n"
    assert decode_base64(folded, "p") == PACKED


@pytest.mark.parametrize("text", ["a", "a=b=", "ä" * 4, "####", "YWJj!"])
def test_text_that_is_not_base64_is_told_with_its_field(text: str) -> None:
    with pytest.raises(ModelRefused) as raised:
        decode_base64(text, "spec.weights.inline")
    assert raised.value.reason is Refusal.NOT_BASE64
    assert "spec.weights.inline is not base64: write" in raised.value.message


def test_each_damage_has_its_reason() -> None:
    assert refusal([]).reason is Refusal.TRUNCATED
    assert refusal([PACKED[:-5]]).reason is Refusal.TRUNCATED
    assert refusal([PACKED[:20]]).reason is Refusal.TRUNCATED
    assert refusal([DATA]).reason is Refusal.NOT_GZIP
    assert refusal([PACKED[:30] + bytes(4) + PACKED[34:]]).reason is Refusal.NOT_GZIP
    assert refusal([PACKED, b"x"]).reason is Refusal.TRAILING_DATA
    assert refusal([PACKED + b"x"]).reason is Refusal.TRAILING_DATA
    assert refusal([PACKED + PACKED]).reason is Refusal.TRAILING_DATA
    assert refusal([PACKED], digest_of(b"other")).reason is Refusal.WRONG_DIGEST


def test_chunks_in_the_wrong_order_are_refused() -> None:
    half = len(PACKED) // 2
    assert refusal([PACKED[half:], PACKED[:half]]).reason is Refusal.NOT_GZIP


def test_a_bomb_is_refused_before_it_takes_up_the_memory_it_asks_for() -> None:
    bomb = gzip.compress(bytes(40 * MOST_BYTES))
    assert len(bomb) < 2**20, "small enough for an object of the API server"
    tracemalloc.start()
    try:
        assert refusal([bomb]).reason is Refusal.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 3 * MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [MOST_BYTES, MOST_BYTES + 1])
def test_the_bound_is_exact(size: int) -> None:
    data = bytes(size)
    chunks = [gzip.compress(data)]
    if size == MOST_BYTES:
        assert len(unpack(chunks, digest_of(data), "p")) == size
    else:
        assert refusal(chunks, digest_of(data)).reason is Refusal.TOO_LARGE


def test_too_many_bytes_are_refused_unread() -> None:
    assert refusal([bytes(2 * MOST_BYTES)]).reason is Refusal.TOO_LARGE
    with pytest.raises(ModelRefused):
        verified(bytes(MOST_BYTES + 1), digest_of(bytes(MOST_BYTES + 1)), "p")
