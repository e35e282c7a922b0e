"""DLRM 2025: recommendation-model inference on disaggregated GPUs (Alibaba cluster-trace-gpu-v2025), 31 days.

Quirks that are dealt with here: cpu is in vCPUs, memory and disk in GiB; an instance without creation or scheduled time
was there before the trace began, one without deletion time when it ended; `max_instance_per_node` is -1 without a
limit. All are latency sensitive, and no node list is published.
"""

import numpy as np

from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI, Arrivals
from hydatis.simulations.traces.tables import read_csv

_PATTERN = "alibaba_dlrm2025/disaggregated_DLRM_trace*.csv*"
_COLUMNS = (
    "instance_sn", "role", "app_name", "cpu_request", "gpu_request", "rdma_request", "memory_request", "disk_request",
    "max_instance_per_node", "creation_time", "scheduled_time", "deletion_time",
)  # fmt: skip


def read_pods(folder: DataFolder) -> Arrivals:
    """Read the instances. Raises `TraceError`."""
    table = read_csv(folder, folder.file(_PATTERN), _COLUMNS)
    gpus = table.whole_numbers("gpu_request")
    limits = table.numbers("max_instance_per_node")
    return Arrivals(
        names=tuple(table.texts("instance_sn")),
        owners=tuple(table.texts("app_name")),
        qos=("LS",) * len(table),
        cpu_millicores=np.rint(table.numbers("cpu_request") * 1000).astype(np.int64),
        memory_mib=np.ceil(table.numbers("memory_request") * 1024).astype(np.int64),
        gpus=gpus,
        gpu_milli=np.where(gpus > 0, WHOLE_GPU_MILLI, 0),
        gpu_models=((),) * len(table),
        disk_gib=table.numbers("disk_request"),
        nic_percent=table.numbers("rdma_request"),
        most_per_node=np.where(limits > 0, limits, 0).astype(np.int64),
        created_seconds=table.numbers("creation_time"),
        scheduled_seconds=table.numbers("scheduled_time"),
        deleted_seconds=table.numbers("deletion_time"),
    )
