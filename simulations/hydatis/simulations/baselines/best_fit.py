"""BestFit: the node with the least left after the pod (best_fit_score.go).

The score is 100 x (1 - mean over CPU and GPU of what would be left, each as a share of the largest node there is), cut
to an integer. The source then stretches the scores over 0-100, which changes no order.
"""

from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN
from hydatis.simulations.baselines.gpu_score import GpuScore
from hydatis.simulations.gpu_sharing.demands import GpuDemand

LARGEST_CPU_MILLICORES = 128_000
LARGEST_GPU_MILLI = 8_000
"""The largest node (open-gpu-share/utils/const.go, MaxSpecCpu and MaxSpecGpu)."""


class BestFit(GpuScore):
    """Score by how little is left."""

    name: ClassVar[str] = "BestFitScore"

    def rate(self, requirements: Requirements, demand: GpuDemand, cluster: Cluster, rows: Rows) -> Float64Array:
        """Return 0-100, the higher the less is left."""
        cpu = cluster.allocatable[CPU_COLUMN, rows] - cluster.requested[CPU_COLUMN, rows]
        cpu = cpu - requirements.request(CPU_COLUMN)
        gpu = self.devices.left[rows].sum(axis=1) - demand.devices * demand.milli
        left = cpu / LARGEST_CPU_MILLICORES * 0.5 + gpu / LARGEST_GPU_MILLI * 0.5
        return np.asarray((1.0 - left) * MAX_NODE_SCORE, dtype=np.float64)
