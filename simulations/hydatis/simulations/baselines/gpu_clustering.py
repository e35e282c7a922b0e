"""GpuClustering: pods that ask for as many GPUs go together (gpu_clustering_score.go, after Gandiva).

From high to low: a node that runs only pods like this one, one that runs such pods beside others, one without GPU
pods, one with others only; within each, the node with the least left of its GPUs. Pods without GPU score 0 everywhere.
"""

from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE
from hydatis.scheduler.requirements import Requirements
from hydatis.simulations.baselines.best_fit import LARGEST_GPU_MILLI
from hydatis.simulations.baselines.gpu_score import GpuScore
from hydatis.simulations.gpu_sharing.demands import GpuDemand

_QUARTER = MAX_NODE_SCORE // 4


class GpuClustering(GpuScore):
    """Score by which pods run there."""

    name: ClassVar[str] = "GpuClusteringScore"
    rates_all_pods: ClassVar[bool] = False

    def rate(self, requirements: Requirements, demand: GpuDemand, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100."""
        pods = self.devices.pods_by_devices[rows] > 0
        alike = pods[:, 0 if demand.shares else demand.devices]
        kinds = np.count_nonzero(pods, axis=1)
        quarter = np.where(alike, np.where(kinds == 1, 3, 2), np.where(kinds == 0, 1, 0))
        used = LARGEST_GPU_MILLI - self.devices.left[rows].sum(axis=1)
        return np.asarray(_QUARTER * used // LARGEST_GPU_MILLI + _QUARTER * quarter, dtype=np.int64)
