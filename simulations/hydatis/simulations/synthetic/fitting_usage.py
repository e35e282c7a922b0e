"""Fits how pods use what they asked for: the traits of each recorded machine, then the traits' distributions."""

from collections.abc import Sequence

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.synthetic.parameters import GpuUsage, MachineLoad, UsageClass
from hydatis.simulations.synthetic.quantiles import Quantiles, normal_scores
from hydatis.simulations.traces.forms import UsageSeries

_HOUR_SECONDS = 3600
_LEAST_SAMPLES = 288
"""A day of samples each 5 minutes: fewer say nothing about the course of a day."""
_LEAST_MEAN_PERCENT = 0.05
"""Machines that use less are idle: their means count, the course of their use does not."""
_LONGEST_MEMORY_SECONDS = 7 * 86_400


def fit_usage(series: Sequence[UsageSeries]) -> UsageClass:
    """Fit the traits of CPU use, and mean and variation of memory use."""
    long_enough = [one for one in series if len(one) >= _LEAST_SAMPLES]
    means = [float(np.nanmean(one.values["cpu_percent"])) for one in long_enough]
    busy = [one for one, mean in zip(long_enough, means, strict=True) if mean >= _LEAST_MEAN_PERCENT]
    traits = np.array([_traits(one) for one in busy])
    peaks = np.bincount([_peak_hour(one) for one in busy], minlength=24) / len(busy)
    memory = [one.values["memory_percent"] for one in long_enough]
    scores = np.column_stack([normal_scores(traits[:, trait]) for trait in range(traits.shape[1])])
    correlations = np.atleast_2d(np.corrcoef(scores, rowvar=False))
    return UsageClass(
        mean_percent=Quantiles.of(means),
        variation=Quantiles.of(traits[:, 1]),
        daily_amplitude=Quantiles.of(traits[:, 2]),
        slow_share=Quantiles.of(traits[:, 3]),
        slow_seconds=Quantiles.of(traits[:, 4]),
        trait_correlations=tuple(tuple(round(float(value), 3) for value in row) for row in correlations),
        peak_hour_shares=tuple(round(float(share), 4) for share in peaks),
        memory_mean_percent=Quantiles.of([np.nanmean(values) for values in memory]),
        memory_variation=Quantiles.of([_variation(values) for values in memory]),
    )


def fit_gpu_usage(series: Sequence[UsageSeries]) -> GpuUsage:
    """Fit means and variation of GPU duty, and GPU memory, by pod."""
    duty = [one.values["gpu_duty_percent"] for one in series]
    duty = [values for values in duty if np.isfinite(values).any()]
    memory = [one.values["gpu_memory_gib"] for one in series]
    return GpuUsage(
        Quantiles.of([np.nanmean(values) for values in duty]),
        Quantiles.of([_variation(values) for values in duty]),
        Quantiles.of([np.nanmean(values) for values in memory if np.isfinite(values).any()]),
    )


def fit_machine_load(series: Sequence[UsageSeries]) -> MachineLoad:
    """Take mean and high percentiles over all samples of all machines."""
    cpu = np.concatenate([one.values["cpu_percent"] for one in series])
    memory = np.concatenate([one.values["memory_percent"] for one in series])
    p95, p99 = np.nanpercentile(cpu, (95, 99))
    numbers = (float(np.nanmean(cpu)), float(p95), float(p99), float(np.nanmean(memory)))
    return MachineLoad(*(round(number, 2) for number in numbers))


def autocorrelation(values: Float64Array, lag: int) -> float:
    """Return the correlation of values `lag` samples apart; 0 where nothing varies."""
    centred = values - values.mean()
    variance = float((centred**2).mean())
    return float((centred[lag:] * centred[:-lag]).mean() / variance) if variance > 0 else 0.0


def hourly_means(series: UsageSeries) -> Float64Array:
    """Return the mean CPU use by hour of the day; the overall mean for hours without samples."""
    hours = (series.times_seconds // _HOUR_SECONDS % 24).astype(np.int64)
    cpu = series.values["cpu_percent"]
    counts = np.bincount(hours, minlength=24)
    sums = np.bincount(hours, cpu, minlength=24)
    return np.where(counts > 0, sums / np.maximum(counts, 1), cpu.mean())


def _traits(series: UsageSeries) -> tuple[float, float, float, float, float]:
    """Return mean, variation, daily amplitude, slow share and slow seconds of one machine.

    The autocorrelations after one sample and after an hour give the slow part: w exp(-lag / t) for both lags.
    """
    cpu = series.values["cpu_percent"]
    mean = float(cpu.mean())
    by_hour = hourly_means(series) / mean
    hours = (series.times_seconds // _HOUR_SECONDS % 24).astype(np.int64)
    rest = cpu / np.maximum(by_hour[hours], 0.01)
    step = float(np.median(np.diff(series.times_seconds)))
    lag = max(2, round(_HOUR_SECONDS / step))
    near = float(np.clip(autocorrelation(rest, 1), 0.0, 0.999))
    far = float(np.clip(autocorrelation(rest, lag), 0.0, 0.999))
    if near <= 0:
        return mean, _variation(rest), float(by_hour.std()), 0.0, step
    if far <= 0:
        return mean, _variation(rest), float(by_hour.std()), near, step
    seconds = (lag - 1) * step / np.log(near / far) if near > far else _LONGEST_MEMORY_SECONDS
    seconds = float(min(seconds, _LONGEST_MEMORY_SECONDS))
    return mean, _variation(rest), float(by_hour.std()), min(1.0, near * float(np.exp(step / seconds))), seconds


def _peak_hour(series: UsageSeries) -> int:
    """Return the hour at which a cosine of one day fits best."""
    angle = np.angle(np.fft.fft(hourly_means(series))[1])
    return round(float(-angle) / (2 * np.pi) * 24) % 24


def _variation(values: Float64Array) -> float:
    mean = float(np.nanmean(values))
    return float(np.nanstd(values)) / mean if mean > 0 else 0.0
