"""When pods come, whose they are and how long they live."""

from collections.abc import Sequence

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.synthetic.owners import Owner
from hydatis.simulations.synthetic.parameters import Parameters
from hydatis.simulations.synthetic.quantiles import uniform_of
from hydatis.simulations.traces.forms import Arrivals

_HOUR_SECONDS = 3600
_DAY_SECONDS = 24 * _HOUR_SECONDS
_LONGEST_SECONDS = 90 * _DAY_SECONDS
"""Lives are cut here: beyond the span of any trace the tail is a guess."""


def draw_arrivals(
    parameters: Parameters,
    owners: Sequence[Owner],
    days: float,
    random: np.random.Generator,
    *,
    per_day: float | None = None,
) -> Arrivals:
    """Draw the pods that arrive in `days` days, in order of time; `per_day` changes how many.

    A pod counts as placed when it is created, so that its lifetime begins there: how long it really waits is up to
    the scheduler.
    """
    created = _times(parameters, days, per_day or parameters.arrival_rate.per_day, random)
    chosen = random.choice(len(owners), size=len(created), p=[owner.weight for owner in owners])
    of = [owners[number] for number in chosen.tolist()]
    lifetimes = _lifetimes(parameters, of, random)
    absent = np.full(len(of), np.nan)
    return Arrivals(
        names=tuple(f"{owner.name}-{number:06d}" for number, owner in enumerate(of)),
        owners=tuple(owner.name for owner in of),
        qos=tuple(owner.qos for owner in of),
        cpu_millicores=np.array([owner.cpu_millicores for owner in of], dtype=np.int64),
        memory_mib=np.array([owner.memory_mib for owner in of], dtype=np.int64),
        gpus=np.array([owner.gpus for owner in of], dtype=np.int64),
        gpu_milli=np.array([owner.gpu_milli for owner in of], dtype=np.int64),
        gpu_models=((),) * len(of),
        disk_gib=absent,
        nic_percent=absent,
        most_per_node=np.zeros(len(of), dtype=np.int64),
        created_seconds=created,
        scheduled_seconds=created,
        deleted_seconds=created + lifetimes,
    )


def hourly_rates(parameters: Parameters, hours: int, per_day: float, random: np.random.Generator) -> Float64Array:
    """Draw how many pods are expected in each hour: the profiles times a variation that persists."""
    rate = parameters.arrival_rate
    numbers = np.arange(hours)
    expected = per_day / 24 * np.array(rate.hour_profile)[numbers % 24]
    expected = expected * np.array(rate.weekday_profile)[numbers // 24 % 7]
    spread = np.sqrt(np.log1p(rate.dispersion))
    score, scores = random.standard_normal(), np.empty(hours)
    for hour in range(hours):
        scores[hour] = score
        score = rate.persistence * score + np.sqrt(1 - rate.persistence**2) * random.standard_normal()
    return np.asarray(expected * np.exp(spread * scores - spread**2 / 2), dtype=np.float64)


def _times(parameters: Parameters, days: float, per_day: float, random: np.random.Generator) -> Float64Array:
    hours = int(np.ceil(days * 24))
    counts = random.poisson(hourly_rates(parameters, hours, per_day, random))
    starts = np.repeat(np.arange(hours) * _HOUR_SECONDS, counts)
    times = np.sort(starts + random.uniform(0, _HOUR_SECONDS, len(starts)))
    return np.asarray(times[times < days * _DAY_SECONDS], dtype=np.float64)


def _lifetimes(parameters: Parameters, of: Sequence[Owner], random: np.random.Generator) -> Float64Array:
    """Draw from the kind's distribution, alike for pods of one owner."""
    together = parameters.owners.lifetime_correlation
    shared = np.array([owner.lifetime_score for owner in of])
    scores = np.sqrt(together) * shared + np.sqrt(1 - together) * random.standard_normal(len(of))
    levels = uniform_of(scores)
    lifetimes = np.empty(len(of))
    for kind in parameters.kinds:
        those = np.array([owner.kind is kind for owner in of], dtype=np.bool_)
        lifetimes[those] = kind.lifetime_seconds.at(levels[those])
    return np.clip(lifetimes, 1, _LONGEST_SECONDS)
