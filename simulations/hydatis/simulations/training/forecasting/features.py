"""What a forecast sees at one time of one machine: its CPU use up to then, and nothing else but the time of day.

Levels are differences from the last sample, so that what is learnt on one machine is true of others. Nothing tells the
machine or the date. Nothing looks ahead: a change of what comes later changes no feature (tested).

The seasons: what the same time of earlier days and hours was followed by.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.training.forecasting.series import (
    SAMPLES_A_DAY,
    SAMPLES_AN_HOUR,
    STEP_SECONDS,
    LoadSeries,
)

LEAST_SAMPLES = SAMPLES_A_DAY
"""Samples up to a time, itself included, from which on there are features for it."""
LAST = "last"
"""The column that holds the last sample itself, percent."""
_DAYS = 7
_LAGS = (*range(1, 13), 15, 18, 24)
_MEANS = (3, 6, 12, 24, 36, 72, 144, 288, 864, 2016)
_STEPS = (3, 12, 72, 288)
_DEVIATIONS = (12, 72, 288)
_QUANTILES = {6: (50,), 12: (0, 50, 100), 36: (0, 25, 50, 75, 100), 288: (0, 10, 25, 50, 75, 90, 95, 100)}
_AUTOCORRELATIONS = (1, 3, 12, 36, 144)
_TINY = 1e-9


def feature_table(series: LoadSeries, times: Int64Array, horizon: int) -> tuple[tuple[str, ...], Float32Array]:
    """Return the columns' names and (times, features) for forecasts of the `horizon` samples after each of `times`,
    which are numbers of samples, at least `LEAST_SAMPLES` - 1. What needs more past than there is is NaN.
    """
    cpu = series.cpu_percent
    last = cpu[times]
    columns = _lags(series, times)
    for length in _MEANS:
        columns[f"mean_{length}"] = recent_mean(cpu, length)[times] - last
    moved = np.abs(np.diff(cpu, prepend=cpu[0]))
    for length in _STEPS:
        columns[f"step_{length}"] = recent_mean(moved, length)[times]
    for length in _DEVIATIONS:
        variance = recent_mean(cpu**2, length) - recent_mean(cpu, length) ** 2
        columns[f"deviation_{length}"] = np.sqrt(np.maximum(variance, 0.0))[times]
    for length, levels in _QUANTILES.items():
        ordered = np.sort(_windows(cpu, times, length), axis=1)
        for level in levels:
            columns[f"quantile_{length}_{level}"] = _percentile(ordered, level) - last
    day = _windows(cpu, times, SAMPLES_A_DAY)
    columns["rank"] = (day <= last[:, np.newaxis]).mean(axis=1)
    around = day - day.mean(axis=1, keepdims=True)
    variance = (around**2).sum(axis=1) + _TINY
    for lag in _AUTOCORRELATIONS:
        columns[f"autocorrelation_{lag}"] = (around[:, lag:] * around[:, :-lag]).sum(axis=1) / variance
    columns |= _seasons(cpu, times, horizon)
    minutes = (series.start_seconds + STEP_SECONDS * times) / 60.0 % 60.0
    columns["minute"] = np.asarray(minutes, dtype=np.float64)
    columns["history"] = np.minimum(times, _DAYS * SAMPLES_A_DAY).astype(np.float64)
    return _table(columns)


def lag_table(series: LoadSeries, times: Int64Array, horizon: int) -> tuple[tuple[str, ...], Float32Array]:
    """Return of `feature_table` the last sample, those of the two hours before it and the time of day alone."""
    return _table(_lags(series, times))


def feature_names(horizon: int) -> tuple[str, ...]:
    """Return the columns' names alone."""
    one_day = np.zeros(LEAST_SAMPLES)
    series = LoadSeries("", 0.0, one_day, one_day == 0)
    return feature_table(series, np.array([LEAST_SAMPLES - 1]), horizon)[0]


