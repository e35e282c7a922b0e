"""Which pods come in which order (kubernetes-scheduler-simulator pkg/simulator/simulator.go, SortClusterPods and
TunePodsByNodeTotalResource).
"""

import numpy as np

from hydatis.scheduler.arrays import Int64Array
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI, Arrivals, NodeList

DEMAND = 1.3
"""GPU demand of all pods together, as a share of the nodes' GPUs."""


def order_of_pods(pods: Arrivals, nodes: NodeList, random: np.random.Generator, demand: float = DEMAND) -> Int64Array:
    """Return positions in `pods`: all of them in random order, then some drawn again until their GPU demand would
    exceed the share; or, where it does already, fewer.
    """
    wanted = demand * WHOLE_GPU_MILLI * int(nodes.gpus.sum())
    order = random.permutation(len(pods))
    demands = pods.gpu_demand_milli
    total = int(demands.sum())
    if total > wanted:
        candidates = random.permutation(order)
        count = int(np.searchsorted(np.cumsum(demands[candidates]), total - wanted)) + 1
        return np.asarray(order[~np.isin(order, candidates[:count])], dtype=np.int64)
    if not total:
        return np.asarray(order, dtype=np.int64)
    # More than enough draws at once; the first that would exceed the demand ends them.
    more: list[Int64Array] = []
    while total <= wanted:
        drawn = random.integers(len(pods), size=len(pods))
        sums = total + np.cumsum(demands[drawn])
        fitting = int(np.searchsorted(sums, wanted, side="right"))
        more.append(drawn[:fitting])
        if fitting < len(drawn):
            break
        total = int(sums[-1])
    return np.concatenate([order, *more]).astype(np.int64)
