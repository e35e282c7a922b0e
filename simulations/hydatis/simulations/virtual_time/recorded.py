"""Pods from the traces: openb's arrivals, requests and lives, each pod with the use of a Bitbrains virtual machine,
those with GPUs with the duty of a GenAI pod.

openb names no owners: pods that ask for exactly the same count as one owner's, as in the generator's fit. Parts are
shares of openb's days in order of time, and of the machines by a hash of their names, so that nothing depends on which
days, machines and files a folder holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.traces import bitbrains, genai, openb
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import Arrivals, Float32Array, UsageSeries
from hydatis.simulations.virtual_time.pool import PART_SHARES, Pool, part_of
from hydatis.simulations.virtual_time.scenario import Demand, Part
from hydatis.simulations.virtual_time.workload import BEST_EFFORT, Owner, Usage

FOLDERS = ("openb", "bitbrains_rnd", "alibaba_genai2026")
"""Below HYDATIS_DATA: all that is read."""
_DAY_SECONDS = 86_400
_STEP_SECONDS = 300
"""Bitbrains' own."""
_STEPS_A_DAY = _DAY_SECONDS // _STEP_SECONDS

_Request = tuple[int, int, int, int, str]
"""Millicores, MiB, GPUs, thousandths of each, and quality of service."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The traces of a folder, read once."""

    pods: Arrivals
    machines: tuple[UsageSeries, ...]
    duties: tuple[Float32Array, ...]
    """GPU duty of each GenAI pod that has one, on a regular grid."""

    @classmethod
    def read(cls, folder: DataFolder) -> Self:
        """Read all that is needed. Raises `TraceError`."""
        _, pods = openb.split_initial(openb.read_pods(folder))
        lives = pods.lifetimes_seconds
        duties = (_duty(series) for series in genai.read_usage(folder))
        return cls(
            pods.where(np.isfinite(lives) & (lives > 0)),
            tuple(bitbrains.read_usage(folder)),
            tuple(duty for duty in duties if len(duty)),
        )

    @property
    def name(self) -> str:
        """Tell what it is."""
        return "openb, bitbrains_rnd, alibaba_genai2026"

    def pool(self, part: Part, demand: Demand, seed: int) -> Pool:
        """Return the part's pods, its owners following the part's machines.

        Raises:
            SimulationError: the folder has no pods or no machines of the part.

        """
        random = np.random.default_rng([seed, list(Part).index(part)])
        pods = self._pods_of(part)
        machines = [
            machine
            for machine in self.machines
            if part_of(machine.name) is part
            and _days(machine)
            and float(np.nanmean(machine.values["cpu_percent"])) >= demand.least_use_percent
        ]
        if not len(pods) or not machines:
            missing = "openb pods" if machines else "bitbrains_rnd machines"
            raise SimulationError(f"the {part} part of the traces has no {missing}; choose another part or folder.")
        owner_of_pod, known = _owners_of(pods, demand.owners, random)
        kept = owner_of_pod >= 0
        usage, days = self._usage(machines)
        return Pool(
            owners=known,
            owner_of_pod=owner_of_pod[kept],
            second_of_day=pods.created_seconds[kept] % _DAY_SECONDS,
            lifetime_seconds=pods.lifetimes_seconds[kept],
            series_of_owner=random.integers(len(machines), size=(len(known), demand.series_an_owner)),
            usage=usage,
            days=days,
        )

    def _pods_of(self, part: Part) -> Arrivals:
        days = self.pods.created_seconds // _DAY_SECONDS
        if not len(days):
            return self.pods
        position = (days - days.min()) / (days.max() - days.min() + 1)
        start, end = PART_SHARES[part]
        return self.pods.where((position >= start) & (position < end))

    def _usage(self, machines: Sequence[UsageSeries]) -> tuple[Usage, int]:
        """Lay the machines' series on one grid of whole days; shorter ones repeat."""
        days = max(_days(machine) for machine in machines)
        table = {
            metric: np.stack([np.resize(_on_grid(machine, metric), days * _STEPS_A_DAY) for machine in machines])
            for metric in machines[0].values
        }
        duties = self.duties or (np.zeros(1, dtype=np.float32),)
        longest = max(len(duty) for duty in duties)
        duty = np.stack([np.resize(duties[row % len(duties)], longest) for row in range(len(machines))])
        network = table["network_received_kib_s"] + table["network_sent_kib_s"]
        disk = table["disk_read_kib_s"] + table["disk_write_kib_s"]
        usage = Usage(_STEP_SECONDS, table["cpu_percent"], table["memory_percent"], duty, network, disk)
        return usage, days


