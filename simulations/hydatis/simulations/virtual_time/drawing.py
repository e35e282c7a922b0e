"""Draws a scenario's workload from a pool of pods.

Called once a seed; every policy then gets the same workload. What is drawn is rounded (times to milliseconds, use to
hundredths of a percent), so that the last bits of one machine's logarithms and exponentials make no other workload than
another's.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.dealing import Owned, dealt_out
from hydatis.simulations.virtual_time.machines import Machines
from hydatis.simulations.virtual_time.pool import Pool, Source
from hydatis.simulations.virtual_time.scenario import Demand, Scenario
from hydatis.simulations.virtual_time.workload import Owner, Usage, Workload

_DAY_SECONDS = 86_400
_TIME_DECIMALS = 3
_USE_DECIMALS = 2
_CPU_STEP_MILLICORES = 10
_MEMORY_STEP_MIB = 16
_BATCH = 20_000
"""Candidates drawn at a time."""
_MOST_BATCHES = 1_000
_BISECTIONS = 40
_FACTORS = (1e-4, 1e4)
"""Between these a factor is looked for."""
_STREAM = 7_001
"""Tells the generator of drawing from those of runs with the same seed."""


def draw_workload(scenario: Scenario, source: Source, seed: int) -> Workload:
    """Draw the pods that are there at the beginning and those that come, so many that the load is the scenario's.

    Raises:
        SimulationError: no pod of the part fits on any node, or the load cannot be reached.

    """
    demand = scenario.demand
    random = np.random.default_rng([seed, _STREAM])
    pool = source.pool(scenario.part, demand, seed)
    machines = Machines(scenario.nodes)
    owners = tuple(_scaled(owner, demand) for owner in pool.owners)
    fitting = np.array([_fits(owner, machines) for owner in owners], dtype=np.bool_)
    eligible = np.flatnonzero(fitting[pool.owner_of_pod])
    if not len(eligible):
        raise SimulationError(f"no pod of {source.name} fits on a node of {scenario.name}; lower request_factor.")
    offer = _Offer.of(machines, owners, scenario.length_seconds)
    if demand.arrivals_a_second is None:
        drawn = _as_many_as_the_load_takes(pool, eligible, offer, scenario, random)
    else:
        drawn = _at_a_rate(pool, eligible, offer, scenario, random, rate=demand.arrivals_a_second)
    drawn = drawn.where(offer.overlap(drawn) > 0).sorted()
    return _workload(scenario, pool, owners, drawn, offer.overlap(drawn), random=random)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Pods that may come; times before 0 are of pods that are there at the beginning if they live so long."""

    owner: Int64Array
    created: Float64Array
    life: Float64Array

    def where(self, chosen: BoolArray) -> Self:
        return type(self)(self.owner[chosen], self.created[chosen], self.life[chosen])

    def sorted(self) -> Self:
        order = np.argsort(self.created, kind="stable")
        return type(self)(self.owner[order], self.created[order], self.life[order])

    def __add__(self, other: Self) -> Self:
        return type(self)(
            np.concatenate([self.owner, other.owner]),
            np.concatenate([self.created, other.created]),
            np.concatenate([self.life, other.life]),
        )


@dataclass(frozen=True, slots=True)
class _Offer:
    """What nodes offer over a run, and what owners' pods take of it."""

    length_seconds: float
    share_a_second: Float64Array
    """(owners, resources) the share of what is offered over the whole run that one pod takes in a second."""

    @classmethod
    def of(cls, machines: Machines, owners: tuple[Owner, ...], length_seconds: float) -> Self:
        offered = [
            float(amounts[machines.untainted].sum())
            for amounts in (machines.cpu_millicores, machines.memory_mib, machines.gpus)
        ]
        asked = np.array([(one.cpu_millicores, one.memory_mib, one.gpus) for one in owners], dtype=np.float64)
        shares = np.divide(asked, offered, out=np.zeros_like(asked), where=np.array(offered) > 0)
        return cls(length_seconds, shares / length_seconds)

    def overlap(self, drawn: _Drawn) -> Float64Array:
        """Return how many seconds of the run each pod would run, placed at once."""
        ends = np.minimum(drawn.created + drawn.life, self.length_seconds)
        return np.asarray(np.maximum(ends - np.maximum(drawn.created, 0.0), 0.0), dtype=np.float64)

    def taken(self, drawn: _Drawn) -> Float64Array:
        """Return (pods, resources) shares of the whole."""
        return np.asarray(self.share_a_second[drawn.owner] * self.overlap(drawn)[:, np.newaxis], dtype=np.float64)


