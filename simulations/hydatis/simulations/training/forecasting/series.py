"""The CPU use of machines as evenly spaced samples: what forecasts are made from."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array
from hydatis.simulations.synthetic.owners import draw_owners
from hydatis.simulations.synthetic.parameters import Parameters
from hydatis.simulations.synthetic.usage import draw_cpu_percent
from hydatis.simulations.traces.bitbrains import read_usage
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import UsageSeries

STEP_SECONDS = 300.0
"""Between two samples; each is the mean of what was measured in its five minutes."""
SAMPLES_AN_HOUR = 12
SAMPLES_A_DAY = 288
_CPU = "cpu_percent"
_MADE_UP_MACHINES = 8
_MADE_UP_DAYS = 6
_MADE_UP_PODS = 4


@dataclass(frozen=True, slots=True)
class LoadSeries:
    """One machine."""

    name: str
    start_seconds: float
    """When the first sample begins; seconds since a midnight."""
    cpu_percent: Float64Array
    """(samples,) Of what the machine has. A gap holds the last value before it, the first values at the beginning."""
    known: BoolArray
    """(samples,) False within gaps."""

    def __len__(self) -> int:
        return len(self.cpu_percent)

    def until(self, end: int) -> "LoadSeries":
        """Return the samples before `end`."""
        return LoadSeries(self.name, self.start_seconds, self.cpu_percent[:end], self.known[:end])


def read_series(folder: DataFolder | None, seed: int) -> list[LoadSeries]:
    """Read the machines of Bitbrains; make some up by `seed` without a folder.

    Raises:
        TraceError: the files are missing or cannot be read.

    """
    return made_up_series(seed) if folder is None else list(even_series(read_usage(folder)))


def even_series(machines: Iterable[UsageSeries]) -> Iterable[LoadSeries]:
    """Give each machine's CPU use on a grid of five minutes; those without a sample are left out."""
    for machine in machines:
        measured = ~np.isnan(machine.values[_CPU])
        if not measured.any():
            continue
        times, values = machine.times_seconds[measured], machine.values[_CPU][measured]
        places = (times // STEP_SECONDS).astype(np.int64)
        first = int(places[0])
        counts = np.bincount(places - first)
        sums = np.bincount(places - first, weights=values)
        known = counts > 0
        last_known = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))
        means = sums / np.maximum(counts, 1)
        yield LoadSeries(machine.name, first * STEP_SECONDS, means[last_known], known)


def made_up_series(seed: int) -> list[LoadSeries]:
    """Draw 8 machines over 6 days, each with the pods of a few owners of the generator of workloads."""
    random = np.random.default_rng([seed, 0])
    times = STEP_SECONDS * np.arange(_MADE_UP_DAYS * SAMPLES_A_DAY, dtype=np.float64)
    known = np.ones(len(times), dtype=np.bool_)
    found = []
    for number in range(1, _MADE_UP_MACHINES + 1):
        owners = draw_owners(Parameters.shipped(), _MADE_UP_PODS, random)
        cpu = draw_cpu_percent(owners, times, random).mean(axis=0)
        found.append(LoadSeries(f"synthetic-{number}", 0.0, cpu, known))
    return found