def recent_mean(values: Float64Array, length: int) -> Float64Array:
    """(samples,) The mean of each sample and those right before it, `length` of them or as many as there are."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - length, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))


def coming_mean(values: Float64Array, horizon: int) -> Float64Array:
    """(samples,) The mean of the `horizon` samples after each; NaN where they are not all there."""
    found = np.full(len(values), np.nan)
    if len(values) > horizon:
        sums = np.concatenate([[0.0], np.cumsum(values)])
        found[:-horizon] = (sums[horizon + 1 :] - sums[1:-horizon]) / horizon
    return found


def earlier(values: Float64Array, times: Int64Array, samples: int) -> Float64Array:
    """(times,) The value so many samples before each time; NaN where there was none."""
    places = times - samples
    return np.where(places >= 0, values[np.maximum(places, 0)], np.nan)


def _lags(series: LoadSeries, times: Int64Array) -> dict[str, Float64Array]:
    last = series.cpu_percent[times]
    columns: dict[str, Float64Array] = {LAST: last}
    for lag in _LAGS:
        columns[f"lag_{lag}"] = series.cpu_percent[times - lag] - last
    angle = 2 * np.pi * ((series.start_seconds + STEP_SECONDS * times) / 86_400.0 % 1.0)
    return {**columns, "hour_sine": np.sin(angle), "hour_cosine": np.cos(angle)}


def _table(columns: dict[str, Float64Array]) -> tuple[tuple[str, ...], Float32Array]:
    return tuple(columns), np.column_stack([column.astype(np.float32) for column in columns.values()])


def _seasons(cpu: Float64Array, times: Int64Array, horizon: int) -> dict[str, Float64Array]:
    """Return what followed the same time of earlier days, and of earlier hours; as a level and as a change."""
    last, followed, hour = cpu[times], coming_mean(cpu, horizon), recent_mean(cpu, SAMPLES_AN_HOUR)
    days = [SAMPLES_A_DAY * day for day in range(1, _DAYS + 1)]
    levels = np.stack([earlier(followed, times, ago) for ago in days]) - last
    changes = np.stack([earlier(followed - cpu, times, ago) for ago in days])
    from_hour = np.stack([earlier(followed - hour, times, ago) for ago in days])
    columns = {
        "yesterday": levels[0],
        "two_days_ago": levels[1],
        "week_ago": levels[6],
        "days_median_3": _median(levels[:3]),
        "days_median_7": _median(levels),
        "days_mean_7": _mean(levels),
        "yesterday_change": changes[0],
        "days_change_median_3": _median(changes[:3]),
        "days_change_median_7": _median(changes),
        "days_change_mean_7": _mean(changes),
        "days_change_of_hour_median_7": _median(from_hour),
    }
    if horizon < SAMPLES_AN_HOUR:
        hours = [SAMPLES_AN_HOUR * number for number in range(1, 25)]
        levels = np.stack([earlier(followed, times, ago) for ago in hours]) - last
        changes = np.stack([earlier(followed - cpu, times, ago) for ago in hours])
        columns |= {
            "hour_ago": levels[0],
            "hours_median_6": _median(levels[:6]),
            "hours_median_24": _median(levels),
            "hours_change_median_24": _median(changes),
        }
    return columns


def _windows(values: Float64Array, times: Int64Array, length: int) -> Float64Array:
    """(times, length) The samples up to each time."""
    return np.asarray(sliding_window_view(values, length)[times - length + 1])


def _percentile(ordered: Float64Array, level: int) -> Float64Array:
    """(rows,) Of rows in order; between two values in proportion."""
    place = level / 100 * (ordered.shape[1] - 1)
    below = int(place)
    above = min(below + 1, ordered.shape[1] - 1)
    return np.asarray(ordered[:, below] + (place - below) * (ordered[:, above] - ordered[:, below]))


def _median(rows: Float64Array) -> Float64Array:
    """Return the median by column of the values that are there; sorting puts NaN last."""
    ordered = np.sort(rows, axis=0)
    count = (~np.isnan(rows)).sum(axis=0)
    columns = np.arange(rows.shape[1])
    low, high = ordered[np.maximum(count - 1, 0) // 2, columns], ordered[count // 2, columns]
    return np.where(count > 0, (low + high) / 2, np.nan)


def _mean(rows: Float64Array) -> Float64Array:
    there = ~np.isnan(rows)
    count = there.sum(axis=0)
    return np.where(count > 0, np.where(there, rows, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
