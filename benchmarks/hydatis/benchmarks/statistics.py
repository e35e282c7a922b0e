"""Percentiles, medians, ranges and ratios of measurements.

Called when runs are turned into results. Measurements are nested mappings of numbers, as in
`{"latency_ms": {"p50": 1.2}}`; a number that could not be measured is None and stays None.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

Number = float | None
Measurements = Mapping[str, "Number | Measurements"]

PERCENTILES = (50, 90, 99)


def percentiles(values: Sequence[float]) -> dict[str, Number]:
    """Give p50, p90, p99 and max, linearly interpolated between the nearest ranks (NumPy's default); None without
    values.
    """
    if not values:
        return {**{f"p{rank}": None for rank in PERCENTILES}, "max": None}
    return {
        **{
            f"p{rank}": float(value)
            for rank, value in zip(PERCENTILES, np.percentile(values, PERCENTILES), strict=True)
        },
        "max": float(max(values)),
    }


def combined(samples: Sequence[Measurements], how: Callable[[Sequence[float]], float]) -> Measurements:
    """Combine measurements of the same form, number by number; None where no sample has the number."""
    combination: dict[str, Number | Measurements] = {}
    for key, first in (samples[0] if samples else {}).items():
        if isinstance(first, Mapping):
            combination[key] = combined([cast(Measurements, sample[key]) for sample in samples], how)
        else:
            numbers = [number for sample in samples if (number := cast(Number, sample[key])) is not None]
            combination[key] = how(numbers) if numbers else None
    return combination


def median(samples: Sequence[Measurements]) -> Measurements:
    """Give the median of each number."""
    return combined(samples, lambda numbers: float(np.median(numbers)))


def ranges(samples: Sequence[Measurements]) -> dict[str, Measurements]:
    """Give the smallest and the largest of each number: the noise between repeats."""
    return {"min": combined(samples, min), "max": combined(samples, max)}


def ratios(dividend: Measurements, divisor: Measurements) -> Measurements:
    """Divide number by number; None where either is missing or the divisor is 0."""
    quotients: dict[str, Number | Measurements] = {}
    for key, above in dividend.items():
        below = divisor[key]
        if isinstance(above, Mapping):
            quotients[key] = ratios(above, cast(Measurements, below))
        else:
            number = cast(Number, below)
            quotients[key] = above / number if above is not None and number else None
    return quotients
