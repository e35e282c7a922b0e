"""What the demo creates: nodes, workloads of several shapes, and what should become of them.

Called by the demo's command; pure, the same seed gives the same cluster. Every pod names HYDATIS as its scheduler,
those of the DaemonSet included.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hydatis.sandbox.demo.errors import DemoError
from hydatis.simulations.clusters import GPU_RESOURCE, GPU_SHAPES, MIXED_SHAPES, Manifest, mixed_nodes
from hydatis.simulations.openb_shapes import draw_pod_shapes, read_pod_shapes
from hydatis.simulations.recounting import allocatable
from hydatis.simulations.workloads import (
    BATCH,
    DATABASE,
    TOLERATES_EVERYTHING,
    TRAINING,
    WEB,
    PodShape,
    mixed_pod_shapes,
    pod_manifest,
    pod_template,
)

NAMESPACE = "demo"
POLICY = "default"
"""The one that the chart installs, with its models."""
SCHEDULER_NAME = "hydatis"
UNSCHEDULABLE = "fits-nowhere"
GATED = "waits-for-its-gate"
_GATE = "hydatis.io/demo"

_AGENT = PodShape("node-agent", 100, 128, tolerations=(TOLERATES_EVERYTHING,))
_FITS_NOWHERE = PodShape(UNSCHEDULABLE, 1_000_000, 1024)
_SINGLE_PODS = 2
"""The one that fits nowhere and the gated one."""
_LEAST_OTHERS = 20
_MOST_FILL = 0.6
"""Largest part of a pool of nodes that the demo asks for, so that every pod meant to be bound surely fits."""
_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything the demo creates, in the order it is created."""

    nodes: list[Manifest]
    workloads: list[Manifest]
    """Deployments and the DaemonSet: what kubectl creates."""
    pods: list[Manifest]
    """Pods without a controller."""
    pod_count: int
    """Pods in all, those that controllers make included."""
    left_out: int
    """Of a trace: pods that were asked for and not created because the cluster would have been too full."""
    strict: bool
    """Every pod but `UNSCHEDULABLE` is sure to fit. Otherwise (a trace) a pod may find no room, which the end check
    then verifies."""


