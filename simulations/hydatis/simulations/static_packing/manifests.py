"""Nodes and pods of a trace as the API server would write them, with GPUs in thousandths."""

from typing import Any

from hydatis.simulations.gpu_sharing.demands import GPU_MILLI, GPU_MODEL_LABEL
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI, Arrivals, NodeList

Manifest = dict[str, Any]

_PODS_A_NODE = 1000
"""More than any node's CPU can hold: the protocol does not limit their number."""


def node_manifests(nodes: NodeList) -> list[Manifest]:
    """Write every node, Ready and untainted."""
    return [
        {
            "metadata": {
                "name": name,
                "labels": {"kubernetes.io/hostname": name, **({GPU_MODEL_LABEL: model} if model else {})},
            },
            "spec": {},
            "status": {
                "allocatable": {
                    "cpu": f"{cpu}m",
                    "memory": f"{memory}Mi",
                    "pods": str(_PODS_A_NODE),
                    **({GPU_MILLI: str(gpus * WHOLE_GPU_MILLI)} if gpus else {}),
                }
            },
        }
        for name, cpu, memory, gpus, model in zip(
            nodes.names,
            nodes.cpu_millicores.tolist(),
            nodes.memory_mib.tolist(),
            nodes.gpus.tolist(),
            nodes.gpu_models,
            strict=True,
        )
    ]


def pod_specs(pods: Arrivals) -> list[Manifest]:
    """Write the specification of every pod; pods that ask for the same share one object."""
    specs: dict[Any, Manifest] = {}
    requests = zip(
        pods.cpu_millicores.tolist(),
        pods.memory_mib.tolist(),
        pods.gpu_demand_milli.tolist(),
        pods.gpu_models,
        strict=True,
    )
    found = []
    for request in requests:
        if request not in specs:
            specs[request] = _spec(*request)
        found.append(specs[request])
    return found


def _spec(cpu_millicores: int, memory_mib: int, gpu_milli: int, gpu_models: tuple[str, ...]) -> Manifest:
    requests = {"cpu": f"{cpu_millicores}m", "memory": f"{memory_mib}Mi"}
    if gpu_milli:
        requests[GPU_MILLI] = str(gpu_milli)
    spec: Manifest = {
        "schedulerName": "hydatis",
        "containers": [{"name": "main", "resources": {"requests": requests}}],
    }
    if gpu_models:
        expression = {"key": GPU_MODEL_LABEL, "operator": "In", "values": list(gpu_models)}
        terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
        spec["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    return spec
