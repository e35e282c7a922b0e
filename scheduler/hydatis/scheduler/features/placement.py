"""What the load model sees of one pod on each node that could run it.

All shares are of what the node can allocate. What is measured comes with the load assumed for pods placed since the
sample, and a node without a fresh sample is taken to use what its pods are expected to (`MeasuredLoad.stand_in`).
"""

import math

import numpy as np

from hydatis.scheduler.arrays import Float32Array, Float64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.measured_load import FRESH_SECONDS
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN, MEMORY_COLUMN, PODS_COLUMN

TREND_SECONDS = 900.0
"""Over how long recent means and deviations go."""
_LEAST_OVERLOAD = 1e-12
_GIB = 2.0**30
_CORE = 1000.0


def placement_features(
    requirements: Requirements, owner: Owner, cluster: Cluster, rows: Rows, added: Float64Array
) -> Float32Array:
    """Return (rows, features) in the order of `PLACEMENT_SCHEMA`. `added` (rows,) is what `ExpectedOverload` finds that
    the pod adds to each row.
    """
    load = cluster.load
    cpu, memory = (cluster.allocatable[column, rows].astype(np.float64) for column in (CPU_COLUMN, MEMORY_COLUMN))
    cpu, memory = np.maximum(cpu, 1.0), np.maximum(memory, 1.0)
    in_use = load.in_use(rows)
    window, number = load.over(TREND_SECONDS), load.owners.number_of(owner)
    use, shared = load.owners.use_of(owner), float(load.owners.shared[0, number])
    requested_cpu, requested_memory = requirements.nonzero_cpu, requirements.nonzero_memory
    expected, spread = load.expected.mean(rows), load.expected.variance(rows)
    adds = requested_cpu * use.cpu_mean / cpu
    pods = cluster.requested[PODS_COLUMN, rows].astype(np.float64)
    angle = 2.0 * math.pi * (load.now / 86_400.0) if math.isfinite(load.now) else 0.0
    columns: tuple[Float64Array | float, ...] = (
        in_use[0] / cpu,
        window.cpu_mean_millicores[rows] / cpu,
        window.cpu_deviation_millicores[rows] / cpu,
        load.peaks.hour[0].highest[rows] / cpu,
        load.peaks.day[0].highest[rows] / cpu,
        expected[0] / cpu,
        np.sqrt(np.maximum(0.0, spread[0])) / cpu,
        cluster.requested[CPU_COLUMN, rows] / cpu,
        in_use[1] / memory,
        expected[1] / memory,
        cluster.requested[MEMORY_COLUMN, rows] / memory,
        (memory - in_use[1]) / _GIB,
        pods,
        pods / (cpu / _CORE),
        cpu / _CORE,
        load.younger(rows, FRESH_SECONDS).astype(np.float64),
        np.maximum(in_use[0] / cpu, in_use[1] / memory),
        requested_cpu / cpu,
        adds,
        requested_cpu * math.sqrt(max(0.0, use.cpu_variance)) / cpu,
        requested_memory * use.memory_mean / memory,
        use.cpu_mean,
        shared,
        math.log10(1.0 + load.owners.observations_of(owner)) if number else 0.0,
        load.expected.requested_by(number, rows)[0] / cpu,
        in_use[0] / cpu + adds,
        expected[0] / cpu + adds,
        np.log10(np.maximum(added, _LEAST_OVERLOAD)),
        cluster.cpu_utilization(),
        math.sin(angle),
        math.cos(angle),
    )
    return PLACEMENT_SCHEMA.table(columns, len(rows))
