"""Kubernetes' own scheduler benchmarks: the workloads of scheduler_perf, as its configuration files state them.

Called by the series and the command line. Names, pods, nodes, and the order of things are those of Kubernetes
v1.37.2's test/integration/scheduler_perf (`*/performance-config.yaml` and `templates/`); a size between its sizes is
scaled from the next smaller one. What differs, because here a whole control plane runs: pods get their priority by a
PriorityClass, and names are given instead of generated.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.workload import Churn
from hydatis.simulations.clusters import Manifest

DEFAULT_NODES = 500
"""The smallest size that upstream measures in most workloads; two cores take a minute or two for a run of it."""

INITIAL_NAMESPACE = "sched-0"
MEASURED_NAMESPACE = "sched-1"
CHURN_NAMESPACE = "churn"
_NAMESPACES = ["sched-1", "sched-0"]
"""Those that the affinity terms of the templates name."""
_ZONE = "topology.kubernetes.io/zone"
_HOST = "kubernetes.io/hostname"
_NODE_CPU_CORES = 4
_NODE_MEMORY = "32Gi"
_MOST_PODS_PER_NODE = 28
"""Seven tenths of the 40 pods of the templates that a node's CPU holds: a fuller cluster measures luck in packing."""
_LOW_PRIORITY_PER_NODE = 4
_ROOM_ON_FULL_NODES = 2
"""Of the 4 small pods that a node has room for beside the pods of low priority, as many may be measured."""
_HIGH_PRIORITY = "bench-high-priority"
_HIGHEST_PRIORITY = "bench-highest-priority"
PRIORITIES: Mapping[str, int] = MappingProxyType({_HIGH_PRIORITY: 10, _HIGHEST_PRIORITY: 9_999_999})
"""Names of PriorityClasses to their values; pods without one have priority 0."""
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True)
class Template:
    """A pod of upstream's templates."""

    name: str
    """The template file's, without its suffix."""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    spec: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    requests: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"cpu": "100m", "memory": "500Mi"}))

    def manifest(self, namespace: str, scheduler_name: str, name: str | None = None) -> Manifest:
        """Write one pod; without a name the API server makes one up."""
        named = {"name": name} if name is not None else {"generateName": f"{self.name}-"}
        container: Manifest = {
            "name": "pause",
            "image": "registry.k8s.io/pause:3.10.2",
            "ports": [{"containerPort": 80}],
            "resources": {"requests": dict(self.requests), "limits": dict(self.requests)} if self.requests else {},
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**named, "namespace": namespace, "labels": dict(self.labels)},
            "spec": {
                "schedulerName": scheduler_name,
                "terminationGracePeriodSeconds": 0,
                "containers": [container],
                **copy.deepcopy(dict(self.spec)),
            },
        }


def _term(color: str, topology_key: str) -> dict[str, Any]:
    selector = {"matchLabels": {"color": color}}
    return {"labelSelector": selector, "topologyKey": topology_key, "namespaces": _NAMESPACES}


def _preferred(color: str) -> list[dict[str, Any]]:
    return [{"weight": 1, "podAffinityTerm": _term(color, _HOST)}]


def _spread(when: str) -> dict[str, Any]:
    selector = {"matchLabels": {"color": "blue"}}
    constraint = {"maxSkew": 5, "topologyKey": _ZONE, "whenUnsatisfiable": when, "labelSelector": selector}
    return {"topologySpreadConstraints": [constraint]}


_ZONES_1_AND_2 = [{"matchExpressions": [{"key": _ZONE, "operator": "In", "values": ["zone1", "zone2"]}]}]

