"""Who gets how much CPU where pods together want more than a node has.

Called by the running pods at each step. Best-effort pods go last; among equals CPU is shared as the kernel does between
control groups: in proportion to their weights, what one does not want going to the others.
"""

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array

_SHARES_PER_CPU = 1024
_LEAST_SHARES = 2
_MOST_SHARES = 262_144
_LEAST_WEIGHT = 1
_WEIGHTS = 9_999


def cpu_weights(requests_millicores: Int64Array) -> Float64Array:
    """Return the `cpu.weight` of pods' control groups.

    Kubernetes turns requests into shares (pkg/kubelet/cm/helpers_linux.go, MilliCPUToShares), and on control groups v2
    shares, 2 to 262,144, into weights, 1 to 10,000 (pkg/kubelet/cm, CpuSharesToCpuWeight), both in whole numbers.
    """
    shares = np.clip(requests_millicores * _SHARES_PER_CPU // 1000, _LEAST_SHARES, _MOST_SHARES)
    weights = (shares - _LEAST_SHARES) * _WEIGHTS // (_MOST_SHARES - _LEAST_SHARES) + _LEAST_WEIGHT
    return np.asarray(weights, dtype=np.float64)


def granted_cpu(
    demand: Float64Array,
    weight: Float64Array,
    best_effort: BoolArray,
    node: Int64Array,
    *,
    capacity: Float64Array,
    best_effort_least: float,
) -> Float64Array:
    """Return what each pod gets, at most its demand, all pods of a node together at most its capacity.

    `demand`, `weight` (above 0), `best_effort` and `node` have one entry a pod; `capacity`, in the unit of the demand,
    one a node, to which `node` is an index. `best_effort_least` is the share of a node that best-effort pods keep, if
    they want it, even where the others want all.
    """
    count = len(capacity)
    wanted = np.bincount(node, weights=demand, minlength=count)
    granted = demand.copy()
    contended = wanted > capacity
    if not contended.any():
        return granted
    here = contended[node]
    last = here & best_effort
    first = here & ~best_effort
    wanted_last = np.bincount(node[last], weights=demand[last], minlength=count)
    for_first = capacity - np.minimum(wanted_last, best_effort_least * capacity)
    granted[first] = _shared(demand[first], weight[first], node[first], for_first)
    given = np.bincount(node[first], weights=granted[first], minlength=count)
    granted[last] = _shared(demand[last], weight[last], node[last], np.maximum(capacity - given, 0.0))
    return granted


def _shared(demand: Float64Array, weight: Float64Array, node: Int64Array, capacity: Float64Array) -> Float64Array:
    """Share each node's capacity out by weight, to nobody more than its demand (weighted max-min fairness).

    Pods of a node are looked at from the one that wants least by weight to the one that wants most. As long as a pod
    wants no more than its part of what is left, it gets all it wants; from the first that does not, all get the same by
    weight.
    """
    if not len(demand):
        return demand
    wanted_by_weight = demand / weight
    order = np.lexsort((wanted_by_weight, node))
    nodes, demands, weights = node[order], demand[order], weight[order]
    starts = np.flatnonzero(np.diff(nodes, prepend=-1))
    lengths = np.diff(starts, append=len(nodes))
    demand_before = np.cumsum(demands) - demands
    demand_before -= np.repeat(demand_before[starts], lengths)
    weight_up_to = np.cumsum(weights)
    weight_from = np.repeat(weight_up_to[starts + lengths - 1], lengths) - weight_up_to + weights
    level = (capacity[nodes] - demand_before) / weight_from
    short = wanted_by_weight[order] > level
    # From the first short one on the level falls, so its own is the highest of the short ones.
    levels = np.repeat(np.maximum.reduceat(np.where(short, level, 0.0), starts), lengths)
    shared = np.empty_like(demand)
    shared[order] = np.where(short, weights * levels, demands)
    return shared
