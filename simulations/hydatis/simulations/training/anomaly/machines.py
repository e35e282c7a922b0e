"""The machines on which the anomaly model is tuned, and those on which it is judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import LabelledMetrics
from hydatis.simulations.traces.machine_anomalies import read_asd, read_smd
from hydatis.simulations.training.anomaly.made_up import made_up_machines


class Side(StrEnum):
    """What a machine is for. Rows are never shuffled: a machine is on one side as a whole."""

    TUNING = "tuning"
    VALIDATION = "validation"


@dataclass(frozen=True, slots=True)
class LabelledMachine:
    """One machine with its anomalies."""

    source: str
    side: Side
    metrics: LabelledMetrics


_READERS = {"asd": read_asd, "smd": read_smd}
SOURCES = tuple(_READERS)


def read_machines(folder: DataFolder | None, seed: int, sources: Sequence[str] = SOURCES) -> list[LabelledMachine]:
    """Read those of the sources that the folder has; machines made up by `seed` without a folder.

    Of each source, by name, every other machine is for tuning, beginning with the first.

    Raises:
        TraceError: a file cannot be read.

    """
    if folder is None:
        return _sided("synthetic", made_up_machines(seed))
    machines = []
    for source in sources:
        if folder.has(f"{source}/*.parquet"):
            machines += _sided(source, _READERS[source](folder))
    return machines


def _sided(source: str, machines: Sequence[LabelledMetrics]) -> list[LabelledMachine]:
    ordered = sorted(machines, key=lambda machine: machine.name)
    sides = tuple(Side)
    return [LabelledMachine(source, sides[place % 2], machine) for place, machine in enumerate(ordered)]