def mixed_scenario(node_count: int, pod_count: int, seed: int) -> Scenario:
    """Build the demo's own cluster: tainted and GPU nodes, pods that tolerate, select and prefer.

    Raises:
        DemoError: too few nodes for every shape, or too few or too many pods for the nodes.

    """
    random = np.random.default_rng(seed)
    nodes = _nodes(node_count, random, trace=False)
    others = _other_pods(node_count, pod_count)
    replicas = [(WEB, others // 4), (DATABASE, others // 10)]
    shapes = mixed_pod_shapes(others - sum(count for _, count in replicas), random)
    _check_room(nodes, [*shapes, *(shape for shape, count in replicas for _ in range(count))])
    deployments = [_deployment(shape, count) for shape, count in replicas]
    pods = [*_pods(shapes), _fits_nowhere(), _gated()]
    return Scenario(nodes, [_daemon_set(), *deployments], pods, pod_count, left_out=0, strict=True)


def trace_scenario(node_count: int, pod_count: int, seed: int) -> Scenario:
    """Build a cluster of large machines and fill it with pods of the openb trace, up to 60 % of what it has.

    Raises:
        DemoError: too few nodes for every shape, or too few pods.
        TraceError: the trace cannot be read.

    """
    trace = read_pod_shapes()
    random = np.random.default_rng(seed)
    nodes = _nodes(node_count, random, trace=True)
    wanted = draw_pod_shapes(trace, _other_pods(node_count, pod_count), random)
    room = np.array([_offer(node) for node in nodes]).sum(axis=0) * _MOST_FILL
    fits = (np.cumsum([_ask(shape) for shape in wanted], axis=0) <= room).all(axis=1)
    shapes = [shape for shape, fit in zip(wanted, fits, strict=True) if fit]
    left_out = len(wanted) - len(shapes)
    pods = [*_pods(shapes), _fits_nowhere(), _gated()]
    return Scenario(nodes, [_daemon_set()], pods, pod_count - left_out, left_out, strict=False)


def _nodes(count: int, random: np.random.Generator, *, trace: bool) -> list[Manifest]:
    shapes = GPU_SHAPES if trace else MIXED_SHAPES
    if count < len(shapes):
        raise DemoError(f"--nodes {count} are too few to show {len(shapes)} kinds of node; use {len(shapes)} or more.")
    nodes = mixed_nodes(count, random, shapes)
    for node in nodes:
        # KWOK brings a node up, and keeps its lease, only when it finds none of its conditions set.
        node["metadata"]["annotations"] = {"kwok.x-k8s.io/node": "fake"}
        del node["status"]["conditions"]
    return nodes


def _other_pods(node_count: int, pod_count: int) -> int:
    """Count the pods that are neither the DaemonSet's nor one of the single ones."""
    others = pod_count - node_count - _SINGLE_PODS
    if others < _LEAST_OTHERS:
        least = node_count + _SINGLE_PODS + _LEAST_OTHERS
        raise DemoError(
            f"--pods {pod_count} are too few: the DaemonSet alone has one on each of {node_count} nodes; "
            f"use {least} or more, or fewer nodes."
        )
    return others


def _check_room(nodes: Sequence[Manifest], shapes: Sequence[PodShape]) -> None:
    """Refuse more pods than surely fit, pool by pool: nodes with GPUs, nodes for batch, nodes with an SSD, all that
    anyone may use.

    Raises:
        DemoError: a pool would be filled beyond `_MOST_FILL`.

    """
    untainted = [node for node in nodes if all(t["effect"] != "NoSchedule" for t in node["spec"].get("taints", ()))]
    pools = {
        "GPU": ([node for node in nodes if GPU_RESOURCE in node["status"]["allocatable"]], [TRAINING]),
        "batch": ([node for node in nodes if _label(node, "node.kubernetes.io/instance-type") == "batch-32"], [BATCH]),
        "SSD": ([node for node in untainted if _label(node, "disk") == "ssd"], [DATABASE]),
        "untainted": (untainted, [shape for shape in _once_each(shapes) if shape not in (TRAINING, BATCH)]),
    }
    for name, (pool, users) in pools.items():
        room = np.array([_offer(node) for node in pool]).sum(axis=0) * _MOST_FILL
        asked = np.array([_ask(shape) for shape in shapes if shape in users] or [(0.0, 0.0, 0.0, 0.0)]).sum(axis=0)
        if (asked > room).any():
            raise DemoError(
                f"the pods would fill the {name} nodes by more than {_MOST_FILL:.0%}; raise --nodes or lower --pods."
            )


def _once_each(shapes: Sequence[PodShape]) -> list[PodShape]:
    """Give each shape once."""
    return [shape for index, shape in enumerate(shapes) if shape not in shapes[:index]]


def _label(node: Manifest, key: str) -> str | None:
    label: str | None = node["metadata"]["labels"].get(key)
    return label


def _offer(node: Manifest) -> tuple[float, float, float, float]:
    """CPU millicores, memory MiB, GPUs and pods of a node."""
    amounts = allocatable(node)
    return (
        float(amounts["cpu"] * 1000),
        float(amounts["memory"] / _MEBIBYTE),
        float(amounts.get(GPU_RESOURCE, 0)),
        float(amounts["pods"]),
    )


def _ask(shape: PodShape) -> tuple[float, float, float, float]:
    return (float(shape.cpu_millicores), float(shape.memory_mib), float(shape.gpus), 1.0)


def _pods(shapes: Sequence[PodShape]) -> list[Manifest]:
    return [_pod(shape, f"{shape.name}-{index:04d}") for index, shape in enumerate(shapes)]


def _pod(shape: PodShape, name: str) -> Manifest:
    return pod_manifest(shape, name=name, namespace=NAMESPACE, scheduler_name=SCHEDULER_NAME)


def _fits_nowhere() -> Manifest:
    return _pod(_FITS_NOWHERE, UNSCHEDULABLE)


def _gated() -> Manifest:
    pod = _pod(WEB, GATED)
    pod["spec"]["schedulingGates"] = [{"name": _GATE}]
    return pod


def _deployment(shape: PodShape, replicas: int) -> Manifest:
    return _controller("Deployment", shape, {"replicas": replicas})


def _daemon_set() -> Manifest:
    return _controller("DaemonSet", _AGENT, {})


def _controller(kind: str, shape: PodShape, spec: Manifest) -> Manifest:
    template = pod_template(shape, scheduler_name=SCHEDULER_NAME)
    # Pods of the same shape without a controller carry the label app alone, which this one must not select.
    template["metadata"]["labels"]["controller"] = kind.lower()
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": shape.name, "namespace": NAMESPACE},
        "spec": {**spec, "selector": {"matchLabels": dict(template["metadata"]["labels"])}, "template": template},
    }
