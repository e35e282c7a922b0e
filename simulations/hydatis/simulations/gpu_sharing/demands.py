"""What a pod asks of GPUs, and how nodes and pods say so in their manifests."""

from typing import NamedTuple

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.requirements import Requirements

GPU_MILLI = "alibabacloud.com/gpu-milli"
"""The extended resource: thousandths of GPUs, of all a pod's GPUs together."""
GPU_MODEL_LABEL = "alibabacloud.com/gpu-card-model"
"""The node label that names the GPUs' model."""
WHOLE = 1000
"""Thousandths of one device."""
MOST_DEVICES = 8
"""Devices a node can have."""


class GpuDemand(NamedTuple):
    """A part of each of so many devices."""

    devices: int
    milli: int
    """Thousandths of each."""

    @property
    def shares(self) -> bool:
        """Whether it is a part of one device."""
        return 0 < self.milli < WHOLE


def demand_of(requirements: Requirements, cluster: Cluster) -> GpuDemand:
    """Return what pods of this class ask of GPUs; no devices when nothing."""
    column = cluster.columns.find(GPU_MILLI)
    total = 0 if column is None else requirements.request(column)
    if total < WHOLE:
        return GpuDemand(1 if total else 0, total)
    return GpuDemand(total // WHOLE, WHOLE)
