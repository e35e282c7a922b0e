"""The typical pods of a workload: what FGD expects to come (pkg/utils/frag.go, GetTypicalPods).

The most frequent requests, as many as make up 95 % of all pods, each with its share; memory is not looked at.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.simulations.gpu_sharing.demands import GpuDemand
from hydatis.simulations.traces.forms import Arrivals

Request: TypeAlias = tuple[int, int, int, tuple[str, ...]]
"""Millicores, thousandths of each GPU, GPUs, and the models that the pod accepts (empty: any)."""
_POPULARITY = 0.95
"""Share of all pods that the typical ones make up at least."""


@dataclass(frozen=True, slots=True)
class TypicalPods:
    """One entry a request."""

    cpu_millicores: Int64Array
    demands: tuple[GpuDemand, ...]
    gpu_models: tuple[tuple[str, ...], ...]
    """Models it accepts; empty: any."""
    shares: Float64Array
    """Of the typical pods; they add up to 1."""

    @classmethod
    def of(cls, pods: Arrivals) -> "TypicalPods":
        """Find them in a workload."""
        return cls.of_requests(
            zip(pods.cpu_millicores.tolist(), pods.gpu_milli.tolist(), pods.gpus.tolist(), pods.gpu_models, strict=True)
        )

    @classmethod
    def of_requests(cls, of_each_pod: Iterable[Request]) -> "TypicalPods":
        """Find them in what the pods of a workload, at least one, ask for."""
        requests = Counter(of_each_pod)
        # Equals in the order of the source: the larger request first.
        ordered = sorted(requests.items(), key=lambda item: (item[1], item[0]), reverse=True)
        counts = np.array([count for _, count in ordered])
        enough = int(np.searchsorted(np.cumsum(counts), _POPULARITY * requests.total())) + 1
        kept = [request for request, _ in ordered[:enough]]
        return cls(
            cpu_millicores=np.array([cpu for cpu, _, _, _ in kept], dtype=np.int64),
            demands=tuple(GpuDemand(gpus, milli) for _, milli, gpus, _ in kept),
            gpu_models=_models(kept),
            shares=counts[:enough] / counts[:enough].sum(),
        )


def _models(requests: Sequence[Request]) -> tuple[tuple[str, ...], ...]:
    return tuple(models for _, _, _, models in requests)
