"""What a trace becomes once it is read: arrivals, usage series, node lists or labelled metrics.

Every reader gives one of these, so that what uses a trace knows nothing of where it came from. Arrays of one object
have one entry an item, in the order of the file unless said otherwise, and are not to be written. A number that a
trace does not have is NaN.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array

Float32Array = NDArray[np.float32]

WHOLE_GPU_MILLI = 1000
"""Thousandths of one GPU."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Pods that asked for a node: what they requested and how long they lived. One entry a pod.

    Times are seconds from the start of the trace.
    """

    names: tuple[str, ...]
    owners: tuple[str, ...]
    """Who made the pod (an application); empty where the trace does not say."""
    qos: tuple[str, ...]
    """LS (latency sensitive), BE (best effort), Burstable or Guaranteed; empty where the trace does not say."""
    cpu_millicores: Int64Array
    memory_mib: Int64Array
    gpus: Int64Array
    """GPUs the pod takes a part of."""
    gpu_milli: Int64Array
    """Thousandths of each of them: 1000 is the whole GPU, less only with one GPU, 0 without any."""
    gpu_models: tuple[tuple[str, ...], ...]
    """GPU models the pod accepts; empty: any."""
    disk_gib: Float64Array
    nic_percent: Float64Array
    """Share of one RDMA network card."""
    most_per_node: Int64Array
    """How many pods of this owner one node may hold; 0: any number."""
    created_seconds: Float64Array
    """NaN: before the trace began, or the trace has no times."""
    scheduled_seconds: Float64Array
    """NaN: never placed, or as above."""
    deleted_seconds: Float64Array
    """When the pod ended, or when its user gave up waiting; NaN: after the trace ended, or the trace has no times."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def gpu_demand_milli(self) -> Int64Array:
        """Thousandths of GPUs, all GPUs of a pod together."""
        return self.gpus * self.gpu_milli

    @property
    def lifetimes_seconds(self) -> Float64Array:
        """Time on a node; NaN for pods never placed and pods whose end or beginning the trace does not show."""
        return self.deleted_seconds - self.scheduled_seconds

    def where(self, chosen: BoolArray) -> Self:
        """Return the pods for which `chosen` holds."""
        return type(self)(**_chosen(self, chosen))


@dataclass(frozen=True, slots=True)
class NodeList:
    """The nodes of a cluster, one entry a node."""

    names: tuple[str, ...]
    cpu_millicores: Int64Array
    memory_mib: Int64Array
    gpus: Int64Array
    gpu_models: tuple[str, ...]
    """Empty for nodes without GPUs."""

    def __len__(self) -> int:
        return len(self.names)

    def where(self, chosen: BoolArray) -> Self:
        """Return the nodes for which `chosen` holds."""
        return type(self)(**_chosen(self, chosen))


def _chosen(items: Arrivals | NodeList, chosen: BoolArray) -> dict[str, Any]:
    """Return each field's entries for which `chosen` holds."""
    parts: dict[str, Any] = {}
    for field in fields(items):
        whole = getattr(items, field.name)
        if isinstance(whole, tuple):
            parts[field.name] = tuple(item for item, keep in zip(whole, chosen.tolist(), strict=True) if keep)
        else:
            parts[field.name] = whole[chosen]
    return parts


@dataclass(frozen=True, slots=True)
class UsageSeries:
    """What one machine, virtual machine or pod used over time."""

    name: str
    times_seconds: Float64Array
    """Rising. Samples may be irregular and have gaps."""
    values: Mapping[str, Float64Array]
    """One array a metric, as long as `times_seconds`; the metric's name ends in its unit."""
    cpu_millicores: float = np.nan
    """CPU the machine has, that is what 100 `cpu_percent` means; NaN where the trace does not say."""
    memory_mib: float = np.nan
    """The same for memory."""

    def __len__(self) -> int:
        return len(self.times_seconds)


@dataclass(frozen=True, slots=True)
class AnomalySegment:
    """One labelled anomaly: samples `start` to `end` of the test part, both included."""

    start: int
    end: int
    metrics: tuple[int, ...] = ()
    """Columns in which it shows, from 0; empty where the trace does not say."""
    kind: str = ""
    """Such as `metric` or `temporal`; empty where the trace does not say."""


@dataclass(frozen=True, slots=True)
class LabelledMetrics:
    """The metrics of one machine, with anomalies labelled by hand."""

    name: str
    metrics: tuple[str, ...]
    sample_seconds: float
    train: Float32Array
    """Shape (samples, metrics). Unlabelled: mostly normal, not surely so. No samples where the trace has no such
    part.
    """
    test: Float32Array
    """Shape (samples, metrics), right after `train` in time."""
    labels: BoolArray
    """One a sample of `test`: whether it is anomalous."""
    segments: tuple[AnomalySegment, ...]
    """The anomalies of `test`, in order of time."""