DEFAULT = Template("pod-default")
WITH_LABEL = Template("pod-with-label", {"app": "scheduler-perf"}, requests={})
POD_AFFINITY = Template(
    "pod-with-pod-affinity",
    {"color": "blue"},
    {"affinity": {"podAffinity": {_REQUIRED: [_term("blue", _ZONE)]}}},
)
POD_ANTI_AFFINITY = Template(
    "pod-with-pod-anti-affinity",
    {"color": "green"},
    {"affinity": {"podAntiAffinity": {_REQUIRED: [_term("green", _HOST)]}}},
)
PREFERRED_POD_AFFINITY = Template(
    "pod-with-preferred-pod-affinity", {"color": "red"}, {"affinity": {"podAffinity": {_PREFERRED: _preferred("red")}}}
)
PREFERRED_POD_ANTI_AFFINITY = Template(
    "pod-with-preferred-pod-anti-affinity",
    {"color": "yellow"},
    {"affinity": {"podAntiAffinity": {_PREFERRED: _preferred("yellow")}}},
)
NODE_AFFINITY = Template(
    "pod-with-node-affinity",
    spec={"affinity": {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": _ZONES_1_AND_2}}}},
)
TOPOLOGY_SPREADING = Template("pod-with-topology-spreading", {"color": "blue"}, _spread("DoNotSchedule"))
PREFERRED_TOPOLOGY_SPREADING = Template(
    "pod-with-preferred-topology-spreading", {"color": "blue"}, _spread("ScheduleAnyway")
)
LARGE_CPU = Template(
    "pod-high-priority-large-cpu",
    spec={"priorityClassName": _HIGH_PRIORITY},
    # More than any node has: such a pod waits as long as it lives.
    requests={"cpu": "9", "memory": "500Mi"},
)
LOW_PRIORITY = Template("pod-low-priority", requests={"cpu": "900m", "memory": "500Mi"})
"""A node has room for four."""
HIGH_PRIORITY = Template(
    "pod-high-priority",
    spec={"priorityClassName": _HIGHEST_PRIORITY},
    # On a node with four of low priority, all four have to go.
    requests={"cpu": "3970m", "memory": "500Mi"},
)

_CHURN_NODE: Manifest = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"generateName": "node-churn-"},
    "status": {"capacity": {"pods": "0"}, "conditions": [{"type": "Ready", "status": "True"}]},
}
_CHURN_SERVICE: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"generateName": "service-churn-", "namespace": CHURN_NAMESPACE},
    "spec": {"selector": {"app": "foo"}, "ports": [{"protocol": "TCP", "port": 8080, "targetPort": 8080}]},
}
_SERVICE: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "scheduler-perf", "namespace": MEASURED_NAMESPACE},
    "spec": {"selector": {"app": "scheduler-perf"}, "ports": [{"protocol": "TCP", "port": 80, "targetPort": 8000}]},
}


@dataclass(frozen=True, slots=True)
class Size:
    """One of upstream's sizes."""

    nodes: int
    initial: int
    """Of each template in `Definition.initial`."""
    measured: int

    def scaled(self, nodes: int) -> "Size":
        """Give the same for another number of nodes, rounded up."""
        return Size(nodes, math.ceil(self.initial * nodes / self.nodes), math.ceil(self.measured * nodes / self.nodes))


@dataclass(frozen=True, slots=True)
class Definition:
    """One workload of scheduler_perf."""

    name: str
    measured: Template
    sizes: tuple[Size, ...]
    """Smallest first."""
    initial: tuple[Template, ...] = ()
    zones: tuple[str, ...] = ()
    """Values of the nodes' zone label in turn; without any, nodes have none."""
    most_pods_per_node: int = _MOST_PODS_PER_NODE
    service: bool = False
    """A Service selects the measured pods."""
    churn_pods: Template | None = None
    churn_seconds: float = 1.0
    churn_recreates: bool = False
    """Nodes and services come and go with the pods."""
    preempts: bool = False
    """Pods displace others."""

    def size(self, nodes: int) -> Size:
        """Scale the largest of upstream's sizes that is not above `nodes`, or its smallest."""
        below = [size for size in self.sizes if size.nodes <= nodes]
        return (below[-1] if below else self.sizes[0]).scaled(nodes)


_USUAL = (Size(500, 500, 1000), Size(5000, 5000, 1000))
_SPREADING = (Size(500, 1000, 1000), Size(5000, 5000, 2000))
_MOONS = ("moon-1", "moon-2", "moon-3")

