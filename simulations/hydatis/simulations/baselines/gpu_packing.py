"""GpuPacking: shared devices before untouched ones, used nodes before unused ones (gpu_packing_score.go).

A device that others share already: 100 minus a tenth of the percent left of it, at least 50. Untouched devices on a
node with some in use: 50 minus how many are taken, at least 33. A node with all devices untouched: 33 minus how many
it has. Pods without GPU score 0 everywhere.
"""

from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE
from hydatis.scheduler.requirements import Requirements
from hydatis.simulations.baselines.gpu_score import GpuScore
from hydatis.simulations.gpu_sharing.demands import WHOLE, GpuDemand

_SHARED_LEAST = MAX_NODE_SCORE // 2
_USED_NODE_LEAST = MAX_NODE_SCORE // 3


class GpuPacking(GpuScore):
    """Score by how little new is touched."""

    name: ClassVar[str] = "GpuPackingScore"
    rates_all_pods: ClassVar[bool] = False

    def rate(self, requirements: Requirements, demand: GpuDemand, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100; 0 also where the pod does not fit."""
        left = self.devices.left[rows]
        untouched = np.count_nonzero(left == WHOLE, axis=1)
        fits = np.count_nonzero(left >= demand.milli, axis=1) >= demand.devices
        # The device with the least left that suffices; a pod of whole devices only ever takes untouched ones.
        fullest = np.where(left >= demand.milli, left, WHOLE).min(axis=1)
        taken = np.where(fullest == WHOLE, demand.devices, 0)
        shared = np.maximum(MAX_NODE_SCORE - fullest * 100 // WHOLE // 10, _SHARED_LEAST)
        used_node = np.maximum(_SHARED_LEAST - taken, _USED_NODE_LEAST)
        unused_node = np.maximum(_USED_NODE_LEAST - untouched, untouched)
        score = np.where(untouched == self.devices.count[rows], unused_node, np.where(taken > 0, used_node, shared))
        return np.asarray(np.where(fits, score, 0), dtype=np.int64)
