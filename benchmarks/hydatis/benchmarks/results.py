"""From the records of all runs to the rows that compare the two schedulers.

Called by the command line; a pure function of the records.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hydatis.benchmarks.statistics import median, ranges, ratios

SCHEDULERS: Mapping[str, str] = {"hydatis": "HYDATIS", "kube_scheduler": "kube-scheduler"}
"""Key in the results to what people call it."""
QUIET_CORES = 0.2
"""What an otherwise idle machine may do besides, in cores; more is told to the reader."""


def rows(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give one row for each (workload, nodes, mode), in the order of the runs.

    Medians and ranges are over the valid runs alone; how many of all that were, each side says as `valid_runs` of
    `runs`. Without a valid run on either side there is no ratio.
    """
    keys = list(dict.fromkeys(map(_key, records)))
    return [_row([record for record in records if _key(record) == key], *key) for key in keys]


def _key(record: Mapping[str, Any]) -> tuple[str, int, str]:
    return record["workload"], record["nodes"], record["mode"]


def _row(records: list[dict[str, Any]], workload: str, nodes: int, mode: str) -> dict[str, Any]:
    pods = max(record["pods"] for record in records)
    row: dict[str, Any] = {"workload": workload, "nodes": nodes, "mode": mode, "pods": pods}
    medians = {}
    for scheduler in SCHEDULERS:
        own = [record for record in records if record["scheduler"] == scheduler]
        samples = [record["measurements"] for record in own if record["valid"]]
        medians[scheduler] = median(samples)
        row[scheduler] = {
            **medians[scheduler],
            "range": ranges(samples) if samples else {},
            "runs": len(own),
            "valid_runs": len(samples),
        }
    complete = all(medians.values())
    row["ratio"] = ratios(medians["hydatis"], medians["kube_scheduler"]) if complete else {}
    return row


def number_at(measurements: Mapping[str, Any], path: Sequence[str]) -> float | None:
    """Read one number by its path; None where it was not measured."""
    value: Any = measurements
    for key in path:
        value = value.get(key) if value else None
    return value if isinstance(value, float) else None


def other_cores(records: Sequence[Mapping[str, Any]]) -> float:
    """Give the most cores that programs outside the benchmark kept busy in any run."""
    measured = [record["measurements"]["other_cores"] for record in records if record["measurements"]]
    return max((cores for cores in measured if cores is not None), default=0.0)
