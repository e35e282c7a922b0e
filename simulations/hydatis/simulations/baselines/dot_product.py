"""DotProd: the node whose free resources point least in the direction of the pod's (dot_product_score.go, after
Tetris), with the settings of the paper: all GPUs of a node as one dimension, shares of the largest node.

The score is 100 x (1 - mean over CPU and GPU of free x requested), cut to an integer.
"""

from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Normalization, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN
from hydatis.simulations.baselines.best_fit import LARGEST_CPU_MILLICORES, LARGEST_GPU_MILLI
from hydatis.simulations.gpu_sharing.demands import demand_of
from hydatis.simulations.gpu_sharing.devices import GpuDevices


class DotProduct:
    """Score by the dot product of free and requested resources."""

    name: ClassVar[str] = "DotProductScore"
    scope: ClassVar[Scope] = Scope.PLACEMENT
    normalization: ClassVar[Normalization] = Normalization.NONE

    def __init__(self, devices: GpuDevices) -> None:
        self._devices = devices

    def applies(self, requirements: Requirements) -> bool:
        """Every pod."""
        return True

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100, the higher the smaller the product."""
        self._devices.refresh(cluster)
        demand = demand_of(requirements, cluster)
        cpu = cluster.allocatable[CPU_COLUMN, rows] - cluster.requested[CPU_COLUMN, rows]
        gpu = self._devices.left[rows].sum(axis=1)
        product = cpu / LARGEST_CPU_MILLICORES * (requirements.request(CPU_COLUMN) / LARGEST_CPU_MILLICORES)
        product = product + gpu / LARGEST_GPU_MILLI * (demand.devices * demand.milli / LARGEST_GPU_MILLI)
        return np.asarray(MAX_NODE_SCORE * (1.0 - product / 2.0), dtype=np.float64).astype(np.int64)
