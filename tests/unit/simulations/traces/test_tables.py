import gzip
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydatis.simulations.traces.errors import TraceMalformed, TraceMissing
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.tables import read_csv, read_parquet

Write = Callable[[str, str], Path]
WriteParquet = Callable[[str, Mapping[str, Sequence[Any]]], Path]


def test_columns_come_as_text_whole_numbers_and_numbers(folder: DataFolder, write: Write) -> None:
    table = read_csv(folder, write("x/a.csv.gz", "name,n,f\np,1,0.5\nq,20,\n"), ("name", "n"))
    assert table.texts("name") == ["p", "q"]
    assert table.texts("nothing") == ["", ""]
    assert table.whole_numbers("n").tolist() == [1, 20]
    assert np.array_equal(table.numbers("f"), [0.5, np.nan], equal_nan=True)
    assert "f" in table
    assert "g" not in table


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no column n"),
        ("m\n1\n", "has no column n"),
        ("n\n", "holds no rows"),
        ("m,n\n1,2\n3\n", "line 3 has 1 fields and not 2: the file is cut short or malformed"),
        ("m,n\n1,2,3\n", "line 2 has 3 fields and not 2"),
        ("m,n\n1,2\n1,-3\n", "line 3, column n: '-3' is not a whole number; put the original file there"),
        ("m,n\n1,2.5\n", "line 2, column n: '2.5' is not a whole number"),
        ("m,n\n1,\u0663\n", "is not a whole number"),
        ("m,n\n1,\n", "line 2, column n: '' is not a whole number"),
    ],
)
def test_a_malformed_file_is_refused_in_one_sentence(folder: DataFolder, write: Write, text: str, problem: str) -> None:
    path = write("x/a.csv", text)
    with pytest.raises(TraceMalformed, match=problem):
        read_csv(folder, path, ("n",)).whole_numbers("n")


def test_a_field_that_is_no_number_is_named(folder: DataFolder, write: Write) -> None:
    with pytest.raises(TraceMalformed, match="line 2, column n: 'much' is not a number"):
        read_csv(folder, write("x/a.csv", "n\nmuch\n"), ("n",)).numbers("n")


def test_a_compressed_file_that_ends_early_is_refused(folder: DataFolder, write: Write) -> None:
    path = write("x/a.csv.gz", "n\n" + "1\n" * 1000)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TraceMalformed, match=r"a.csv.gz is not a readable gzip file .* fetch it again"):
        read_csv(folder, path, ("n",))


def test_a_file_that_is_not_compressed_text_is_refused(folder: DataFolder, write: Write) -> None:
    path = write("x/a.csv.gz", "")
    path.write_bytes(b"plain")
    with pytest.raises(TraceMalformed, match="not a readable gzip file"):
        read_csv(folder, path, ("n",))
    path.write_bytes(gzip.compress(b"n\n\xff\n"))
    with pytest.raises(TraceMalformed, match="not a readable gzip file"):
        read_csv(folder, path, ("n",))


def test_parquet_columns_come_as_arrays(folder: DataFolder, write_parquet: WriteParquet) -> None:
    path = write_parquet("x/a.parquet", {"k": ["p", "q"], "v": [1.0, None]})
    columns = read_parquet(folder, path, ("k", "v"))
    assert columns["k"].tolist() == ["p", "q"]
    assert np.isnan(columns["v"][1])
    with pytest.raises(TraceMalformed, match=r"a.parquet has no column w"):
        read_parquet(folder, path, ("w",))


def test_parquet_that_is_cut_short_or_empty_is_refused(folder: DataFolder, write_parquet: WriteParquet) -> None:
    path = write_parquet("x/a.parquet", {"k": list(range(100))})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TraceMalformed, match=r"a.parquet is no readable parquet file"):
        read_parquet(folder, path, ("k",))
    with pytest.raises(TraceMalformed, match=r"b.parquet holds no rows"):
        read_parquet(folder, write_parquet("x/b.parquet", {"k": []}), ("k",))


def test_without_pyarrow_the_extra_is_named(folder: DataFolder, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(TraceMissing, match=r"needs pyarrow; install it with: pip install 'hydatis\[simulations\]'"):
        read_parquet(folder, write("x/a.parquet", ""), ())
