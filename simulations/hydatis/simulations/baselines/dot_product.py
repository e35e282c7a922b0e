"""DotProd: the node whose free resources point least in the direction of the pod's (dot_product_score.go, after
Tetris), with the settings of the paper: all GPUs of a node as one dimension, shares of the largest node.

The score is 100 x (1 - mean over CPU and GPU of free x requested), cut to an integer.
"""

from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN
from hydatis.simulations.baselines.best_fit import LARGEST_CPU_MILLICORES, LARGEST_GPU_MILLI
from hydatis.simulations.baselines.gpu_score import GpuScore
from hydatis.simulations.gpu_sharing.demands import GpuDemand


class DotProduct(GpuScore):
    """Score by the dot product of free and requested resources."""

    name: ClassVar[str] = "DotProductScore"

    def rate(self, requirements: Requirements, demand: GpuDemand, cluster: Cluster, rows: Rows) -> Float64Array:
        """Return 0-100, the higher the smaller the product."""
        cpu = cluster.allocatable[CPU_COLUMN, rows] - cluster.requested[CPU_COLUMN, rows]
        gpu = self.devices.left[rows].sum(axis=1)
        product = cpu / LARGEST_CPU_MILLICORES * (requirements.request(CPU_COLUMN) / LARGEST_CPU_MILLICORES)
        product = product + gpu / LARGEST_GPU_MILLI * (demand.devices * demand.milli / LARGEST_GPU_MILLI)
        return np.asarray(MAX_NODE_SCORE * (1.0 - product / 2.0), dtype=np.float64)
