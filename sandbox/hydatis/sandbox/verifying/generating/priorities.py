"""Who goes before whom: priorities, who has run for how long, disruption budgets, and nodes that are kept for a pod."""

from random import Random

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating.chance import few

_LOWEST = -10
_PRIORITIES = (_LOWEST, 0, 0, 5, 5, 100, 2_000_000_000)
_ALONE = "team-b"
"""A namespace without nominated pods."""
NEVER_DISPLACED = 2_000_000_001
"""Above the priority of every candidate."""
_STARTED = ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
_APPS = ("web", "db", "cache")
LEAVING = "leaving"
"""A namespace of its own. kube-scheduler counts a pod of the waiting pod's namespace that is on its way out for nothing
when it reckons a spread, and yet as one fewer when preemption takes it away; HYDATIS does not.
"""
_PODS = tuple(f"pod-{position}-{place}" for position in range(3) for place in range(3))
"""Names of some pods that run."""


def priority(random: Random, pod: Manifest) -> None:
    """Give the pod a priority."""
    pod["spec"]["priority"] = random.choice(_PRIORITIES)


def preemption_policy(random: Random, pod: Manifest) -> None:
    """Say whether the pod may displace others."""
    pod["spec"]["preemptionPolicy"] = random.choice(("Never", "PreemptLowerPriority"))


def nominated_node(random: Random, pod: Manifest) -> None:
    """Keep a node for the pod, which may not be there."""
    pod["status"]["nominatedNodeName"] = random.choice(("n0", "n0", "n1", "n2", "n3", "gone"))


def started(random: Random, pod: Manifest) -> None:
    """Let the pod have run for a while."""
    pod["status"]["startTime"] = random.choice(_STARTED)


def terminating(random: Random, pod: Manifest) -> None:
    """Let the pod be on its way out, perhaps for another pod."""
    pod["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    if random.random() < 0.4:
        pod["spec"]["priority"] = NEVER_DISPLACED
    else:
        pod["metadata"]["namespace"] = LEAVING
    if random.random() < 0.7:
        reason = random.choice(("PreemptionByScheduler", "PreemptionByScheduler", "EvictionByEvictionAPI"))
        status = "True" if random.random() < 0.9 else "False"
        pod["status"]["conditions"] = [{"type": "DisruptionTarget", "status": status, "reason": reason}]


def gate(pod: Manifest) -> None:
    """Keep a pod from being tried, so that only its nomination counts.

    kube-scheduler overlooks a nominated pod's anti-affinity as long as no placed pod states any; HYDATIS does not.
    """
    pod["spec"]["schedulingGates"] = [{"name": "example.com/wait"}]
    pod["spec"].get("affinity", {}).pop("podAntiAffinity", None)
    if pod["metadata"]["namespace"] == _ALONE:
        pod["metadata"]["namespace"] = "default"


def keep_to_itself(pod: Manifest) -> None:
    """Let a pod that is to be spread among all pods of its namespace displace nobody, and heed no nominated pod.

    kube-scheduler counts no pod for an empty selector when it reckons the spread, and yet every one that preemption
    takes away or a nomination adds; HYDATIS does neither.
    """
    constraints = pod["spec"].get("topologySpreadConstraints", ())
    if any(not constraint.get("labelSelector", True) for constraint in constraints):
        pod["metadata"]["namespace"] = _ALONE
        pod["spec"]["priority"] = _LOWEST


def disruption_budgets(random: Random, namespace: str) -> list[Manifest]:
    """Make budgets of which no two cover the same pod: which of them breaks first would be for chance to say."""
    selectors: list[Manifest] = [
        {"matchLabels": {"app": app}}
        if random.random() < 0.7
        else {"matchExpressions": [{"key": "app", "operator": "In", "values": [app]}]}
        for app in random.sample(_APPS, random.randint(0, len(_APPS)))
    ]
    if random.random() < 0.3:
        # Covers nothing.
        selectors.append({})
    return [_budget(random, namespace, f"budget-{number}", selector) for number, selector in enumerate(selectors)]


def _budget(random: Random, namespace: str, name: str, selector: Manifest) -> Manifest:
    status: Manifest = {"disruptionsAllowed": random.choice((0, 0, 1, 2))}
    if random.random() < 0.4:
        names = few(random, lambda chooser: chooser.choice(_PODS), 4)
        status["disruptedPods"] = dict.fromkeys(names, "2026-01-01T00:00:00Z")
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": selector},
        "status": status,
    }