def _days(machine: UsageSeries) -> int:
    """How many whole days, from midnight to midnight, a series covers."""
    return max(0, int(machine.times_seconds[-1] // _DAY_SECONDS - np.ceil(machine.times_seconds[0] / _DAY_SECONDS)))


def _on_grid(machine: UsageSeries, metric: str) -> Float32Array:
    """Interpolate a metric over gaps, at even times from the first midnight on."""
    start = np.ceil(machine.times_seconds[0] / _DAY_SECONDS) * _DAY_SECONDS
    grid = start + np.arange(_days(machine) * _STEPS_A_DAY) * _STEP_SECONDS
    return _interpolated(grid, machine.times_seconds, machine.values[metric])


def _duty(series: UsageSeries) -> Float32Array:
    """A GenAI pod's GPU duty at even times; empty when it has none."""
    duty = series.values["gpu_duty_percent"]
    if np.isfinite(duty).sum() < 2:
        return np.zeros(0, dtype=np.float32)
    grid = np.arange(series.times_seconds[0], series.times_seconds[-1], _STEP_SECONDS)
    return _interpolated(grid, series.times_seconds, duty)


def _interpolated(grid: Float64Array, times: Float64Array, values: Float64Array) -> Float32Array:
    known = np.isfinite(values)
    found = np.interp(grid, times[known], values[known]) if known.any() else np.zeros(len(grid))
    return np.maximum(found, 0.0).astype(np.float32)


def _owners_of(pods: Arrivals, count: int, random: np.random.Generator) -> tuple[Int64Array, tuple[Owner, ...]]:
    """Tell pods apart by what they ask for; return each pod's owner, -1 for those of owners left out, and the owners.

    With more kinds than owners wanted the rarest are left out; with fewer, the pods of the most frequent kinds are
    dealt out to several owners, who then ask for the same and use it differently.
    """
    requests = zip(
        pods.cpu_millicores.tolist(),
        pods.memory_mib.tolist(),
        pods.gpus.tolist(),
        pods.gpu_milli.tolist(),
        pods.qos,
        strict=True,
    )
    by_request: dict[_Request, list[int]] = {}
    for number, request in enumerate(requests):
        by_request.setdefault(request, []).append(number)
    kinds = sorted(by_request.items(), key=lambda kind: (-len(kind[1]), kind[0]))[:count]
    several = [1] * len(kinds)
    for _ in range(min(count, len(pods)) - len(kinds)):
        largest = max(range(len(kinds)), key=lambda kind: len(kinds[kind][1]) / several[kind])
        several[largest] += 1
    owner_of_pod = np.full(len(pods), -1, dtype=np.int64)
    owners: list[Owner] = []
    for (request, numbers), number_of_owners in zip(kinds, several, strict=True):
        owner_of_pod[numbers] = len(owners) + random.permutation(len(numbers)) % number_of_owners
        owners += [_owner(len(owners) + one, request) for one in range(number_of_owners)]
    return owner_of_pod, tuple(owners)


def _owner(number: int, request: _Request) -> Owner:
    """A part of a GPU counts as a whole one."""
    cpu_millicores, memory_mib, gpus, _, qos = request
    namespace = "batch" if qos == BEST_EFFORT else "services"
    return Owner(f"owner-{number:04d}", namespace, qos, cpu_millicores, memory_mib, gpus)
