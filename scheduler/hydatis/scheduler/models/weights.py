"""Reads weights as an MLModel holds them: base64 of gzip of the ONNX bytes, in one piece or in chunks.

Invariants: whatever the text, at most `MOST_BYTES` are ever unpacked; what is returned has the SHA-256 that was stated.
"""

import base64
import binascii
import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from hydatis.scheduler.models.refusal import ModelRefused, Refusal

MOST_BYTES = 16 * 2**20
"""Largest ONNX file, unpacked: some hundred thousand nodes of trees."""
MOST_PACKED_BYTES = MOST_BYTES + 2**16
"""Largest gzip of it: what does not compress grows by a few bytes for each 32 KiB."""
GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW_BITS = 31
"""zlib's number for a gzip header and the largest window."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes as they came from where an MLModel says they are."""

    chunks: tuple[bytes, ...]
    packed: bool
    """Whether they are a gzip file; else they are the ONNX file itself."""
    path: str
    """The field that says where they are, for messages."""

    def read(self, sha256: str) -> bytes:
        """Return the ONNX file. Raises ModelRefused."""
        if self.packed:
            return unpack(self.chunks, sha256, self.path)
        return verified(b"".join(self.chunks), sha256, self.path)


def pack(data: bytes) -> str:
    """Return the text for `spec.weights.inline`; the same bytes give the same text."""
    return base64.b64encode(gzip.compress(data, compresslevel=9, mtime=0)).decode("ascii")


def digest_of(data: bytes) -> str:
    """Return the text for `spec.sha256`."""
    return hashlib.sha256(data).hexdigest()


def decode_base64(text: str, path: str) -> bytes:
    """Return the bytes; line breaks and spaces are skipped. Raises ModelRefused."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ModelRefused(
            Refusal.NOT_BASE64, f"{path} is not base64: write the gzip of the ONNX file as base64, all of it"
        ) from None


def unpack(chunks: Sequence[bytes], sha256: str, path: str) -> bytes:
    """Join the chunks of a gzip file in their order, decompress them and compare the digest. Raises ModelRefused."""
    if sum(map(len, chunks)) > MOST_PACKED_BYTES:
        raise _too_large(path)
    decompressor = zlib.decompressobj(_GZIP_WINDOW_BITS)
    data = bytearray()
    try:
        for chunk in chunks:
            if decompressor.eof:
                raise _trailing(path)
            data += decompressor.decompress(chunk, MOST_BYTES + 1 - len(data))
            if len(data) > MOST_BYTES or decompressor.unconsumed_tail:
                raise _too_large(path)
    except zlib.error:
        raise ModelRefused(
            Refusal.NOT_GZIP,
            f"{path} is not gzip, or damaged: pack the ONNX file with gzip, and check the order of chunks",
        ) from None
    if decompressor.unused_data:
        raise _trailing(path)
    if not decompressor.eof:
        raise ModelRefused(Refusal.TRUNCATED, f"{path} ends before the gzip file does: add what is missing of it")
    return verified(bytes(data), sha256, path)


def verified(data: bytes, sha256: str, path: str) -> bytes:
    """Return the bytes if they are those that were meant. Raises ModelRefused."""
    if len(data) > MOST_BYTES:
        raise _too_large(path)
    found = digest_of(data)
    if found != sha256:
        raise ModelRefused(
            Refusal.WRONG_DIGEST,
            f"spec.sha256 is {sha256[:12]}…, and the ONNX file in {path} has {found[:12]}…: "
            "correct the digest, which is that of the unpacked file, or the weights",
        )
    return data


def _too_large(path: str) -> ModelRefused:
    return ModelRefused(
        Refusal.TOO_LARGE, f"{path} unpacks to more than {MOST_BYTES // 2**20} MiB: use a smaller model"
    )


def _trailing(path: str) -> ModelRefused:
    return ModelRefused(
        Refusal.TRAILING_DATA, f"{path} holds more than one gzip file: remove what follows the end of the first"
    )
