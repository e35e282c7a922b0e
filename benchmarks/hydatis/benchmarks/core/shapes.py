"""The kinds of pods whose decisions are measured, one for each thing that a pod can ask of a scheduler.

Called by the scene, which fills a cluster with pods of these shapes, and by the measurement. A shape's pods come in
apps: pods of one app are alike, those of two apps are not, as it is with Deployments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hydatis.benchmarks.errors import BenchError
from hydatis.scheduler.testing import PodBuilder, expression, pod
from hydatis.scheduler.testing_storage import using
from hydatis.simulations.clusters import uniform_nodes

NAMESPACE = "core"
ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
DEDICATED = "dedicated"
"""Key of the taint and the label of nodes that are kept for pods that tolerate it."""
DEDICATED_TO = "batch"

NODE_CPU_CORES = 64
NODE_MEMORY_GIB = 256
_ALL_CPU = uniform_nodes(1, cpu_cores=NODE_CPU_CORES)[0]["status"]["allocatable"]["cpu"]
"""What pods get of a node's processors when they have it to themselves."""

_FIRST_HOST_PORT = 20_000
_HIGHER_PRIORITY = 1000
"""All running pods have priority 0."""
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of pods."""

    name: str
    feature: Callable[[PodBuilder, str, int], PodBuilder]
    """Adds to a pod of an app (its name, its number) what makes the shape."""
    runs: bool = True
    """Whether the scene has running pods of this shape; false for pods that fit nowhere."""
    service: bool = False
    """Whether a Service selects the pods of each app, so that they are spread by default."""
    claim: bool = False
    """Whether each pod has a volume claim of its own, as the pods of a StatefulSet have; see `claims`."""
    preempts: bool = False
    """Whether each pod fits only where others make way; see `victims`."""

    def app(self, number: int) -> str:
        """Name one of the shape's apps."""
        return f"{self.name.replace(' ', '-')}-{number:03}"

    def pod(self, number: int) -> PodBuilder:
        """Begin a pod of one of the apps. Apps differ in what they request, so that no two share an evaluation."""
        app = self.app(number)
        builder = pod(app, NAMESPACE).requests(cpu=f"{100 + number}m", memory="128Mi").labels(app=app)
        made = self.feature(builder, app, number)
        return using(made, claim_of(made)) if self.claim else made


def claim_of(builder: PodBuilder) -> str:
    """Name the claim of a pod that has one."""
    return f"data-{builder.uid}"


def _plain(builder: PodBuilder, app: str, number: int) -> PodBuilder:
    return builder


def _node_affinity(builder: PodBuilder, app: str, number: int) -> PodBuilder:
    return builder.required_node_affinity(
        {"matchExpressions": [expression(ZONE, "In", "zone-a", "zone-b")]}
    ).preferred_node_affinity((10, {"matchExpressions": [expression("disk", "In", "ssd")]}))


def _taints(builder: PodBuilder, app: str, number: int) -> PodBuilder:
    return builder.toleration(DEDICATED, "Equal", DEDICATED_TO, "NoSchedule").node_selector(**{DEDICATED: DEDICATED_TO})


def _host_port(builder: PodBuilder, app: str, number: int) -> PodBuilder:
    return builder.host_port(_FIRST_HOST_PORT + number)


def _affinity(kind: str, rule: str, topology_key: str) -> Callable[[PodBuilder, str, int], PodBuilder]:
    def add(builder: PodBuilder, app: str, number: int) -> PodBuilder:
        term: dict[str, Any] = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": topology_key}
        entry = term if rule == _REQUIRED else {"weight": 10, "podAffinityTerm": term}
        return builder.set_spec(affinity={kind: {rule: [entry]}})

    return add


def _spread(when: str, *topology_keys: str) -> Callable[[PodBuilder, str, int], PodBuilder]:
    def add(builder: PodBuilder, app: str, number: int) -> PodBuilder:
        constraints = [
            {
                "maxSkew": 1 if key == ZONE else 5,
                "topologyKey": key,
                "whenUnsatisfiable": when,
                "labelSelector": {"matchLabels": {"app": app}},
            }
            for key in topology_keys
        ]
        return builder.set_spec(topologySpreadConstraints=constraints)

    return add


def _too_large(builder: PodBuilder, app: str, number: int) -> PodBuilder:
    return builder.requests(cpu=f"{1000 + number}", memory="128Mi")


def _whole_node(builder: PodBuilder, app: str, number: int) -> PodBuilder:
    # Apps differ in what they request here, too.
    return builder.requests(cpu=_ALL_CPU, memory=f"{128 + number}Mi").priority(_HIGHER_PRIORITY)


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        shape.name: shape
        for shape in (
            Shape("plain", _plain),
            Shape("node affinity", _node_affinity),
            Shape("taints", _taints),
            Shape("host port", _host_port),
            Shape("required affinity", _affinity("podAffinity", _REQUIRED, ZONE)),
            Shape("preferred affinity", _affinity("podAffinity", _PREFERRED, HOST)),
            Shape("required anti-affinity", _affinity("podAntiAffinity", _REQUIRED, HOST)),
            Shape("preferred anti-affinity", _affinity("podAntiAffinity", _PREFERRED, HOST)),
            Shape("hard spread", _spread("DoNotSchedule", ZONE, HOST)),
            Shape("soft spread", _spread("ScheduleAnyway", ZONE, HOST)),
            Shape("default spread", _plain, service=True),
            Shape("volume claim", _plain, claim=True),
            Shape("fits nowhere", _too_large, runs=False),
            Shape("preempts", _whole_node, runs=False, preempts=True),
        )
    }
)


def shape_named(name: str) -> Shape:
    """Find a shape.

    Raises:
        BenchError: there is none of that name.

    """
    try:
        return SHAPES[name]
    except KeyError:
        raise BenchError(f"--shape {name!r} is unknown; choose from {', '.join(SHAPES)}.") from None
