"""Node labels, and the selectors and affinities that look for them."""

from random import Random
from typing import Any

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating.chance import few

HOSTNAME = "kubernetes.io/hostname"
_ZONE = "topology.kubernetes.io/zone"
_KEYS = (_ZONE, "disk", "generation", "example.com/pool", HOSTNAME)
_VALUES = {
    _ZONE: ("a", "b", "c"),
    "disk": ("ssd", "hdd", ""),
    "generation": ("1", "2", "10", "07", "2x", "9223372036854775807", "9223372036854775808"),
    "example.com/pool": ("blue", "green", "1"),
    HOSTNAME: ("n0", "n1", "n2"),
}
_BOUNDS = ("0", "1", "2", "7", "010", "9223372036854775807", "9223372036854775806")
_NO_INTEGERS = ("", "two", "1.5", " 1", "-1", "+2", "0x1", "1_0", "9223372036854775808")
_NO_LABEL_VALUES = ("-dash", "with space", "x" * 64, "é")
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


def node_labels(random: Random, node: Manifest) -> None:
    """Label the node."""
    labels = node["metadata"]["labels"]
    for key in _KEYS[:-1]:
        if random.random() < 0.6:
            labels[key] = random.choice(_VALUES[key])


def node_selector(random: Random, pod: Manifest) -> None:
    """Select nodes by labels."""
    keys = random.sample(_KEYS, random.choice((1, 1, 1, 2)))
    pod["spec"]["nodeSelector"] = {key: random.choice(_VALUES[key]) for key in keys}


def required_node_affinity(random: Random, pod: Manifest) -> None:
    """Require nodes that match one of a few terms; terms may be empty, contradictory or not parseable."""
    affinity = _node_affinity(pod)
    affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": few(random, _term, 3)}


def named_nodes(random: Random, pod: Manifest) -> None:
    """Require nodes by name, as the pods of a DaemonSet do."""
    terms = few(random, lambda r: {"matchFields": few(r, _named, 2)}, 2)
    if random.random() < 0.2:
        terms.append(_term(random))
    _node_affinity(pod)["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}


def preferred_node_affinity(random: Random, pod: Manifest) -> None:
    """Prefer nodes that match weighted terms."""
    affinity = _node_affinity(pod)
    affinity["preferredDuringSchedulingIgnoredDuringExecution"] = [
        {"weight": random.choice((1, 2, 3, 7, 50, 100)), "preference": _term(random)}
        for _ in range(random.randint(1, 4))
    ]


def wanted_node(random: Random, pod: Manifest) -> None:
    """Ask whether the pod would fit on a node that it names already."""
    pod["spec"]["nodeName"] = random.choice(("n0", "n1", "n2", "gone"))


def _node_affinity(pod: Manifest) -> dict[str, Any]:
    affinity: dict[str, Any] = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
    return affinity


def _term(random: Random) -> Manifest:
    term: Manifest = {}
    if random.random() < 0.95:
        term["matchExpressions"] = few(random, _expression, 2, least=0 if random.random() < 0.05 else 1)
    if random.random() < 0.15:
        term["matchFields"] = few(random, _named, 1)
    return term


def _expression(random: Random) -> Manifest:
    key = random.choice(_KEYS) if random.random() < 0.95 else "absent"
    operator = random.choice(_OPERATORS)
    if operator in {"Exists", "DoesNotExist"}:
        return {"key": key, "operator": operator}
    if operator in {"Gt", "Lt"}:
        key = "generation" if random.random() < 0.8 else key
        value = random.choice(_BOUNDS if random.random() < 0.92 else _NO_INTEGERS)
        return {"key": key, "operator": operator, "values": [value]}
    choices = _VALUES.get(key, ("any",))
    values = random.sample(choices, random.randint(1, min(2, len(choices))))
    if random.random() < 0.03:
        values.append(random.choice(_NO_LABEL_VALUES))
    return {"key": key, "operator": operator, "values": values}


def _named(random: Random) -> Manifest:
    operator = "In" if random.random() < 0.75 else "NotIn"
    name = random.choice(("n0", "n0", "n1", "n1", "n2", "n3", "gone"))
    return {"key": "metadata.name", "operator": operator, "values": [name]}
