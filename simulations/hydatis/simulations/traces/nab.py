"""NAB: single metrics of cloud machines with labelled anomalies (Numenta Anomaly Benchmark), mostly each 5 minutes.

There is no train part. Labels are windows of time around each anomaly, as in the original `combined_windows.json` or
with other labels beside them; they name files with their folder in the original repository, and are found here by file
name alone.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from hydatis.simulations.traces.errors import TraceMalformed
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import LabelledMetrics
from hydatis.simulations.traces.machine_anomalies import segments_of
from hydatis.simulations.traces.tables import read_csv


def read_metrics(folder: DataFolder) -> list[LabelledMetrics]:
    """Read every file. Raises `TraceError`."""
    windows = _windows(folder)
    return [_read(folder, path, windows) for path in folder.files("nab/*.csv*")]


def _read(folder: DataFolder, path: Path, windows: Mapping[str, list[list[str]]]) -> LabelledMetrics:
    table = read_csv(folder, path, ("timestamp", "value"))
    stamps = enumerate(table.texts("timestamp"))
    times = np.array([_seconds(text, table.where(row, "timestamp")) for row, text in stamps])
    name = path.name.split(".csv")[0]
    if name not in windows:
        raise TraceMalformed(f"the labels in {path.parent} say nothing of {path.name}; put this file's windows there.")
    labels = np.zeros(len(times), dtype=np.bool_)
    for start, end in windows[name]:
        labels |= (times >= _seconds(start, "labels of nab")) & (times <= _seconds(end, "labels of nab"))
    return LabelledMetrics(
        name=name,
        metrics=("value",),
        sample_seconds=float(np.median(np.diff(times))) if len(times) > 1 else np.nan,
        train=np.empty((0, 1), dtype=np.float32),
        test=table.numbers("value").astype(np.float32)[:, np.newaxis],
        labels=labels,
        segments=segments_of(labels),
    )


def _windows(folder: DataFolder) -> dict[str, list[list[str]]]:
    path = folder.file("nab/*.json")
    try:
        document: dict[str, Any] = json.loads(folder.read(path))
        return {
            Path(name).stem: entry["windows"] if isinstance(entry, dict) else list(entry)
            for name, entry in document.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TraceMalformed(f"{path} does not name the windows of each file ({error!r}); fetch it again.") from error


def _seconds(text: str, where: str) -> float:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise TraceMalformed(f"{where}: {text!r} is not a date and time; put the original file there.") from error
