"""Reads comma-separated and parquet files into columns, with errors that name file, line and column.

Called by the readers of the sources. Comma-separated files may be compressed with gzip; parquet needs pyarrow, which
comes with the extra `simulations`.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.simulations.traces.errors import TraceMalformed, TraceMissing
from hydatis.simulations.traces.folder import DataFolder

_FETCH_AGAIN = "put the original file there"


class CsvTable:
    """The columns of one comma-separated file, as text, with the line of every row."""

    def __init__(self, path: Path, columns: dict[str, list[str]], lines: list[int]) -> None:
        self.path = path
        self._columns = columns
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, column: str) -> bool:
        return column in self._columns

    def where(self, row: int, column: str) -> str:
        """Name a place in the file."""
        return f"{self.path} line {self._lines[row]}, column {column}"

    def texts(self, column: str) -> list[str]:
        """Return a column as it is; empty texts where the file has no such column."""
        return self._columns.get(column) or [""] * len(self)

    def whole_numbers(self, column: str) -> Int64Array:
        """Return a column of numbers that are whole and not negative. Raises `TraceMalformed`."""
        texts = self._columns[column]
        for row, text in enumerate(texts):
            if not (text.isascii() and text.isdecimal()):
                raise TraceMalformed(f"{self.where(row, column)}: {text!r} is not a whole number; {_FETCH_AGAIN}.")
        return np.array([int(text) for text in texts], dtype=np.int64)

    def numbers(self, column: str) -> Float64Array:
        """Return a column of numbers, NaN where the field is empty. Raises `TraceMalformed`."""
        values = np.empty(len(self), dtype=np.float64)
        for row, text in enumerate(self._columns[column]):
            try:
                values[row] = float(text) if text else np.nan
            except ValueError as error:
                message = f"{self.where(row, column)}: {text!r} is not a number; {_FETCH_AGAIN}."
                raise TraceMalformed(message) from error
        return values


def read_csv(folder: DataFolder, path: Path, required: Sequence[str]) -> CsvTable:
    """Read a comma-separated file with a header, at least one row and at least these columns.

    Raises:
        TraceError: the file is missing, altered, cut short or malformed.

    """
    rows = csv.reader(io.StringIO(_text(folder, path), newline=""))
    try:
        header = next(rows, [])
        missing = [column for column in required if column not in header]
        if missing:
            raise TraceMalformed(f"{path} has no column {', '.join(missing)}; {_FETCH_AGAIN}.")
        fields: list[list[str]] = []
        lines = []
        for row in rows:
            if len(row) != len(header):
                raise TraceMalformed(
                    f"{path} line {rows.line_num} has {len(row)} fields and not {len(header)}: the file is cut short "
                    f"or malformed; {_FETCH_AGAIN}."
                )
            fields.append(row)
            lines.append(rows.line_num)
    except csv.Error as error:
        raise TraceMalformed(
            f"{path} line {rows.line_num} is no comma-separated text ({error}); {_FETCH_AGAIN}."
        ) from error
    if not fields:
        raise TraceMalformed(f"{path} holds no rows; {_FETCH_AGAIN}.")
    columns = {name: list(values) for name, values in zip(header, zip(*fields, strict=True), strict=True)}
    return CsvTable(path, columns, lines)


def read_parquet(folder: DataFolder, path: Path, required: Sequence[str]) -> dict[str, Any]:
    """Read all columns of a parquet file as NumPy arrays by name.

    Raises:
        TraceError: the file is missing, altered, cut short or malformed, or pyarrow is not installed.

    """
    try:
        # Only parquet files need it, and it takes a while to import.
        import pyarrow  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise TraceMissing(
            f"{path} is a parquet file, which needs pyarrow; install it with: pip install 'hydatis[simulations]'."
        ) from error
    data = folder.read(path)
    try:
        table = parquet.read_table(pyarrow.BufferReader(data))
    except (pyarrow.ArrowException, OSError) as error:
        raise TraceMalformed(f"{path} is no readable parquet file ({error}); {_FETCH_AGAIN}.") from error
    missing = [column for column in required if column not in table.column_names]
    if missing:
        raise TraceMalformed(f"{path} has no column {', '.join(missing)}; {_FETCH_AGAIN}.")
    if not table.num_rows:
        raise TraceMalformed(f"{path} holds no rows; {_FETCH_AGAIN}.")
    return {name: table.column(name).to_numpy() for name in table.column_names}


def _text(folder: DataFolder, path: Path) -> str:
    data = folder.read(path)
    try:
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        return data.decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        kind = "gzip file of comma-separated values" if path.suffix == ".gz" else "text file"
        raise TraceMalformed(f"{path} is not a readable {kind} ({error}); fetch it again.") from error
