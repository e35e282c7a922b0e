"""Small trace files, written by the tests themselves, and the real ones where HYDATIS_DATA names them."""

import gzip
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hydatis.simulations.traces.folder import CHECKSUMS, DATA_VARIABLE, DataFolder

Write = Callable[[str, str], Path]
WriteParquet = Callable[[str, Mapping[str, Sequence[Any]]], Path]


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """An empty data folder."""
    return DataFolder(tmp_path)


@pytest.fixture
def write(folder: DataFolder) -> Write:
    """Writes a text file, compressed when its name says so."""

    def file(name: str, text: str) -> Path:
        path = folder.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return file


@pytest.fixture
def write_parquet(folder: DataFolder) -> WriteParquet:
    """Writes a parquet file."""
    pyarrow = pytest.importorskip("pyarrow", reason="parquet files need the extra `simulations`")
    parquet = pytest.importorskip("pyarrow.parquet")

    def file(name: str, columns: Mapping[str, Sequence[Any]]) -> Path:
        path = folder.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(pyarrow.table(dict(columns)), path)
        return path

    return file


@pytest.fixture
def seal(folder: DataFolder) -> Callable[[], None]:
    """Writes SHA256SUMS over the files there are."""

    def checksums() -> None:
        files = sorted(path for path in folder.path.rglob("*") if path.is_file())
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder.path).as_posix()}\n"
            for path in files
        ]
        (folder.path / CHECKSUMS).write_text("".join(lines))

    return checksums


@pytest.fixture
def recorded() -> DataFolder:
    """The real traces."""
    if not os.environ.get(DATA_VARIABLE):
        pytest.skip(f"{DATA_VARIABLE} names no folder with recorded traces")
    return DataFolder.from_environment()
