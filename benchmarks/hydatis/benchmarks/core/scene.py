"""A large cluster in the decision core's memory: nodes in three zones, and running pods of every shape.

Called by the measurement. The core places the running pods itself, so that the scene breaks no rule; what it decided
is kept as a list of events, from which equal schedulers are made again in a second. The same arguments give the same
scene.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hydatis.benchmarks.core import claims
from hydatis.benchmarks.core.shapes import (
    DEDICATED,
    DEDICATED_TO,
    NAMESPACE,
    NODE_CPU_CORES,
    NODE_MEMORY_GIB,
    SHAPES,
    Shape,
)
from hydatis.scheduler.events import Event, NamespaceSeen, NodeSeen, PodSeen, WorkloadSeen
from hydatis.scheduler.instructions import Bind
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.workloads import Workload
from hydatis.simulations.clusters import Manifest, uniform_nodes

_DEDICATED_EVERY = 20
"""One node of so many is tainted for the pods that tolerate it."""
_BATCH = 25
"""Pods of an app that are placed in a row before it is another's turn: alike enough to be quick, and no app has the
last nodes to itself."""
NOW = 0.0
"""Nothing here waits, so the core's clock stands still."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is there before a decision is measured."""

    nodes: int
    pods: int
    seed: int
    events: Sequence[Event] = field(repr=False)
    seconds: float
    """What it took the core to place all running pods, one decision each."""

    def scheduler(self, profile: Profile | None = None) -> Scheduler:
        """Make a scheduler that has seen all of it."""
        scheduler = Scheduler(random=np.random.default_rng(self.seed), profile=profile)
        for event in self.events:
            scheduler.handle(event, NOW)
        return scheduler


def build(nodes: int, pods: int, apps: int, seed: int) -> Scene:
    """Fill `nodes` nodes with `pods` running pods of `apps` apps of each shape.

    Raises:
        RuntimeError: the core found no node for one of them, a fault of the scene.

    """
    scheduler = Scheduler(random=np.random.default_rng(seed))
    events: list[Event] = [NamespaceSeen({"metadata": {"name": NAMESPACE, "labels": {}}})]
    events += [NodeSeen(manifest) for manifest in _nodes(nodes)]
    events += claims.storage(node["metadata"]["name"] for node in _nodes(nodes))
    events += _services(apps)
    for event in events:
        scheduler.handle(event, NOW)
    running = [shape for shape in SHAPES.values() if shape.runs]
    started = time.perf_counter()
    for index in range(pods):
        app, shape = divmod(index // _BATCH, len(running))
        events += _run(scheduler, running[shape], app % apps)
    return Scene(nodes, pods, seed, events, time.perf_counter() - started)


def _run(scheduler: Scheduler, shape: Shape, app: int) -> list[Event]:
    """Let the core place one pod, and confirm it as the API server would; the events that tell of the running pod."""
    builder = shape.pod(app)
    waiting = [*claims.unbound(shape, builder), PodSeen(builder.manifest())]
    for event in waiting:
        scheduler.handle(event, NOW)
    placed = scheduler.schedule_next(NOW)
    if not isinstance(placed, Bind):
        raise RuntimeError(f"no node takes another pod of {shape.app(app)}: {placed}")  # noqa: TRY004  no argument's type
    running = [*claims.bound(shape, builder, placed.node), PodSeen(builder.on(placed.node).manifest())]
    for event in running:
        scheduler.handle(event, NOW)
    return running


def _nodes(count: int) -> list[Manifest]:
    manifests = uniform_nodes(count, cpu_cores=NODE_CPU_CORES, memory_gib=NODE_MEMORY_GIB, pods=250)
    for manifest in manifests[::_DEDICATED_EVERY]:
        manifest["spec"]["taints"] = [{"key": DEDICATED, "value": DEDICATED_TO, "effect": "NoSchedule"}]
        manifest["metadata"]["labels"][DEDICATED] = DEDICATED_TO
    return manifests


def _services(apps: int) -> list[Event]:
    return [_service(shape.app(number)) for shape in SHAPES.values() if shape.service for number in range(apps)]


def _service(app: str) -> Event:
    manifest: dict[str, Any] = {"metadata": {"name": app, "namespace": NAMESPACE}, "spec": {"selector": {"app": app}}}
    return WorkloadSeen(Workload("Service", NAMESPACE, app), manifest)
