"""Cuts long tables into one usage series for each machine, virtual machine or pod."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.traces.forms import UsageSeries


@dataclass(frozen=True, slots=True)
class Capacity:
    """What 100 percent of a series' metrics means."""

    cpu_millicores: float
    memory_mib: float


def series_of(
    keys: Any, times: Any, values: Mapping[str, Any], capacities: Mapping[str, Capacity] | None = None
) -> list[UsageSeries]:
    """Give each key's rows in order of time; of rows with the same time the first counts. Keys come in their own order.

    `keys`, `times` and each of `values` have one entry a row.
    """
    seconds = np.asarray(times, dtype=np.float64)
    numbers: dict[Any, int] = {}
    codes = np.array([numbers.setdefault(key, len(numbers)) for key in np.asarray(keys).tolist()], dtype=np.int64)
    order = np.lexsort((seconds, codes))
    sorted_codes, sorted_seconds = codes[order], seconds[order]
    repeated = (np.diff(sorted_codes, prepend=-1) == 0) & (np.diff(sorted_seconds, prepend=np.inf) == 0)
    order = order[~repeated]
    starts = np.searchsorted(codes[order], np.arange(len(numbers) + 1))
    columns = {name: np.asarray(column, dtype=np.float64) for name, column in values.items()}
    found = []
    for key, number in numbers.items():
        rows = order[starts[number] : starts[number + 1]]
        capacity = (capacities or {}).get(str(key), Capacity(np.nan, np.nan))
        found.append(
            UsageSeries(
                str(key),
                seconds[rows],
                {name: column[rows] for name, column in columns.items()},
                capacity.cpu_millicores,
                capacity.memory_mib,
            )
        )
    return found


def rate_of(counter: Float64Array, times_seconds: Float64Array) -> Float64Array:
    """Turn a cumulative counter into its increase a second since the sample before; NaN at first and where it fell."""
    increase, seconds = np.diff(counter), np.diff(times_seconds)
    rates = np.full(len(counter), np.nan)
    rates[1:] = np.where(increase >= 0, increase / seconds, np.nan)
    return rates
