"""The nodes of a run: what they have, how they are written, and which of them are there."""

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array
from hydatis.simulations.clusters import ZONES, Manifest
from hydatis.simulations.gpu_sharing.demands import GPU_MILLI
from hydatis.simulations.recounting import allocatable
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI
from hydatis.simulations.virtual_time.manifests import ready_node
from hydatis.simulations.virtual_time.scenario import NodeGroup

_MIB = 2**20


class Machines:
    """One entry a node, those included that are not there yet. Pods can use what is allocatable, no more."""

    def __init__(self, groups: tuple[NodeGroup, ...]) -> None:
        shapes = [group.shape for group in groups for _ in range(group.count)]
        self.names = tuple(f"{shape.name}-{position:04d}" for position, shape in enumerate(shapes))
        self.manifests: list[Manifest] = [
            ready_node(shape, name, ZONES[position % len(ZONES)])
            for position, (shape, name) in enumerate(zip(shapes, self.names, strict=True))
        ]
        amounts = [allocatable(manifest) for manifest in self.manifests]
        self.cpu_millicores: Float64Array = np.array([float(1000 * one["cpu"]) for one in amounts])
        self.memory_mib: Float64Array = np.array([float(one["memory"] / _MIB) for one in amounts])
        self.gpus: Float64Array = np.array([float(one.get(GPU_MILLI, 0) / WHOLE_GPU_MILLI) for one in amounts])
        self.untainted: BoolArray = np.array([not shape.taints for shape in shapes], dtype=np.bool_)
        self.known: BoolArray = np.zeros(len(shapes), dtype=np.bool_)
        """Whether the API server has the node."""
        self.running: BoolArray = np.zeros(len(shapes), dtype=np.bool_)
        """Whether the node itself works: one that failed is known a while longer."""
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def number_of(self, name: str) -> int:
        """Return a node's position."""
        return self._numbers[name]
