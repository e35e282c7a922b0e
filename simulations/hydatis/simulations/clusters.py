"""Nodes of a made-up cluster, as plain Node manifests.

Called by the demo and the benchmarks. Every manifest carries capacity, allocatable and a true Ready condition, so
that it can be created as it is, with or without a program that plays the kubelet. The same arguments and generator
state give the same manifests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

Manifest = dict[str, Any]

GPU_RESOURCE = "nvidia.com/gpu"
ZONES = ("zone-a", "zone-b", "zone-c")
REGION = "region-1"

_RESERVED_CPU_MILLICORES = 100
_RESERVED_MEMORY_MIB = 512
"""What a kubelet would keep for the system: allocatable is capacity less this, so that the two are never mistaken for
one another."""


@dataclass(frozen=True, slots=True)
class NodeShape:
    """A kind of machine."""

    name: str
    """Becomes the label node.kubernetes.io/instance-type and the first part of the node's name."""
    cpu_cores: int
    memory_gib: int
    gpus: int = 0
    """Whole devices, offered as the extended resource nvidia.com/gpu."""
    pods: int = 110
    """The kubelet's own default for the most pods on a node."""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    taints: tuple[Mapping[str, str], ...] = ()
    weight: float = 1.0
    """Share of the cluster, relative to the weights of the other shapes; above 0."""


GPU_TAINT: Mapping[str, str] = MappingProxyType({"key": GPU_RESOURCE, "value": "present", "effect": "NoSchedule"})
BATCH_TAINT: Mapping[str, str] = MappingProxyType({"key": "dedicated", "value": "batch", "effect": "NoSchedule"})
SPOT_TAINT: Mapping[str, str] = MappingProxyType({"key": "spot", "value": "true", "effect": "PreferNoSchedule"})

MIXED_SHAPES: tuple[NodeShape, ...] = (
    NodeShape("general-8", 8, 32, labels={"disk": "hdd"}, weight=8),
    NodeShape("general-16", 16, 64, labels={"disk": "ssd"}, weight=8),
    NodeShape("compute-32", 32, 64, labels={"disk": "ssd"}, weight=4),
    NodeShape("memory-16", 16, 128, labels={"disk": "hdd"}, weight=3),
    NodeShape("spot-16", 16, 64, labels={"disk": "hdd"}, taints=(SPOT_TAINT,), weight=3),
    NodeShape("batch-32", 32, 128, labels={"disk": "hdd"}, taints=(BATCH_TAINT,), weight=2),
    NodeShape("gpu-32", 32, 256, gpus=4, labels={"disk": "ssd"}, taints=(GPU_TAINT,), weight=2),
)
"""A small company's cluster: mostly general machines, some reserved by taints, a few with GPUs."""

GPU_SHAPES: tuple[NodeShape, ...] = (
    NodeShape("general-96", 96, 384, labels={"disk": "ssd"}, weight=1),
    NodeShape("gpu-2x64", 64, 256, gpus=2, labels={"disk": "ssd"}, taints=(GPU_TAINT,), weight=1),
    NodeShape("gpu-8x96", 96, 512, gpus=8, labels={"disk": "ssd"}, taints=(GPU_TAINT,), weight=3),
    NodeShape("gpu-8x128", 128, 1024, gpus=8, labels={"disk": "ssd"}, taints=(GPU_TAINT,), weight=1),
)
"""Machines large enough for the pods of a machine-learning cluster's trace, in the proportions such a cluster has:
most carry GPUs."""


def mixed_nodes(count: int, random: np.random.Generator, shapes: Sequence[NodeShape] = MIXED_SHAPES) -> list[Manifest]:
    """Give `count` nodes of several shapes, spread over three zones.

    Shapes are shared out by weight (largest remainder), at least one node each, and only their order is random: a
    small cluster therefore never lacks a shape that some pod needs.

    Raises:
        ValueError: `count` is smaller than the number of shapes.

    """
    if count < len(shapes):
        raise ValueError(f"{count} nodes cannot show {len(shapes)} node shapes; ask for at least {len(shapes)} nodes")
    order = random.permutation([index for index, number in enumerate(_shares(count, shapes)) for _ in range(number)])
    return [
        node_manifest(shapes[shape], f"{shapes[shape].name}-{position:04d}", ZONES[position % len(ZONES)])
        for position, shape in enumerate(order)
    ]


def uniform_nodes(count: int, *, cpu_cores: int = 32, memory_gib: int = 128, pods: int = 110) -> list[Manifest]:
    """Give `count` untainted nodes of one size, spread over three zones; every other one has the label disk=ssd, the
    rest disk=hdd.
    """
    disks = [NodeShape("uniform", cpu_cores, memory_gib, pods=pods, labels={"disk": disk}) for disk in ("ssd", "hdd")]
    return [
        node_manifest(disks[index % len(disks)], f"node-{index:05d}", ZONES[index % len(ZONES)])
        for index in range(count)
    ]


def node_manifest(shape: NodeShape, name: str, zone: str) -> Manifest:
    """Write one Ready node of a shape."""
    capacity = {"cpu": str(shape.cpu_cores), "memory": f"{shape.memory_gib}Gi", "pods": str(shape.pods)}
    allocatable = {
        "cpu": f"{shape.cpu_cores * 1000 - _RESERVED_CPU_MILLICORES}m",
        "memory": f"{shape.memory_gib * 1024 - _RESERVED_MEMORY_MIB}Mi",
        "pods": str(shape.pods),
    }
    if shape.gpus:
        capacity[GPU_RESOURCE] = allocatable[GPU_RESOURCE] = str(shape.gpus)
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": shape.name,
        "topology.kubernetes.io/region": REGION,
        "topology.kubernetes.io/zone": zone,
        **shape.labels,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": [dict(taint) for taint in shape.taints]} if shape.taints else {},
        "status": {
            "capacity": capacity,
            "allocatable": allocatable,
            "conditions": [{"type": "Ready", "status": "True", "reason": "Simulated", "message": "simulated node"}],
        },
    }


def _shares(count: int, shapes: Sequence[NodeShape]) -> list[int]:
    """Share `count` out by weight, one each at least: the largest remainder method on what the first round leaves."""
    weights = np.array([shape.weight for shape in shapes], dtype=np.float64)
    exact = (count - len(shapes)) * weights / weights.sum()
    shares = np.floor(exact).astype(np.int64)
    missing = count - len(shapes) - int(shares.sum())
    # Stable, so that equal remainders go to the shapes listed first on every platform.
    for index in np.argsort(-(exact - shares), kind="stable")[:missing]:
        shares[index] += 1
    return [int(share) + 1 for share in shares]
