"""Pod request shapes from the openb pod list, a public trace of a machine-learning cluster.

Called by `hydatis demo --trace`. Reads `$HYDATIS_DATA/openb/openb_pod_list_default*.csv.gz`, nothing else; only
requests are taken from it, no names and no times. The trace is Alibaba's cluster-trace-gpu-v2023 (Weng et al.,
«Beware of Fragmentation», USENIX ATC 2023).

The trace shares GPUs in thousandths (`gpu_milli` below 1000, always with one GPU). Kubernetes counts an extended
resource in whole numbers, so a pod that shares a GPU asks here for a whole one.
"""

import csv
import gzip
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hydatis.simulations.workloads import TOLERATES_EVERYTHING, PodShape

DATA_VARIABLE = "HYDATIS_DATA"
_PATTERN = "openb/openb_pod_list_default*.csv.gz"
_COLUMNS = ("cpu_milli", "memory_mib", "num_gpu")


class TraceError(Exception):
    """The trace cannot be read; the text is one sentence with the remedy."""


def read_pod_shapes(environment: Mapping[str, str] = os.environ) -> list[PodShape]:
    """Read every pod of the trace, in the order of the file.

    Raises:
        TraceError: HYDATIS_DATA is unset, the file is missing, or a row is malformed.

    """
    path = _trace_file(environment)
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream)
            missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise TraceError(f"{path} has no column {', '.join(missing)}; put the original openb pod list there.")
            shapes = [_shape(row, f"{path} line {rows.line_num}") for row in rows]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise TraceError(
            f"{path} is not a readable gzip file of comma-separated values ({error}); fetch it again."
        ) from error
    if not shapes:
        raise TraceError(f"{path} holds no pods; put the original openb pod list there.")
    return shapes


def draw_pod_shapes(shapes: list[PodShape], count: int, random: np.random.Generator) -> list[PodShape]:
    """Draw `count` of the trace's pods, without repeats as long as there are enough of them."""
    return [shapes[index] for index in random.choice(len(shapes), size=count, replace=count > len(shapes))]


def _trace_file(environment: Mapping[str, str]) -> Path:
    folder = environment.get(DATA_VARIABLE, "")
    if not folder:
        raise TraceError(f"{DATA_VARIABLE} is not set; set it to the folder that holds {_PATTERN}.")
    found = sorted(Path(folder).glob(_PATTERN))
    if not found:
        raise TraceError(f"{DATA_VARIABLE} names {folder}, which holds no {_PATTERN}; put the openb pod list there.")
    return found[0]


def _shape(row: Mapping[str, str | None], where: str) -> PodShape:
    values = [_whole_number(row[column], f"{where}, column {column}") for column in _COLUMNS]
    cpu_millicores, memory_mib, gpus = values
    # Taints are a property of the demo's own nodes; the trace knows none.
    return PodShape("trace", cpu_millicores, memory_mib, gpus, tolerations=(TOLERATES_EVERYTHING,))


def _whole_number(text: str | None, where: str) -> int:
    if text is None or not (text.isascii() and text.isdecimal()):
        raise TraceError(f"{where}: {text!r} is not a whole number; put the original openb pod list there.")
    return int(text)