def _scaled(owner: Owner, demand: Demand) -> Owner:
    factor = demand.request_factor
    return replace(
        owner,
        cpu_millicores=_stepped(owner.cpu_millicores * factor, _CPU_STEP_MILLICORES),
        memory_mib=_stepped(owner.memory_mib * factor, _MEMORY_STEP_MIB),
        gpus=owner.gpus if demand.with_gpus else 0,
    )


def _stepped(amount: float, step: int) -> int:
    return max(step, round(amount / step) * step)


def _fits(owner: Owner, machines: Machines) -> bool:
    fitting = (machines.cpu_millicores >= owner.cpu_millicores) & (machines.memory_mib >= owner.memory_mib)
    return bool((fitting & (machines.gpus >= owner.gpus) & machines.untainted).any())


def _as_many_as_the_load_takes(
    pool: Pool, eligible: Int64Array, offer: _Offer, scenario: Scenario, random: np.random.Generator
) -> _Drawn:
    drawn: _Drawn | None = None
    taken = np.zeros(0)
    for _ in range(_MOST_BATCHES):
        batch = _candidates(_BATCH, pool, eligible, scenario, random)
        before = taken[-1] if len(taken) else np.zeros(offer.share_a_second.shape[1])
        sums = np.cumsum(offer.taken(batch), axis=0) + before
        drawn = batch if drawn is None else drawn + batch
        taken = sums if not len(taken) else np.concatenate([taken, sums])
        enough = np.flatnonzero(taken.max(axis=1) >= scenario.demand.load)
        if len(enough):
            return drawn.where(np.arange(len(drawn.owner)) <= enough[0])
    raise SimulationError(
        f"{scenario.name} has room for more pods than can be drawn in reasonable time; raise request_factor."
    )


def _at_a_rate(
    pool: Pool, eligible: Int64Array, offer: _Offer, scenario: Scenario, random: np.random.Generator, *, rate: float
) -> _Drawn:
    """Draw so many pods, and scale their lives until the load is the scenario's."""
    demand = scenario.demand
    drawn = _candidates(round(rate * _DAY_SECONDS * _days(scenario)), pool, eligible, scenario, random)

    def load(factor: float) -> float:
        lives = np.minimum(drawn.life * factor, demand.longest_life_seconds)
        return float(offer.taken(replace(drawn, life=lives)).sum(axis=0).max())

    factor = _factor(load, demand.load)
    lives = np.minimum(drawn.life * factor, demand.longest_life_seconds)
    return replace(drawn, life=np.maximum(np.round(lives, _TIME_DECIMALS), 10.0**-_TIME_DECIMALS))


def _candidates(
    count: int, pool: Pool, eligible: Int64Array, scenario: Scenario, random: np.random.Generator
) -> _Drawn:
    """Draw pods with their time of day, on any day of the run or of the time before it from which pods may be left."""
    demand = scenario.demand
    chosen = eligible[random.integers(len(eligible), size=count)]
    before = _days_before(scenario)
    days = random.integers(-before, _days(scenario) - before, size=count)
    jitter = random.uniform(-demand.jitter_seconds, demand.jitter_seconds, size=count)
    created = np.round(days * _DAY_SECONDS + pool.second_of_day[chosen] + jitter, _TIME_DECIMALS)
    lives = np.round(np.minimum(pool.lifetime_seconds[chosen], demand.longest_life_seconds), _TIME_DECIMALS)
    return _Drawn(pool.owner_of_pod[chosen], created, np.maximum(lives, 10.0**-_TIME_DECIMALS))


def _days_before(scenario: Scenario) -> int:
    return int(np.ceil(scenario.demand.longest_life_seconds / _DAY_SECONDS))


def _days(scenario: Scenario) -> int:
    return _days_before(scenario) + int(np.ceil(scenario.length_seconds / _DAY_SECONDS))


