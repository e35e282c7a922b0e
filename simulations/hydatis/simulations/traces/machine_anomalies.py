"""SMD and ASD: metrics of servers in production, with anomalies that operators labelled.

SMD (OmniAnomaly): 38 metrics a minute; ASD (InterFusion): 19 metrics each 5 minutes. The publishers scaled every metric
to 0-1 and gave no names. The train part is unlabelled. `*.interpretation.txt` says which metrics an anomaly shows in,
`start-end:metric,...` with metrics counted from 1; ASD's `anomaly_type.csv` says of which kind it is.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from hydatis.scheduler.arrays import BoolArray
from hydatis.simulations.traces.errors import TraceMalformed
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import AnomalySegment, LabelledMetrics
from hydatis.simulations.traces.tables import read_csv, read_parquet

_SMD_SAMPLE_SECONDS = 60.0
_ASD_SAMPLE_SECONDS = 300.0
_METRIC = re.compile(r"m\d+")
_INTERPRETATION = re.compile(r"(\d+)-(\d+):(\d+(?:,\d+)*)")


def read_smd(folder: DataFolder) -> list[LabelledMetrics]:
    """Read every machine of SMD. Raises `TraceError`."""
    return [_read(folder, path, _SMD_SAMPLE_SECONDS) for path in folder.files("smd/machine-*.parquet")]


def read_asd(folder: DataFolder) -> list[LabelledMetrics]:
    """Read every machine of ASD. Raises `TraceError`."""
    kinds = _kinds(folder)
    machines = [_read(folder, path, _ASD_SAMPLE_SECONDS) for path in folder.files("asd/omi-*.parquet")]
    return [
        replace(
            machine,
            segments=tuple(
                replace(segment, kind=kinds.get((machine.name, segment.start), "")) for segment in machine.segments
            ),
        )
        for machine in machines
    ]


def segments_of(labels: BoolArray) -> tuple[AnomalySegment, ...]:
    """Return the runs of labelled samples."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], labels, [False]]).astype(np.int8)))
    return tuple(AnomalySegment(int(start), int(end) - 1) for start, end in edges.reshape(-1, 2))


def _read(folder: DataFolder, path: Path, sample_seconds: float) -> LabelledMetrics:
    columns = read_parquet(folder, path, ("t", "split", "label", "m01"))
    metrics = tuple(sorted(name for name in columns if _METRIC.fullmatch(name)))
    values = np.column_stack([columns[name] for name in metrics]).astype(np.float32)
    splits = columns["split"].astype(str)
    if not np.isin(splits, ("train", "test")).all():
        raise TraceMalformed(f"{path} has a split other than train and test; put the original file there.")
    # By time within each part, whatever order the file has.
    train, test = (np.flatnonzero(splits == part) for part in ("train", "test"))
    train, test = (part[np.argsort(columns["t"][part], kind="stable")] for part in (train, test))
    labels = columns["label"][test] != 0
    return LabelledMetrics(
        name=path.stem,
        metrics=metrics,
        sample_seconds=sample_seconds,
        train=values[train],
        test=values[test],
        labels=labels,
        segments=_interpreted(folder, path, segments_of(labels), len(metrics)),
    )


def _interpreted(
    folder: DataFolder, path: Path, segments: tuple[AnomalySegment, ...], metric_count: int
) -> tuple[AnomalySegment, ...]:
    """Say of each segment which metrics it shows in: those of the interpretations that begin within it."""
    source = path.with_suffix(".interpretation.txt")
    if not folder.has(source.relative_to(folder.path).as_posix()):
        return segments
    interpretations = []
    for number, line in enumerate(folder.read(source).decode("utf-8").split(), start=1):
        match = _INTERPRETATION.fullmatch(line)
        metrics = [int(metric) for metric in match[3].split(",")] if match else []
        if match is None or not all(1 <= metric <= metric_count for metric in metrics):
            raise TraceMalformed(f"{source} line {number} is not start-end:metric,metric; put the original file there.")
        interpretations.append((int(match[1]), int(match[2]), metrics))
    return tuple(
        replace(
            segment,
            metrics=tuple(
                sorted(
                    {
                        metric - 1
                        for start, end, metrics in interpretations
                        if start <= segment.end and end >= segment.start
                        for metric in metrics
                    }
                )
            ),
        )
        for segment in segments
    )


def _kinds(folder: DataFolder) -> dict[tuple[str, int], str]:
    """Return the kind of anomaly by machine and first sample."""
    if not folder.has("asd/anomaly_type*.csv*"):
        return {}
    path = folder.file("asd/anomaly_type*.csv*")
    table = read_csv(folder, path, ("dataset", "anomaly_segment", "anomaly_type"))
    rows = zip(table.texts("dataset"), table.texts("anomaly_segment"), table.texts("anomaly_type"), strict=True)
    kinds = {}
    for row, (machine, segment, kind) in enumerate(rows):
        start = segment.split("-")[0]
        if not start.isdecimal():
            raise TraceMalformed(f"{table.where(row, 'anomaly_segment')}: {segment!r} is not start-end.")
        kinds[machine, int(start)] = kind
    return kinds