DEFINITIONS: Mapping[str, Definition] = MappingProxyType(
    {
        definition.name: definition
        for definition in (
            Definition("SchedulingBasic", DEFAULT, (Size(500, 500, 1000), Size(5000, 1000, 1000)), (DEFAULT,)),
            Definition("SchedulingPodAffinity", POD_AFFINITY, _USUAL, (POD_AFFINITY,), ("zone1",)),
            Definition("SchedulingPreferredPodAffinity", PREFERRED_POD_AFFINITY, _USUAL, (PREFERRED_POD_AFFINITY,)),
            Definition(
                "SchedulingPodAntiAffinity",
                POD_ANTI_AFFINITY,
                (Size(500, 100, 400), Size(5000, 1000, 1000)),
                (POD_ANTI_AFFINITY,),
                most_pods_per_node=1,
            ),
            Definition(
                "SchedulingPreferredPodAntiAffinity",
                PREFERRED_POD_ANTI_AFFINITY,
                _USUAL,
                (PREFERRED_POD_ANTI_AFFINITY,),
            ),
            Definition("SchedulingNodeAffinity", NODE_AFFINITY, _USUAL, (NODE_AFFINITY,), ("zone1",)),
            Definition("TopologySpreading", TOPOLOGY_SPREADING, _SPREADING, (DEFAULT,), _MOONS),
            Definition("PreferredTopologySpreading", PREFERRED_TOPOLOGY_SPREADING, _SPREADING, (DEFAULT,), _MOONS),
            Definition(
                "DefaultTopologySpreading",
                WITH_LABEL,
                (Size(500, 1000, 1000), Size(5000, 5000, 10000)),
                (DEFAULT,),
                _MOONS,
                service=True,
            ),
            Definition(
                "MixedSchedulingBasePod",
                DEFAULT,
                (Size(500, 200, 1000), Size(5000, 2000, 1000)),
                (DEFAULT, POD_AFFINITY, POD_ANTI_AFFINITY, PREFERRED_POD_AFFINITY, PREFERRED_POD_ANTI_AFFINITY),
                ("zone1",),
            ),
            Definition(
                "SchedulingWithMixedChurn",
                DEFAULT,
                (Size(1000, 0, 1000), Size(5000, 0, 2000)),
                churn_pods=LARGE_CPU,
                churn_recreates=True,
            ),
            Definition(
                "Unschedulable",
                DEFAULT,
                (Size(500, 10, 1000), Size(5000, 100, 1000)),
                (DEFAULT,),
                churn_pods=LARGE_CPU,
                churn_seconds=0.2,
            ),
            Definition(
                "PreemptionBasic",
                HIGH_PRIORITY,
                (Size(1000, 4000, 1000),),
                (LOW_PRIORITY,),
                most_pods_per_node=_LOW_PRIORITY_PER_NODE + 1,
                preempts=True,
            ),
            Definition(
                "PreemptionAsync",
                DEFAULT,
                (Size(500, 2000, 500), Size(5000, 20000, 5000)),
                (LOW_PRIORITY,),
                most_pods_per_node=_LOW_PRIORITY_PER_NODE + _ROOM_ON_FULL_NODES,
                churn_pods=HIGH_PRIORITY,
                churn_seconds=0.2,
                preempts=True,
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class PerfWorkload:
    """A workload of scheduler_perf in one size."""

    definition: Definition
    size: Size
    pods: int

    @property
    def kind(self) -> str:
        """Upstream's name."""
        return self.definition.name

    @property
    def namespace(self) -> str:
        """Where the measured pods are."""
        return MEASURED_NAMESPACE

    @property
    def other_namespaces(self) -> Sequence[str]:
        """Where the initial pods are, and what comes and goes."""
        return (INITIAL_NAMESPACE, CHURN_NAMESPACE)

    @property
    def preempts(self) -> bool:
        """Whether pods displace others."""
        return self.definition.preempts

    def node_manifests(self, count: int) -> list[Manifest]:
        """Write upstream's nodes: 4 cores, 32 GiB, 110 pods.

        Raises:
            BenchError: they do not hold the pods.

        """
        pods = self.size.initial * len(self.definition.initial) + self.pods
        most = self.definition.most_pods_per_node
        if pods > count * most:
            raise BenchError(
                f"--nodes {count} are too few for {pods} pods of {self.kind}, at most {most} on a node; "
                f"use {math.ceil(pods / most)} nodes or fewer pods."
            )
        return [self._node(index) for index in range(count)]

    def objects(self) -> Sequence[tuple[str, Manifest]]:
        """Write the PriorityClasses, and the Service of the pods that are measured."""
        found: list[tuple[str, Manifest]] = [
            (
                "/apis/scheduling.k8s.io/v1/priorityclasses",
                {
                    "apiVersion": "scheduling.k8s.io/v1",
                    "kind": "PriorityClass",
                    "metadata": {"name": name},
                    "value": value,
                },
            )
            for name, value in PRIORITIES.items()
        ]
        if self.definition.service:
            found.append((f"/api/v1/namespaces/{MEASURED_NAMESPACE}/services", _SERVICE))
        return found

    def initial_manifests(self, scheduler_name: str) -> list[Manifest]:
        """Write the pods that upstream schedules before it measures, template after template."""
        return [
            template.manifest(INITIAL_NAMESPACE, scheduler_name, f"initial-{template.name}-{index:06d}")
            for template in self.definition.initial
            for index in range(self.size.initial)
        ]

    def pod_manifests(self, scheduler_name: str) -> list[Manifest]:
        """Write the pods that are measured."""
        template = self.definition.measured
        return [
            template.manifest(MEASURED_NAMESPACE, scheduler_name, f"{template.name}-{index:06d}")
            for index in range(self.pods)
        ]

    def churn(self, scheduler_name: str) -> Churn | None:
        """Write what upstream creates while it measures."""
        definition = self.definition
        if definition.churn_pods is None:
            return None
        pod = definition.churn_pods.manifest(CHURN_NAMESPACE, scheduler_name)
        manifests = [_CHURN_NODE, pod, _CHURN_SERVICE] if definition.churn_recreates else [pod]
        return Churn(manifests, definition.churn_seconds, definition.churn_recreates)

    def _node(self, index: int) -> Manifest:
        name = f"scheduler-perf-{index:05d}"
        labels = {_HOST: name}
        if self.definition.zones:
            labels[_ZONE] = self.definition.zones[index % len(self.definition.zones)]
        capacity = {"cpu": str(_NODE_CPU_CORES), "memory": _NODE_MEMORY, "pods": "110"}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "status": {
                "capacity": capacity,
                "allocatable": capacity,
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }
