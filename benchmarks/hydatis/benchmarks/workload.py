"""The nodes and pods of a benchmark, the same for every scheduler and every repeat.

Called by the series. All randomness comes from the seed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hydatis.benchmarks.errors import BenchError
from hydatis.simulations.clusters import Manifest, uniform_nodes
from hydatis.simulations.workloads import (
    API,
    CACHE,
    DATABASE,
    UNIFORM_SHAPE,
    WEB,
    PodShape,
    mixed_pod_shapes,
    pod_manifest,
)

NAMESPACE = "bench"
NODE_CPU_CORES = 32
NODE_MEMORY_GIB = 128
_KUBELET_PODS = 110
_MOST_FILL = 0.7
"""Largest part of the cluster's CPU or memory that a benchmark may ask for: a fuller one measures luck in packing,
not speed."""

SHAPES: Mapping[str, tuple[PodShape, ...]] = MappingProxyType(
    {
        "uniform": (UNIFORM_SHAPE,),
        "mixed": (WEB, API, CACHE, DATABASE),
    }
)
"""Names of `--workload` to the shapes its pods are drawn from; `mixed` has required and preferred node affinity among
them."""


@dataclass(frozen=True, slots=True)
class Workload:
    """How many pods of which kind."""

    kind: str
    """A key of `SHAPES`."""
    pods: int
    seed: int

    def shapes(self) -> list[PodShape]:
        """Draw each pod's shape."""
        return mixed_pod_shapes(self.pods, np.random.default_rng(self.seed), SHAPES[self.kind])

    def pod_manifests(self, scheduler_name: str) -> list[Manifest]:
        """Write the pods."""
        return [
            pod_manifest(shape, name=f"{shape.name}-{index:06d}", namespace=NAMESPACE, scheduler_name=scheduler_name)
            for index, shape in enumerate(self.shapes())
        ]

    def node_manifests(self, count: int) -> list[Manifest]:
        """Write `count` nodes that hold the pods, with room for twice as many on each as an even spread needs.

        Raises:
            BenchError: the pods ask for more than `count` nodes should be filled with.

        """
        shapes = self.shapes()
        needed_nodes = max(
            sum(shape.cpu_millicores for shape in shapes) / (NODE_CPU_CORES * 1000),
            sum(shape.memory_mib for shape in shapes) / (NODE_MEMORY_GIB * 1024),
        )
        least = math.ceil(needed_nodes / _MOST_FILL)
        if count < least:
            raise BenchError(
                f"--nodes {count} are too few for {self.pods} {self.kind} pods; use {least} nodes or fewer pods."
            )
        pods_per_node = max(_KUBELET_PODS, 2 * math.ceil(self.pods / count))
        return uniform_nodes(count, cpu_cores=NODE_CPU_CORES, memory_gib=NODE_MEMORY_GIB, pods=pods_per_node)
