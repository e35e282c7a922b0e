"""What the scores of the FGD paper's simulator have in common."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import Normalization, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.simulations.gpu_sharing.demands import GpuDemand, demand_of
from hydatis.simulations.gpu_sharing.devices import GpuDevices


class GpuScore(ABC):
    """Base of these scores: what they know of devices is up to date when they rate nodes."""

    name: ClassVar[str]
    scope: ClassVar[Scope] = Scope.PLACEMENT
    normalization: ClassVar[Normalization] = Normalization.NONE
    rates_all_pods: ClassVar[bool] = True
    """Whether pods without GPU are rated, too; else they score 0 everywhere."""

    def __init__(self, devices: GpuDevices) -> None:
        self.devices = devices

    def applies(self, requirements: Requirements) -> bool:
        """Every pod, though it may get 0 everywhere."""
        return True

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100."""
        self.devices.refresh(cluster)
        demand = demand_of(requirements, cluster)
        if not (demand.devices or self.rates_all_pods):
            return np.zeros(len(rows), dtype=np.int64)
        return self.rate(requirements, demand, cluster, rows).astype(np.int64)

    @abstractmethod
    def rate(
        self, requirements: Requirements, demand: GpuDemand, cluster: Cluster, rows: Rows
    ) -> Float64Array | Int64Array:
        """Return 0-100 for each row, the higher the better; what is not whole is cut off."""
