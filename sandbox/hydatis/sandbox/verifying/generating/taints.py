"""Taints and tolerations, cordons among them."""

from random import Random

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating.chance import few

_CORDON = "node.kubernetes.io/unschedulable"
_KEYS = ("dedicated", "gpu", "node.kubernetes.io/not-ready", "level", _CORDON)
_VALUES = ("", "batch", "web", "5")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def taints(random: Random, node: Manifest) -> None:
    """Taint the node; a key may come with several effects, each once."""
    pairs = [(key, effect) for key in _KEYS for effect in _EFFECTS]
    # Nodes that repel are fewer than nodes that only discourage, or nothing would be feasible.
    wanted = [
        pair for pair in random.sample(pairs, 5) if random.random() < (0.5 if pair[1] == "PreferNoSchedule" else 0.1)
    ]
    node["spec"]["taints"] = [_taint(random, key, effect) for key, effect in wanted]


def cordon(random: Random, node: Manifest) -> None:
    """Cordon the node, most often with the taint that goes with it."""
    node["spec"]["unschedulable"] = True
    if random.random() < 0.3:
        rest = [t for t in node["spec"].get("taints", ()) if (t["key"], t["effect"]) != (_CORDON, "NoSchedule")]
        node["spec"]["taints"] = [*rest, {"key": _CORDON, "effect": "NoSchedule"}]


def tolerations(random: Random, pod: Manifest) -> None:
    """Tolerate some taints: of every operator, key and effect, or all of them."""
    pod["spec"]["tolerations"] = few(random, _toleration, 4)


def tolerates_cordon(random: Random, pod: Manifest) -> None:
    """Tolerate a cordon as the pods of a DaemonSet do."""
    entry = {"key": _CORDON, "operator": "Exists", "effect": "NoSchedule"}
    pod["spec"].setdefault("tolerations", []).append(entry)


def _taint(random: Random, key: str, effect: str) -> Manifest:
    taint = {"key": key, "effect": effect}
    value = random.choice(_VALUES)
    return taint | {"value": value} if value else taint


def _toleration(random: Random) -> Manifest:
    drawn = random.random()
    toleration: Manifest
    if drawn < 0.08:
        # An empty key with Exists stands for every taint.
        toleration = {"operator": "Exists"}
    elif drawn < 0.45:
        toleration = {"key": random.choice(_KEYS), "operator": "Exists"}
    elif drawn < 0.95:
        toleration = {"key": random.choice(_KEYS), "value": random.choice(_VALUES)}
        if random.random() < 0.7:
            toleration["operator"] = "Equal"
    else:
        # Stored while the feature of comparing tolerations was on; it is off by default.
        toleration = {"key": "level", "operator": random.choice(("Lt", "Gt")), "value": random.choice(("4", "6"))}
    if random.random() < 0.7:
        toleration["effect"] = random.choice(_EFFECTS)
    if toleration.get("effect") == "NoExecute" and random.random() < 0.5:
        toleration["tolerationSeconds"] = random.choice((0, 300))
    return toleration
