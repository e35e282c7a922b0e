"""How much of a node's free GPUs the typical pods could not use (pkg/utils/frag.go, NodeGpuShareFragAmount).

A typical pod that the node cannot run (CPU, devices or model lacking), or that wants no GPU, leaves all that is free as
fragments; one that it can run leaves the devices with less than it asks of each. The amount is the mean over the
typical pods, in thousandths of a GPU.
"""

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.simulations.baselines.typical_pods import TypicalPods
from hydatis.simulations.gpu_sharing.demands import GPU_MODEL_LABEL


class Fragmentation:
    """Computes the amount for many node states at once."""

    def __init__(self, typical: TypicalPods) -> None:
        wants_gpu = np.array([demand.devices > 0 for demand in typical.demands], dtype=np.bool_)
        milli = np.array([demand.milli for demand in typical.demands], dtype=np.int64)[wants_gpu]
        self._thresholds, self._threshold_of = np.unique(milli, return_inverse=True)
        self._cpu = typical.cpu_millicores[wants_gpu]
        self._devices = np.array([demand.devices for demand in typical.demands], dtype=np.int64)[wants_gpu]
        self._shares = typical.shares[wants_gpu]
        self._models = [models for models, wants in zip(typical.gpu_models, wants_gpu, strict=True) if wants]
        self._any_model = not any(self._models)
        self._accepted: dict[int, BoolArray] = {}

    def amounts(self, cluster: Cluster, rows: Rows, cpu_left: Int64Array, left: Int64Array) -> Float64Array:
        """Return the amount for each state: a node (`rows`, with repeats) with so much CPU and so much of each device
        left; `left` has shape (states, devices).
        """
        total = left.sum(axis=1)
        enough = left[:, np.newaxis, :] >= self._thresholds[np.newaxis, :, np.newaxis]
        fitting = np.count_nonzero(enough, axis=2)
        too_little = total[:, np.newaxis] - (left[:, np.newaxis, :] * enough).sum(axis=2)
        runs = cpu_left[:, np.newaxis] >= self._cpu
        runs &= fitting[:, self._threshold_of] >= self._devices
        if not self._any_model:
            runs &= self._accepts(cluster, rows)
        usable = (total[:, np.newaxis] - too_little)[:, self._threshold_of]
        # The shares of all typical pods add up to 1, so what is not usable is a fragment.
        return np.asarray(total - (runs * usable) @ self._shares, dtype=np.float64)

    def _accepts(self, cluster: Cluster, rows: Rows) -> BoolArray:
        """Tell for each state and typical pod whether the node's GPU model will do."""
        numbers = cluster.labels.numbers(GPU_MODEL_LABEL)[rows]
        table = np.empty((len(rows), len(self._models)), dtype=np.bool_)
        for number in np.unique(numbers).tolist():
            table[numbers == number] = self._accepted_on(cluster, number)
        return table

    def _accepted_on(self, cluster: Cluster, number: int) -> BoolArray:
        known = self._accepted.get(number)
        if known is None:
            of = {
                model: cluster.labels.number_of(GPU_MODEL_LABEL, model) for models in self._models for model in models
            }
            accepted = [not models or number in {of[model] for model in models} for models in self._models]
            known = self._accepted[number] = np.array(accepted, dtype=np.bool_)
        return known
