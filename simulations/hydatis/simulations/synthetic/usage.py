"""What pods use over time: their owner's mean and daily profile, times a variation part of which persists."""

from collections.abc import Sequence

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.synthetic.owners import Owner

_MOST_PERCENT = 100.0
"""A limit holds a pod here; virtual machines reach a little more."""


def draw_cpu_percent(owners: Sequence[Owner], times_seconds: Float64Array, random: np.random.Generator) -> Float64Array:
    """Draw the CPU use of one pod of each of `owners` (the same owner may come again), in percent of its request.

    `times_seconds` is evenly spaced, at least two times; the result has shape (pods, times).
    """
    step = float(times_seconds[1] - times_seconds[0])
    mean, variation, slow_share, slow_seconds = (
        np.array([getattr(owner.usage, trait) for owner in owners])
        for trait in ("mean_percent", "variation", "slow_share", "slow_seconds")
    )
    spread = np.sqrt(np.log1p(variation**2))
    slow_share = np.clip(slow_share, 0, 1)
    keeps = np.exp(-step / np.maximum(slow_seconds, 1.0))
    renews = np.sqrt(1 - keeps**2)
    slow = random.standard_normal(len(owners))
    scores = np.empty((len(owners), len(times_seconds)))
    for position in range(len(times_seconds)):
        fast = random.standard_normal(len(owners))
        scores[:, position] = np.sqrt(slow_share) * slow + np.sqrt(1 - slow_share) * fast
        slow = keeps * slow + renews * random.standard_normal(len(owners))
    around = np.exp(spread[:, np.newaxis] * scores - spread[:, np.newaxis] ** 2 / 2)
    percent = mean[:, np.newaxis] * daily_profiles(owners, times_seconds) * around
    return np.asarray(np.minimum(percent, _MOST_PERCENT), dtype=np.float64)


def draw_memory_percent(owners: Sequence[Owner], random: np.random.Generator) -> Float64Array:
    """Draw the memory use of one pod of each of `owners`, steady over its life, in percent of its request."""
    mean = np.array([owner.usage.memory_mean_percent for owner in owners])
    spread = np.sqrt(np.log1p(np.array([owner.usage.memory_variation for owner in owners]) ** 2))
    factors = np.exp(spread * random.standard_normal(len(owners)) - spread**2 / 2)
    return np.asarray(np.minimum(mean * factors, _MOST_PERCENT), dtype=np.float64)


def daily_profiles(owners: Sequence[Owner], times_seconds: Float64Array) -> Float64Array:
    """Return each owner's factor at each time, mean 1 over a day."""
    amplitude = np.array([owner.usage.daily_amplitude for owner in owners])[:, np.newaxis]
    peak = np.array([owner.usage.peak_hour for owner in owners])[:, np.newaxis] + 0.5
    hours = (times_seconds / 3600 % 24)[np.newaxis, :]
    return np.asarray(1 + np.sqrt(2) * amplitude * np.cos(2 * np.pi * (hours - peak) / 24), dtype=np.float64)
