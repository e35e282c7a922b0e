"""What pods have to heed of other pods: labels, owners, affinity, spread constraints, and the objects behind them."""

from random import Random
from typing import Any

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating.chance import few
from hydatis.sandbox.verifying.generating.priorities import LEAVING

NAMESPACES = ("default", "default", "default", "team-a", "team-b")
_TOPOLOGY_KEYS = (
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/zone",
    "kubernetes.io/hostname",
    "disk",
    "absent",
)
_LABELS = {"app": ("web", "db", "cache"), "version": ("1", "2"), "tier": ("", "gold")}
_CONTROLLERS = (
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("v1", "ReplicationController"),
    ("batch/v1", "Job"),
)


def neighbourhood(random: Random, *, workloads: bool) -> list[Manifest]:
    """Make the namespaces of a cluster and, if asked for, services and controllers."""
    made = [_namespace(random, name) for name in dict.fromkeys((*NAMESPACES, LEAVING))]
    if workloads:
        for namespace in dict.fromkeys(NAMESPACES):
            made += [_service(random, namespace, position) for position in range(random.randint(0, 2))]
            for api_version, controller in _CONTROLLERS[:3]:
                if random.random() < 0.6:
                    made.append(_controller(random, api_version, controller, namespace))
    return made


def namespace(random: Random, pod: Manifest) -> None:
    """Put the pod into any namespace."""
    pod["metadata"]["namespace"] = random.choice(NAMESPACES)


def labels(random: Random, pod: Manifest) -> None:
    """Label the pod."""
    pod["metadata"]["labels"] = _some_labels(random)


def owner(random: Random, pod: Manifest) -> None:
    """Let a controller own the pod."""
    api_version, kind = random.choice(_CONTROLLERS)
    reference = {"apiVersion": api_version, "kind": kind, "name": "owner", "uid": "owner", "controller": True}
    if random.random() < 0.1:
        del reference["controller"]
    pod["metadata"]["ownerReferences"] = [reference]


def pod_affinity(random: Random, pod: Manifest) -> None:
    """Draw the pod to other pods."""
    _affinity(random, pod, "podAffinity")


def pod_anti_affinity(random: Random, pod: Manifest) -> None:
    """Keep the pod away from other pods."""
    _affinity(random, pod, "podAntiAffinity")


def spread_constraints(random: Random, pod: Manifest) -> None:
    """Spread the pod's like over domains."""
    pod["spec"]["topologySpreadConstraints"] = few(random, _constraint, 3)


def _affinity(random: Random, pod: Manifest, kind: str) -> None:
    stated: Manifest = {}
    if random.random() < 0.6:
        stated["requiredDuringSchedulingIgnoredDuringExecution"] = few(random, _term, 2)
    if random.random() < 0.6:
        stated["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": random.choice((1, 2, 10, 100)), "podAffinityTerm": _term(random)}
            for _ in range(random.randint(1, 3))
        ]
    if stated:
        pod["spec"].setdefault("affinity", {})[kind] = stated


def _term(random: Random) -> Manifest:
    term: Manifest = {"topologyKey": random.choice(_TOPOLOGY_KEYS)}
    if random.random() < 0.95:
        term["labelSelector"] = _selector(random)
    if random.random() < 0.2:
        term["namespaces"] = random.sample(("default", "team-a", "team-b", "gone"), random.randint(1, 2))
    if random.random() < 0.2:
        term["namespaceSelector"] = random.choice(({}, {"matchLabels": {"team": "a"}}, _selector(random)))
    return term


def _constraint(random: Random) -> Manifest:
    when = random.choice(("DoNotSchedule", "ScheduleAnyway"))
    constraint: Manifest = {
        "topologyKey": random.choice(_TOPOLOGY_KEYS),
        "maxSkew": random.choice((1, 1, 2, 5)),
        "whenUnsatisfiable": when,
    }
    if random.random() < 0.95:
        constraint["labelSelector"] = _selector(random)
    if when == "DoNotSchedule" and random.random() < 0.3:
        constraint["minDomains"] = random.randint(1, 4)
    for policy in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if random.random() < 0.4:
            constraint[policy] = random.choice(("Honor", "Ignore"))
    if "labelSelector" in constraint and random.random() < 0.3:
        used = {e["key"] for e in constraint["labelSelector"].get("matchExpressions", ())}
        used |= constraint["labelSelector"].get("matchLabels", {}).keys()
        free = [key for key in ("app", "version", "absent") if key not in used]
        if free:
            constraint["matchLabelKeys"] = [random.choice(free)]
    return constraint


def _selector(random: Random) -> Manifest:
    if random.random() < 0.08:
        return {}
    if random.random() < 0.6:
        return {"matchLabels": {"app": random.choice(_LABELS["app"])}}
    return {"matchExpressions": few(random, _requirement, 2)}


def _requirement(random: Random) -> Manifest:
    key = random.choice(tuple(_LABELS))
    operator = random.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    if operator in {"Exists", "DoesNotExist"}:
        return {"key": key, "operator": operator}
    return {"key": key, "operator": operator, "values": random.sample(_LABELS[key], random.randint(1, 2))}


def _some_labels(random: Random) -> dict[str, Any]:
    return {key: random.choice(values) for key, values in _LABELS.items() if random.random() < 0.7}


def _namespace(random: Random, name: str) -> Manifest:
    own = {"team": random.choice(("a", "b"))} if random.random() < 0.7 else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": own}}


def _service(random: Random, namespace: str, position: int) -> Manifest:
    spec: Manifest = {"selector": _some_labels(random)} if random.random() < 0.85 else {}
    if not spec.get("selector"):
        spec = {}
    metadata = {"name": f"service-{position}", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _controller(random: Random, api_version: str, kind: str, namespace: str) -> Manifest:
    selector: Manifest = {"app": random.choice(_LABELS["app"])}
    if kind != "ReplicationController":
        selector = _selector(random)
    metadata = {"name": "owner", "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {"selector": selector}}
