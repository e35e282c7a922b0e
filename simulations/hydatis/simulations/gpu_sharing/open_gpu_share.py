"""Open-Gpu-Share: a node must have devices with enough left (alibaba open-simulator
pkg/type/open-gpu-share/cache/gpunodeinfo.go, AllocateGpuId).

A pod that takes a part of a device fits where one device has that much left; a pod that takes whole devices where
that many are untouched. Which models it accepts is node affinity's business.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.plugins import Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.simulations.gpu_sharing.demands import GPU_MILLI, demand_of
from hydatis.simulations.gpu_sharing.devices import GpuDevices


class OpenGpuShare:
    """Filter on what is left of each device."""

    name: ClassVar[str] = "Open-Gpu-Share"
    scope: ClassVar[Scope] = Scope.PLACEMENT
    helped_by: ClassVar[ClusterEvent] = (
        ClusterEvent.NODE_ADDED | ClusterEvent.NODE_ALLOCATABLE | ClusterEvent.POD_REMOVED | ClusterEvent.OWN_REQUESTS
    )

    def __init__(self, devices: GpuDevices) -> None:
        self._devices = devices

    def applies(self, requirements: Requirements) -> bool:
        """Every pod: only with the cluster's columns at hand can it be told which resource is the GPU."""
        return True

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes with enough devices that have enough left."""
        self._devices.refresh(cluster)
        demand = demand_of(requirements, cluster)
        if not demand.devices:
            return np.ones(len(rows), dtype=np.bool_)
        fitting = np.count_nonzero(self._devices.left[rows] >= demand.milli, axis=1)
        return np.asarray(fitting >= demand.devices, dtype=np.bool_)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """All of them have the same reason."""
        return {f"Insufficient {GPU_MILLI} on each device": len(rows)}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Tell the nodes that have too few devices even when all are untouched."""
        return np.asarray(self._devices.count[rows] < demand_of(requirements, cluster).devices, dtype=np.bool_)
