"""Where trace files are found, and whether they are the ones meant.

A data folder holds one folder a source. Files are found by pattern, so that a folder of the same layout with other
days, machines and files serves as well. A file named in the folder's SHA256SUMS is compared with it whenever it is
read.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from hydatis.simulations.traces.errors import TraceAltered, TraceMalformed, TraceMissing

DATA_VARIABLE = "HYDATIS_DATA"
CHECKSUMS = "SHA256SUMS"
_CHECKSUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


class FileState(StrEnum):
    """What a look at one file found."""

    VERIFIED = "verified"
    NOT_LISTED = "not listed in SHA256SUMS"
    ALTERED = "altered"
    MISSING = "missing"


class DataFolder:
    """A folder with traces. Nothing is read before it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "DataFolder":
        """Open the folder that HYDATIS_DATA names.

        Raises:
            TraceMissing: it names none, or one that is not there.

        """
        named = environment.get(DATA_VARIABLE, "")
        if not named:
            raise TraceMissing(
                f"{DATA_VARIABLE} is not set; set it to the folder that holds the traces "
                f"(`hydatis traces list` says where to get them)."
            )
        if not Path(named).is_dir():
            raise TraceMissing(f"{DATA_VARIABLE} names {named}, which is not a folder; correct it.")
        return cls(Path(named))

    @classmethod
    def if_named(cls, environment: Mapping[str, str] = os.environ) -> "DataFolder | None":
        """Open the folder that HYDATIS_DATA names; None where it names none, and things are made up.

        Raises:
            TraceMissing: it names one that is not there.

        """
        return cls.from_environment(environment) if environment.get(DATA_VARIABLE) else None

    @cached_property
    def checksums(self) -> Mapping[str, str]:
        """SHA-256 by file name relative to the folder; empty without a SHA256SUMS.

        Raises:
            TraceMalformed: SHA256SUMS has a line that is none.

        """
        path = self.path / CHECKSUMS
        if not path.is_file():
            return {}
        found = {}
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            match = _CHECKSUM_LINE.fullmatch(line)
            if match is None:
                raise TraceMalformed(f"{path} line {number} is no checksum; write it anew with sha256sum.")
            found[match[2].removeprefix("./")] = match[1]
        return found

    def files(self, pattern: str) -> list[Path]:
        """Return the files that match, by name, at least one. SHA256SUMS may name one that is not there.

        Raises:
            TraceMissing: no file matches, or one that SHA256SUMS promises is not there.

        """
        for name in self.expected(pattern):
            if not (self.path / name).is_file():
                raise TraceMissing(f"{self.path / name} is missing, though {CHECKSUMS} names it; fetch it again.")
        found = sorted(path for path in self.path.glob(pattern) if path.is_file())
        if not found:
            raise TraceMissing(
                f"{DATA_VARIABLE} names {self.path}, which holds no {pattern}; put it there "
                f"(`hydatis traces show {pattern.split('/', maxsplit=1)[0]}` says where to get it)."
            )
        return found

    def file(self, pattern: str) -> Path:
        """Return the first file that matches. Raises `TraceMissing`."""
        return self.files(pattern)[0]

    def has(self, pattern: str) -> bool:
        """Tell whether any file matches or ought to."""
        return bool(self.expected(pattern)) or any(self.path.glob(pattern))

    def expected(self, pattern: str) -> list[str]:
        """Return the names in SHA256SUMS that match."""
        return sorted(name for name in self.checksums if fnmatchcase(name, pattern))

    def read(self, path: Path) -> bytes:
        """Return a file's bytes once they are known to be the ones meant.

        Raises:
            TraceMissing: the file cannot be read.
            TraceAltered: its checksum is another.

        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise TraceMissing(f"{path} cannot be read ({error.strerror}); fetch it again.") from error
        wanted = self.checksums.get(self._name(path))
        if wanted is not None and hashlib.sha256(data).hexdigest() != wanted:
            raise TraceAltered(
                f"{path} ({len(data)} bytes) is not the file that {CHECKSUMS} names: it was altered or cut short; "
                f"fetch it again."
            )
        return data

    def state(self, path: Path) -> FileState:
        """Say what became of one file, without an exception."""
        try:
            self.read(path)
        except TraceAltered:
            return FileState.ALTERED
        except TraceMissing:
            return FileState.MISSING
        return FileState.VERIFIED if self._name(path) in self.checksums else FileState.NOT_LISTED

    def _name(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()
