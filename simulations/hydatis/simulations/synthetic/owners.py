"""Owners: those who make pods. All pods of an owner ask for the same, and use it in a way of the owner's own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.synthetic.parameters import Parameters, RequestKind
from hydatis.simulations.synthetic.quantiles import uniform_of
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI

_CPU_STEP_MILLICORES = 100
_MEMORY_STEP_MIB = 64
_GPU_STEP_MILLI = 10
_STEEPEST_DAY = 0.7
"""Largest daily amplitude: above, the cosine of the day would go below nothing."""


@dataclass(frozen=True, slots=True)
class UsageTraits:
    """How an owner's pods use what they asked for; the meaning of each is told in `parameters.UsageClass`."""

    mean_percent: float
    """Mean CPU use, percent of the request."""
    variation: float
    daily_amplitude: float
    slow_share: float
    slow_seconds: float
    peak_hour: int
    memory_mean_percent: float
    memory_variation: float
    gpu_duty_percent: float
    """0 without a GPU."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner, such as a Deployment or a Job template."""

    name: str
    weight: float
    """Share of all pods."""
    kind: RequestKind
    qos: str
    cpu_millicores: int
    memory_mib: int
    gpus: int
    gpu_milli: int
    lifetime_score: float
    """Standard normal: where the owner's lifetimes lie among all of its kind."""
    usage: UsageTraits


def draw_owners(parameters: Parameters, count: int, random: np.random.Generator) -> list[Owner]:
    """Draw `count` owners; their weights add up to 1."""
    ranks = np.arange(1, count + 1)
    weights = _shares(ranks**-parameters.owners.popularity_exponent)
    kinds = _kinds(parameters.kinds, weights, random)
    usage = _usage(parameters, kinds, random)
    scores = random.standard_normal(count)
    owners = []
    for number, kind in enumerate(kinds):
        qos = "BE" if random.random() < kind.best_effort_share else "LS"
        request = _request(kind, random)
        weight, score = float(weights[number]), float(scores[number])
        owners.append(Owner(f"owner-{number:04d}", weight, kind, qos, *request, score, usage[number]))
    return owners


def _kinds(kinds: Sequence[RequestKind], weights: Float64Array, random: np.random.Generator) -> list[RequestKind]:
    """Give each owner, the largest first, the kind that is furthest behind its share of the pods.

    Drawn independently, the kind of the one largest owner would decide what the workload is like.
    """
    missing = np.array([kind.share for kind in kinds])
    chosen = []
    for weight in weights.tolist():
        # A little chance, so that the largest owner is not always of the most frequent kind.
        number = int(np.argmax(missing * random.uniform(0.5, 1.5, len(kinds))))
        missing[number] -= weight
        missing = np.maximum(missing, 1e-9)
        chosen.append(kinds[number])
    return chosen


def _request(kind: RequestKind, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw millicores, MiB, GPUs and thousandths of each."""
    cpu = _stepped(kind.cpu_millicores.at(random.random()), _CPU_STEP_MILLICORES)
    memory = _stepped(kind.memory_mib_per_core.at(random.random()) * cpu / 1000, _MEMORY_STEP_MIB)
    counts, shares = zip(*kind.gpu_counts, strict=True)
    gpus = int(random.choice(counts, p=_shares(shares)))
    level = random.random()
    if not gpus:
        return cpu, memory, 0, 0
    milli = min(WHOLE_GPU_MILLI, _stepped(kind.gpu_milli.at(level), _GPU_STEP_MILLI))
    return cpu, memory, gpus, milli if gpus == 1 else WHOLE_GPU_MILLI


def _usage(parameters: Parameters, kinds: Sequence[RequestKind], random: np.random.Generator) -> list[UsageTraits]:
    """Draw each owner's traits; only the first five are correlated."""
    count = len(kinds)
    mean, variation, amplitude, slow_share, slow_seconds = _correlated_traits(parameters, count, random).T.tolist()
    peaks = random.choice(24, size=count, p=_shares(parameters.usage.peak_hour_shares)).tolist()
    memory = parameters.usage.memory_mean_percent.at(random.random(count)).tolist()
    memory_variation = parameters.usage.memory_variation.at(random.random(count)).tolist()
    has_gpu = np.array([kind.gpu_counts[0][0] > 0 for kind in kinds])
    duty = (parameters.gpu_usage.duty_mean_percent.at(random.random(count)) * has_gpu).tolist()
    columns = (mean, variation, amplitude, slow_share, slow_seconds, peaks, memory, memory_variation, duty)
    return [UsageTraits(*traits) for traits in zip(*columns, strict=True)]


def _correlated_traits(parameters: Parameters, count: int, random: np.random.Generator) -> Float64Array:
    """Draw the traits of CPU use other than its peak, one row an owner."""
    usage = parameters.usage
    scores = random.multivariate_normal(np.zeros(5), np.array(usage.trait_correlations), size=count, method="eigh")
    levels = uniform_of(scores)
    distributions = (usage.mean_percent, usage.variation, usage.daily_amplitude, usage.slow_share, usage.slow_seconds)
    traits = np.column_stack([distribution.at(levels[:, trait]) for trait, distribution in enumerate(distributions)])
    traits[:, 2] = np.minimum(traits[:, 2], _STEEPEST_DAY)
    return traits


def _shares(shares: ArrayLike) -> Float64Array:
    """Make shares add up to 1."""
    exact = np.asarray(shares, dtype=np.float64)
    return np.asarray(exact / exact.sum(), dtype=np.float64)


def _stepped(value: Float64Array | float, step: int) -> int:
    return max(step, round(float(value) / step) * step)
