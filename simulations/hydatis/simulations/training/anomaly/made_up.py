"""Machines with anomalies for computers without traces: the use of made-up pods, with faults put into the test part.

The faults are spikes, shifts of a level and sensors that are stuck. They are easier to find than real ones; figures
from here say that the program works and nothing of how good a detector is.
"""

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array
from hydatis.simulations.synthetic.owners import draw_owners
from hydatis.simulations.synthetic.parameters import Parameters
from hydatis.simulations.synthetic.usage import draw_cpu_percent, draw_memory_percent
from hydatis.simulations.traces.forms import LabelledMetrics
from hydatis.simulations.traces.machine_anomalies import segments_of

METRICS = ("cpu_percent", "memory_percent", "network_percent", "disk_percent")
_MACHINES = 8
_PODS = 12
_STEP_SECONDS = 300.0
_TRAIN_SAMPLES = 1440
_TEST_SAMPLES = 864
_FAULTS = 6
_NOISE = 0.1
_DEVIATIONS = 6.0
"""How far a spike or a shift goes, in deviations of the metric."""


def made_up_machines(seed: int) -> list[LabelledMetrics]:
    """Draw 8 machines: 5 days of 5 minutes to train on, 3 to test on, with 6 faults each. Percent of the machine."""
    return [_machine(number, np.random.default_rng([seed, number])) for number in range(1, _MACHINES + 1)]


def _machine(number: int, random: np.random.Generator) -> LabelledMetrics:
    owners = draw_owners(Parameters.shipped(), _PODS, random)
    samples = _TRAIN_SAMPLES + _TEST_SAMPLES
    cpu = draw_cpu_percent(owners, np.arange(samples, dtype=np.float64) * _STEP_SECONDS, random).mean(axis=0)
    values = np.column_stack(
        [
            cpu,
            draw_memory_percent(owners, random).mean() + 0.2 * cpu,
            0.5 * cpu,
            0.3 * cpu,
        ]
    )
    values[:, 1:] *= np.exp(_NOISE * random.standard_normal((samples, len(METRICS) - 1)))
    labels = np.zeros(_TEST_SAMPLES, dtype=np.bool_)
    _spoil(values[_TRAIN_SAMPLES:], labels, values[:_TRAIN_SAMPLES].std(axis=0), random)
    return LabelledMetrics(
        name=f"synthetic-{number}",
        metrics=METRICS,
        sample_seconds=_STEP_SECONDS,
        train=values[:_TRAIN_SAMPLES].astype(np.float32),
        test=values[_TRAIN_SAMPLES:].astype(np.float32),
        labels=labels,
        segments=segments_of(labels),
    )


def _spoil(test: Float64Array, labels: BoolArray, deviations: Float64Array, random: np.random.Generator) -> None:
    """Put one fault into each of equal stretches of the test part, and label it."""
    stretch = len(test) // _FAULTS
    for number in range(_FAULTS):
        kind = number % 3
        length = int(random.integers(1, 4) if kind == 0 else random.integers(15, 40))
        start = number * stretch + int(random.integers(stretch - length))
        column = int(random.integers(test.shape[1]))
        place = slice(start, start + length)
        labels[place] = True
        if kind == 2:
            test[place, column] = test[start, column]
        else:
            test[place, column] += _DEVIATIONS * deviations[column]
