"""What a benchmark creates: nodes, pods that run before, pods that are measured, and what goes on besides.

Called by the series, which asks for a workload by name, and by the run, which creates what it says. Everything is the
same for every scheduler and every repeat; all randomness comes from the seed. This file holds the project's own two
workloads; `scheduler_perf` has Kubernetes'.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

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
"""Names of workloads to the shapes their pods are drawn from; `mixed` has required and preferred node affinity among
them."""


@dataclass(frozen=True, slots=True)
class Churn:
    """What is created, and perhaps deleted again, all the time while pods are measured."""

    manifests: Sequence[Manifest]
    """One object of each is made at every tick, under a name that the API server makes up. Those that live in a
    namespace name it."""
    interval_seconds: float
    deleted_again: bool
    """Every second tick deletes what the one before created; otherwise all of it stays."""


class Workload(Protocol):
    """One run's objects."""

    @property
    def kind(self) -> str:
        """Its name."""

    @property
    def pods(self) -> int:
        """How many pods are measured."""

    @property
    def namespace(self) -> str:
        """Where the measured pods are."""

    @property
    def other_namespaces(self) -> Sequence[str]:
        """Where everything else is."""

    @property
    def preempts(self) -> bool:
        """Whether pods displace others: then a measured pod may itself be displaced once it has run."""

    def node_manifests(self, count: int) -> list[Manifest]:
        """Write `count` nodes.

        Raises:
            BenchError: they do not hold the pods.

        """

    def objects(self) -> Sequence[tuple[str, Manifest]]:
        """Write what else is there from the beginning: the path to create it at, and the object."""

    def initial_manifests(self, scheduler_name: str) -> list[Manifest]:
        """Write the pods that the scheduler places before the clock starts."""

    def pod_manifests(self, scheduler_name: str) -> list[Manifest]:
        """Write the pods that are measured."""

    def churn(self, scheduler_name: str) -> Churn | None:
        """Say what goes on besides."""


@dataclass(frozen=True, slots=True)
class ShapedWorkload:
    """Pods of one or several shapes on an empty cluster."""

    kind: str
    """A key of `SHAPES`."""
    pods: int
    seed: int
    namespace: str = NAMESPACE
    other_namespaces: tuple[str, ...] = ()
    preempts: bool = False

    def shapes(self) -> list[PodShape]:
        """Draw each pod's shape."""
        return mixed_pod_shapes(self.pods, np.random.default_rng(self.seed), SHAPES[self.kind])

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

    def objects(self) -> Sequence[tuple[str, Manifest]]:
        """Nothing else is there."""
        return ()

    def initial_manifests(self, scheduler_name: str) -> list[Manifest]:
        """The cluster is empty."""
        return []

    def pod_manifests(self, scheduler_name: str) -> list[Manifest]:
        """Write the pods."""
        return [
            pod_manifest(shape, name=f"{shape.name}-{index:06d}", namespace=NAMESPACE, scheduler_name=scheduler_name)
            for index, shape in enumerate(self.shapes())
        ]

    def churn(self, scheduler_name: str) -> Churn | None:
        """Nothing goes on besides."""
        return None
