"""Labelled metrics: SMD, ASD and NAB."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydatis.simulations.traces.errors import TraceMalformed
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import AnomalySegment
from hydatis.simulations.traces.machine_anomalies import read_asd, read_smd, segments_of
from hydatis.simulations.traces.nab import read_metrics

Write = Callable[[str, str], Path]
WriteParquet = Callable[[str, Mapping[str, Sequence[Any]]], Path]


def machine(labels: Sequence[int]) -> dict[str, list[Any]]:
    """A train part of two samples, then a test part in the wrong order of time."""
    count = len(labels)
    times = [0, 1, *reversed(range(count))]
    return {
        "t": times,
        "split": ["train"] * 2 + ["test"] * count,
        "label": [0, 0, *reversed(labels)],
        "m01": [float(time) for time in times],
        "m02": [0.5] * (count + 2),
    }


@pytest.mark.parametrize(
    ("labels", "segments"),
    [
        ([0, 0], []),
        ([1, 1, 0, 1], [(0, 1), (3, 3)]),
        ([0, 1, 1], [(1, 2)]),
        ([1], [(0, 0)]),
    ],
)
def test_segments_are_the_runs_of_labels(labels: list[int], segments: list[tuple[int, int]]) -> None:
    found = segments_of(np.array(labels, dtype=np.bool_))
    assert [(segment.start, segment.end) for segment in found] == segments


def test_smd_parts_are_split_ordered_and_interpreted(
    folder: DataFolder, write: Write, write_parquet: WriteParquet
) -> None:
    write_parquet("smd/machine-1-1.parquet", machine([0, 1, 1, 0, 1]))
    write("smd/machine-1-1.interpretation.txt", "1-2:2\n")
    (found,) = read_smd(folder)
    assert found.name == "machine-1-1"
    assert found.metrics == ("m01", "m02")
    assert found.train[:, 0].tolist() == [0, 1]
    assert found.test[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert found.labels.tolist() == [False, True, True, False, True]
    assert found.segments == (AnomalySegment(1, 2, (1,)), AnomalySegment(4, 4))
    assert found.sample_seconds == 60


@pytest.mark.parametrize("line", ["1-2", "1-2:0", "1-2:3", "1:2", "a-b:1"])
def test_an_interpretation_that_cannot_be_is_refused(
    folder: DataFolder, write: Write, write_parquet: WriteParquet, line: str
) -> None:
    write_parquet("smd/machine-1-1.parquet", machine([0, 1]))
    write("smd/machine-1-1.interpretation.txt", f"1-1:1\n{line}\n")
    with pytest.raises(TraceMalformed, match=r"interpretation.txt line 2 is not start-end:metric,metric"):
        read_smd(folder)


def test_a_third_part_is_refused(folder: DataFolder, write_parquet: WriteParquet) -> None:
    write_parquet("smd/machine-1-1.parquet", {"t": [0], "split": ["validation"], "label": [0], "m01": [0.1]})
    with pytest.raises(TraceMalformed, match="a split other than train and test"):
        read_smd(folder)


def test_asd_segments_have_a_kind_where_one_is_given(
    folder: DataFolder, write: Write, write_parquet: WriteParquet
) -> None:
    write_parquet("asd/omi-1.parquet", machine([1, 0, 1]))
    (without,) = read_asd(folder)
    assert [segment.kind for segment in without.segments] == ["", ""]
    write("asd/anomaly_type.csv", "dataset,anomaly_segment,anomaly_type\nomi-1,2-2,temporal\nomi-2,0-1,metric\n")
    (found,) = read_asd(folder)
    assert [segment.kind for segment in found.segments] == ["", "temporal"]
    assert found.sample_seconds == 300


@pytest.mark.parametrize("form", ["windows beside labels", "windows alone, as in the original"])
def test_nab_windows_become_labels(folder: DataFolder, write: Write, form: str) -> None:
    rows = "".join(f"2014-02-14 14:{minute:02}:00,{minute}\n" for minute in range(0, 25, 5))
    write("nab/ec2.csv.gz", "timestamp,value\n" + rows)
    windows = [["2014-02-14 14:05:00.000000", "2014-02-14 14:14:00.000000"]]
    entry: Any = {"windows": windows, "labels": []} if form.startswith("windows beside") else windows
    write("nab/labels.json", json.dumps({"realAWSCloudwatch/ec2.csv": entry}))
    (found,) = read_metrics(folder)
    assert found.name == "ec2"
    assert found.test[:, 0].tolist() == [0, 5, 10, 15, 20]
    assert found.labels.tolist() == [False, True, True, False, False]
    assert found.segments == (AnomalySegment(1, 2),)
    assert found.sample_seconds == 300
    assert found.train.shape == (0, 1)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ("{}", "say nothing of ec2.csv; put this file's windows there"),
        ("[]", "does not name the windows of each file"),
        ("{", "does not name the windows of each file"),
        ('{"ec2.csv": [["yesterday", "today"]]}', "'yesterday' is not a date and time"),
    ],
)
def test_nab_labels_that_do_not_fit_are_refused(folder: DataFolder, write: Write, labels: str, problem: str) -> None:
    write("nab/ec2.csv", "timestamp,value\n2014-02-14 14:00:00,1\n")
    write("nab/labels.json", labels)
    with pytest.raises(TraceMalformed, match=problem):
        read_metrics(folder)


def test_recorded_labels_agree_with_their_interpretations(recorded: DataFolder) -> None:
    pytest.importorskip("pyarrow", reason="parquet files need the extra `simulations`")
    for machines in (read_smd(recorded), read_asd(recorded)):
        segments = [segment for one in machines for segment in one.segments]
        assert np.mean([bool(segment.metrics) for segment in segments]) > 0.9
        assert all(not one.train.size or np.isfinite(one.train).all() for one in machines)
    assert any(one.segments for one in read_metrics(recorded))
