"""Pod request shapes from the openb pod list, a public trace of a machine-learning cluster.

Called by `hydatis demo --trace`; only requests are taken from the trace, no names and no times.

The trace shares GPUs in thousandths. Kubernetes counts an extended resource in whole numbers, so a pod that shares a
GPU asks here for a whole one.
"""

import os
from collections.abc import Mapping

import numpy as np

from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.openb import read_pods
from hydatis.simulations.workloads import TOLERATES_EVERYTHING, PodShape


def read_pod_shapes(environment: Mapping[str, str] = os.environ) -> list[PodShape]:
    """Read every pod of the trace, in the order of the file. Raises `TraceError`."""
    pods = read_pods(DataFolder.from_environment(environment))
    requests = zip(pods.cpu_millicores.tolist(), pods.memory_mib.tolist(), pods.gpus.tolist(), strict=True)
    # Taints are a property of the demo's own nodes; the trace knows none.
    return [PodShape("trace", *request, tolerations=(TOLERATES_EVERYTHING,)) for request in requests]


def draw_pod_shapes(shapes: list[PodShape], count: int, random: np.random.Generator) -> list[PodShape]:
    """Draw `count` of the trace's pods, without repeats as long as there are enough of them."""
    return [shapes[index] for index in random.choice(len(shapes), size=count, replace=count > len(shapes))]