def _workload(
    scenario: Scenario,
    pool: Pool,
    owners: tuple[Owner, ...],
    drawn: _Drawn,
    seconds: Float64Array,
    *,
    random: np.random.Generator,
) -> Workload:
    """Turn what was drawn, in order of time, into a workload; `seconds` is how long each pod runs during the run."""
    demand, count = scenario.demand, len(drawn.owner)
    cpu = _cpu(owners)[drawn.owner]
    owned = dealt_out(
        Owned(owners, drawn.owner, pool.series_of_owner),
        seconds * cpu,
        demand.largest_owner_percent,
        len(pool.usage),
        random,
    )
    initial = drawn.created < 0
    created = np.maximum(drawn.created, 0.0)
    life = np.where(initial, drawn.created + drawn.life, drawn.life)
    patience = np.full(count, np.inf)
    if np.isfinite(demand.patience_seconds):
        patience = np.round(random.exponential(demand.patience_seconds, size=count), _TIME_DECIMALS)
    which = random.integers(pool.series_of_owner.shape[1], size=count)
    series = owned.series_of_owner[owned.owner_of_pod, which]
    # All pods of an owner are on the same day of their series: they are alike at the same time.
    day_of_owner = random.integers(pool.days, size=len(owned.owners))
    jitter = np.round(random.uniform(0.0, demand.jitter_seconds, size=count), _TIME_DECIMALS)
    used, rows = np.unique(series, return_inverse=True)
    weights = np.zeros(len(used))
    np.add.at(weights, rows, seconds * cpu)
    return Workload(
        owners=owned.owners,
        owner_of_pod=owned.owner_of_pod,
        created_seconds=created,
        lifetime_seconds=np.maximum(np.round(life, _TIME_DECIMALS), 10.0**-_TIME_DECIMALS),
        patience_seconds=np.where(initial, np.inf, patience),
        initial=initial,
        series=rows.astype(np.int64).reshape(count),
        offset_seconds=day_of_owner[owned.owner_of_pod] * float(_DAY_SECONDS) + jitter,
        usage=_scaled_usage(pool.usage, used, weights, demand),
    )


def _cpu(owners: tuple[Owner, ...]) -> Float64Array:
    return np.array([owner.cpu_millicores for owner in owners], dtype=np.float64)


def _scaled_usage(usage: Usage, rows: Int64Array, weights: Float64Array, demand: Demand) -> Usage:
    """Keep the rows that are followed, and scale CPU and memory to the means that are assumed."""
    cpu = usage.cpu_percent[rows].astype(np.float64)
    means = np.maximum(cpu.mean(axis=1), demand.least_use_percent)
    cpu *= (means ** (demand.use_skew - 1.0))[:, np.newaxis]
    floor = demand.memory_floor_percent
    memory = floor + (100.0 - floor) * usage.memory_percent[rows].astype(np.float64) / 100.0
    return Usage(
        step_seconds=usage.step_seconds,
        cpu_percent=_with_mean(cpu, weights, demand.cpu_use_percent, demand.most_cpu_percent),
        memory_percent=_with_mean(memory, weights, demand.memory_use_percent, demand.most_memory_percent),
        gpu_percent=usage.gpu_percent[rows],
        network_kib_s=usage.network_kib_s[rows],
        disk_kib_s=usage.disk_kib_s[rows],
    )


def _with_mean(table: Float64Array, weights: Float64Array, mean: float, most: float) -> Float32Array:
    """Multiply all series by one factor so that their weighted mean is `mean`, none exceeding `most`."""

    def mean_with(factor: float) -> float:
        means = np.minimum(table * factor, most).mean(axis=1)
        return float((means * weights).sum() / weights.sum())

    factor = _factor(mean_with, mean)
    return np.round(np.minimum(table * factor, most), _USE_DECIMALS).astype(np.float32)


def _factor(rising: Callable[[float], float], wanted: float) -> float:
    """Return the factor at which a rising function has a value, to six digits."""
    low, high = _FACTORS
    for _ in range(_BISECTIONS):
        middle = float(np.sqrt(low * high))
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return float(f"{high:.6g}")
