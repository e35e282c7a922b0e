"""Pods of several shapes, as plain Pod manifests and pod templates.

Called by the demo and the benchmarks. Pure: the same arguments and generator state give the same manifests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from hydatis.simulations.clusters import BATCH_TAINT, GPU_RESOURCE, GPU_TAINT, Manifest

IMAGE = "pause:3.10"
"""Named because a pod must name one; simulated nodes never pull it."""


@dataclass(frozen=True, slots=True)
class PodShape:
    """What a pod asks for and where it may go."""

    name: str
    """Becomes the label `app` and the first part of the pods' names."""
    cpu_millicores: int
    memory_mib: int
    gpus: int = 0
    """Whole devices of the extended resource nvidia.com/gpu."""
    node_selector: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    affinity: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    tolerations: tuple[Mapping[str, str], ...] = ()
    weight: float = 1.0
    """Share of the pods, relative to the weights of the other shapes; above 0."""


def _toleration(taint: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(
        {"key": taint["key"], "operator": "Equal", "value": taint["value"], "effect": taint["effect"]}
    )


TOLERATES_GPU = _toleration(GPU_TAINT)
TOLERATES_BATCH = _toleration(BATCH_TAINT)
TOLERATES_EVERYTHING: Mapping[str, str] = MappingProxyType({"operator": "Exists"})

REQUIRES_SSD: Mapping[str, Any] = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]
        }
    }
}
PREFERS_ZONE_A: Mapping[str, Any] = {
    "nodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 50,
                "preference": {
                    "matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["zone-a"]}]
                },
            }
        ]
    }
}

UNIFORM_SHAPE = PodShape("uniform", 100, 128)
"""The small pod of most published scheduler benchmarks: a tenth of a core, 128 MiB."""

WEB = PodShape("web", 250, 256, weight=6)
API = PodShape("api", 500, 1024, affinity=PREFERS_ZONE_A, weight=4)
CACHE = PodShape("cache", 500, 4096, weight=2)
DATABASE = PodShape("database", 1500, 4096, affinity=REQUIRES_SSD, weight=2)
BATCH = PodShape(
    "batch",
    2000,
    2048,
    node_selector={"node.kubernetes.io/instance-type": "batch-32"},
    tolerations=(TOLERATES_BATCH,),
    weight=1,
)
TRAINING = PodShape("training", 4000, 8192, gpus=1, tolerations=(TOLERATES_GPU,), weight=0.5)

MIXED_SHAPES: tuple[PodShape, ...] = (WEB, API, CACHE, DATABASE, BATCH, TRAINING)


def mixed_pod_shapes(
    count: int, random: np.random.Generator, shapes: Sequence[PodShape] = MIXED_SHAPES
) -> list[PodShape]:
    """Draw `count` shapes with the shapes' weights as odds."""
    weights = np.array([shape.weight for shape in shapes], dtype=np.float64)
    return [shapes[index] for index in random.choice(len(shapes), size=count, p=weights / weights.sum())]


def pod_manifest(shape: PodShape, *, name: str, namespace: str, scheduler_name: str) -> Manifest:
    """Write one pod of a shape."""
    template = pod_template(shape, scheduler_name=scheduler_name)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": template["metadata"]["labels"]},
        "spec": template["spec"],
    }


def pod_template(shape: PodShape, *, scheduler_name: str) -> Manifest:
    """Write the pod template of a shape, as Deployments and DaemonSets hold it."""
    requests = {"cpu": f"{shape.cpu_millicores}m", "memory": f"{shape.memory_mib}Mi"}
    resources: Manifest = {"requests": requests}
    if shape.gpus:
        # Extended resources cannot be overcommitted: the API server asks for a limit that equals the request.
        requests[GPU_RESOURCE] = str(shape.gpus)
        resources["limits"] = {GPU_RESOURCE: str(shape.gpus)}
    spec: Manifest = {
        "schedulerName": scheduler_name,
        "containers": [{"name": "main", "image": IMAGE, "resources": resources}],
        "terminationGracePeriodSeconds": 1,
    }
    if shape.node_selector:
        spec["nodeSelector"] = dict(shape.node_selector)
    if shape.affinity:
        spec["affinity"] = dict(shape.affinity)
    if shape.tolerations:
        spec["tolerations"] = [dict(toleration) for toleration in shape.tolerations]
    return {"metadata": {"labels": {"app": shape.name}}, "spec": spec}
