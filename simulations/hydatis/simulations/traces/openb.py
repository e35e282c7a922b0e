"""openb: pods and nodes of a production GPU cluster (Alibaba cluster-trace-gpu-v2023), and the results published with
it.

Requests only, no usage. Quirks that are dealt with here: lists made for static packing have no times; GPU sharing is
in thousandths and only ever of one GPU; `gpu_spec` names the models a pod accepts, separated by `|`; a pod without
`scheduled_time` was never placed, and its `deletion_time` is when its user gave up. The few pods that come before day
115 are the cluster's initial state: `split_initial` tells them from arrivals.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.simulations.traces.errors import TraceMalformed, TraceMissing
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI, Arrivals, NodeList
from hydatis.simulations.traces.tables import CsvTable, read_csv

ARRIVALS_FROM_SECONDS = 115 * 86_400
"""Pods created earlier are long-running ones that were there when the cluster was first looked at closely."""

_PUBLISHED = "openb/fgd_published_results*.csv*"
_POD_LISTS = "openb/openb_pod_list_*.csv*"
_LIST_NAME = re.compile(r"openb_pod_list_([A-Za-z0-9]+)[^/]*\.csv(?:\.gz)?")
_REQUESTS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
_TIMES = ("creation_time", "scheduled_time", "deletion_time")


def pod_list_names(folder: DataFolder) -> list[str]:
    """Return the short names of the pod lists there are, such as `default` or `multigpu20`. Raises `TraceMissing`."""
    matches = (_LIST_NAME.fullmatch(path.name) for path in folder.files(_POD_LISTS))
    return sorted({match[1] for match in matches if match})


def read_pods(folder: DataFolder, name: str = "default") -> Arrivals:
    """Read one pod list, a part of it where the folder holds only that. Raises `TraceError`."""
    if name not in pod_list_names(folder):
        known = ", ".join(pod_list_names(folder))
        raise TraceMissing(f"{folder.path} holds no openb/openb_pod_list_{name}*.csv*; the lists there are: {known}.")
    pattern = re.compile(rf"openb_pod_list_{name}(?:[^A-Za-z0-9].*)?\.csv(?:\.gz)?")
    path = next(path for path in folder.files(_POD_LISTS) if pattern.fullmatch(path.name))
    table = read_csv(folder, path, _REQUESTS)
    gpus, gpu_milli = table.whole_numbers("num_gpu"), table.whole_numbers("gpu_milli")
    _check_gpus(table, gpus, gpu_milli)
    absent = np.full(len(table), np.nan)
    created, scheduled, deleted = (table.numbers(column) if column in table else absent for column in _TIMES)
    return Arrivals(
        names=tuple(table.texts("name")),
        owners=("",) * len(table),
        qos=tuple(table.texts("qos")),
        cpu_millicores=table.whole_numbers("cpu_milli"),
        memory_mib=table.whole_numbers("memory_mib"),
        gpus=gpus,
        gpu_milli=gpu_milli,
        gpu_models=tuple(tuple(filter(None, spec.split("|"))) for spec in table.texts("gpu_spec")),
        disk_gib=absent,
        nic_percent=absent,
        most_per_node=np.zeros(len(table), dtype=np.int64),
        created_seconds=created,
        scheduled_seconds=scheduled,
        deleted_seconds=deleted,
    )


def split_initial(pods: Arrivals, from_seconds: float = ARRIVALS_FROM_SECONDS) -> tuple[Arrivals, Arrivals]:
    """Tell the pods that were there before from those that arrived."""
    arrived = pods.created_seconds >= from_seconds
    return pods.where(~arrived), pods.where(arrived)


def read_nodes(folder: DataFolder, *, only_gpu_nodes: bool = False) -> NodeList:
    """Read the node list. Raises `TraceError`."""
    # The list of GPU nodes is a part of the other, which serves as well where it is the only one.
    gpu_list = "openb/openb_node_list_gpu_node*.csv*"
    path = folder.file(gpu_list if only_gpu_nodes and folder.has(gpu_list) else "openb/openb_node_list_all_node*.csv*")
    table = read_csv(folder, path, ("sn", "cpu_milli", "memory_mib", "gpu", "model"))
    nodes = NodeList(
        names=tuple(table.texts("sn")),
        cpu_millicores=table.whole_numbers("cpu_milli"),
        memory_mib=table.whole_numbers("memory_mib"),
        gpus=table.whole_numbers("gpu"),
        gpu_models=tuple(table.texts("model")),
    )
    return nodes.where(nodes.gpus > 0) if only_gpu_nodes else nodes


@dataclass(frozen=True, slots=True)
class PublishedAllocation:
    """What the FGD paper's own runs reached with one policy on one pod list; percent of all GPUs."""

    arrived_percent: Float64Array
    """GPU demand that had arrived."""
    allocated_percent: Float64Array
    """GPUs allocated by then, mean of the runs."""
    deviation: Float64Array
    """Standard deviation over the runs."""

    @property
    def final_percent(self) -> float:
        """Allocation after the last arrival."""
        return float(self.allocated_percent[np.argmax(self.arrived_percent)])


def read_published(folder: DataFolder) -> Mapping[tuple[str, str], PublishedAllocation]:
    """Read the published results by pod list and policy, such as `("default", "BestFit")`; none without their file.

    Raises `TraceError`.
    """
    if not folder.has(_PUBLISHED):
        return {}
    path = folder.file(_PUBLISHED)
    columns = ("workload", "policy", "arrived_gpu_pct", "alloc_pct_mean", "alloc_pct_std")
    table = read_csv(folder, path, columns)
    keys = [
        (workload.removeprefix("openb_pod_list_"), policy.split("-", 1)[-1])
        for workload, policy in zip(table.texts("workload"), table.texts("policy"), strict=True)
    ]
    arrived, mean, deviation = (table.numbers(column) for column in columns[2:])
    rows: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    return {key: PublishedAllocation(arrived[of], mean[of], deviation[of]) for key, of in rows.items()}


def _check_gpus(table: CsvTable, gpus: Int64Array, gpu_milli: Int64Array) -> None:
    shares_several = (gpus > 1) & (gpu_milli != WHOLE_GPU_MILLI)
    wrong = shares_several | (gpu_milli > WHOLE_GPU_MILLI) | ((gpus == 0) != (gpu_milli == 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise TraceMalformed(
            f"{table.where(row, 'gpu_milli')}: {gpu_milli[row]} of each of {gpus[row]} GPUs cannot be: one GPU is "
            f"shared in thousandths, several are taken whole; put the original file there."
        )
