"""GenAI 2026: pods that serve diffusion models on GPUs (Alibaba cluster-trace-v2026-GenAI), 23 hours, a sample each
57 s.

Pods come and go, from 1 to 1,441 samples each; a metric that a pod does not have is NaN. The publisher scaled values
and clock.
"""

import numpy as np

from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import UsageSeries
from hydatis.simulations.traces.grouping import series_of
from hydatis.simulations.traces.tables import read_parquet

_PATTERN = "alibaba_genai2026/pod_metrics*.parquet"


def read_usage(folder: DataFolder) -> list[UsageSeries]:
    """Read `memory_percent`, `gpu_duty_percent` and `gpu_memory_gib` of every pod. Raises `TraceError`."""
    path = folder.file(_PATTERN)
    columns = read_parquet(folder, path, ("pod", "t_s", "mem_util", "gpu_duty_pct", "gpu_mem_gib"))
    values = {
        "memory_percent": 100 * columns["mem_util"].astype(np.float64),
        "gpu_duty_percent": columns["gpu_duty_pct"],
        "gpu_memory_gib": columns["gpu_mem_gib"],
    }
    return series_of(columns["pod"], columns["t_s"], values)
