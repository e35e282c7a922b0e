"""Pods from the generator of made-up workloads, for machines without traces."""

from dataclasses import dataclass, field

import numpy as np

from hydatis.simulations.synthetic.arrivals import draw_arrivals
from hydatis.simulations.synthetic.owners import draw_owners
from hydatis.simulations.synthetic.parameters import Parameters
from hydatis.simulations.synthetic.usage import draw_cpu_percent, draw_memory_percent
from hydatis.simulations.virtual_time.pool import Pool
from hydatis.simulations.virtual_time.scenario import Demand, Part
from hydatis.simulations.virtual_time.workload import Owner, Usage

_DAYS = 7
_DAY_SECONDS = 86_400
_STEP_SECONDS = 300
_PODS_A_DAY = 3_000
"""Enough to draw from."""
_NETWORK_KIB_S_PER_PERCENT = 10.0
_DISK_KIB_S_PER_PERCENT = 5.0
"""Traffic that goes with a percent of CPU use: orders of magnitude, nothing that was fitted."""


@dataclass(frozen=True, slots=True)
class MadeUp:
    """The source of made-up pods."""

    parameters: Parameters = field(default_factory=Parameters.shipped)

    @property
    def name(self) -> str:
        """Tell what it is."""
        return "synthetic"

    def pool(self, part: Part, demand: Demand, seed: int) -> Pool:
        """Draw owners, a week of their pods and of their use; each part draws others."""
        random = np.random.default_rng([seed, list(Part).index(part)])
        drawn = draw_owners(self.parameters, demand.owners, random)
        pods = draw_arrivals(self.parameters, drawn, _DAYS, random, per_day=_PODS_A_DAY)
        numbers = {owner.name: number for number, owner in enumerate(drawn)}
        following = [owner for owner in drawn for _ in range(demand.series_an_owner)]
        times = np.arange(0, _DAYS * _DAY_SECONDS, _STEP_SECONDS, dtype=np.float64)
        cpu = draw_cpu_percent(following, times, random)
        memory = draw_memory_percent(following, random)
        duty = np.array([owner.usage.gpu_duty_percent for owner in following])
        return Pool(
            owners=tuple(
                Owner(
                    one.name,
                    "batch" if one.qos == "BE" else "services",
                    one.qos,
                    one.cpu_millicores,
                    one.memory_mib,
                    one.gpus,
                )
                for one in drawn
            ),
            owner_of_pod=np.array([numbers[name] for name in pods.owners], dtype=np.int64),
            second_of_day=pods.created_seconds % _DAY_SECONDS,
            lifetime_seconds=pods.lifetimes_seconds,
            series_of_owner=np.arange(len(following), dtype=np.int64).reshape(len(drawn), demand.series_an_owner),
            usage=Usage(
                step_seconds=_STEP_SECONDS,
                cpu_percent=cpu.astype(np.float32),
                memory_percent=memory[:, np.newaxis].astype(np.float32),
                gpu_percent=duty[:, np.newaxis].astype(np.float32),
                network_kib_s=(cpu * _NETWORK_KIB_S_PER_PERCENT).astype(np.float32),
                disk_kib_s=(cpu * _DISK_KIB_S_PER_PERCENT).astype(np.float32),
            ),
            days=_DAYS,
        )
