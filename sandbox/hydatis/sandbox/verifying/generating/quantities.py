"""Amounts of resources, ordinary and odd.

Bounds: a node offers at most 64Pi of anything, since kube-scheduler multiplies it by 100 in 64 bits, and a request is
at most about a ninetieth of what 64 bits hold, so that the sums on a node stay within them: beyond that its arithmetic
wraps around, which HYDATIS does not copy.
"""

from random import Random
from typing import Any

_CPU = ("100m", "250m", "500m", "1", "1500m", "2", "4")
_ODD_CPU = ("0", "0m", "1m", "0.5", "2e3", "1e-1", "100u", "1n", "1.0005", 1, 2, "1k", ".5", "+1", "1E1", "100T")
_MEMORY = ("64Mi", "128Mi", "1Gi", "1.5Gi", "2Gi", "512M", "4Gi")
_ODD_MEMORY = ("0", "0.1Gi", "1500m", "100m", "1", "2e9", "123456789", "1.1Ki", "1Ti", 1048576, "3e3", "100P", "90Pi")
_STORAGE = ("0", "1Gi", "500Mi", "10Gi", "1500m", "0.1Gi", "2e9")
EXTENDED = ("example.com/gpu", "nvidia.com/gpu", "requests.example.com/quota", "kubernetes.io/batch", "hugepages-2Mi")
"""The third starts like a quota's name and counts for nothing; the fourth is a prefixed native resource."""

_NODE_CPU = ("1", "2", "4", "8", "16", "32", "64", "1930m", "15.92")
_ODD_NODE_CPU = ("0", "100m", "96", "1e3", "64T", 4)
_NODE_MEMORY = ("2Gi", "4Gi", "8Gi", "16Gi", "64Gi", "128Gi", "7.5Gi", "15893012Ki")
_ODD_NODE_MEMORY = ("0", "100Mi", "1Ti", "2e10", "64Pi", "1500m")
_NODE_STORAGE = ("0", "1Gi", "20Gi", "47093746742", "100G")
_NODE_PODS = ("0", "1", "2", "3", "5", "110", "250")


def requests(random: Random) -> dict[str, Any]:
    """What a container requests."""
    amounts: dict[str, Any] = {}
    if random.random() < 0.8:
        amounts["cpu"] = random.choice(_CPU if random.random() < 0.8 else _ODD_CPU)
    if random.random() < 0.8:
        amounts["memory"] = random.choice(_MEMORY if random.random() < 0.8 else _ODD_MEMORY)
    if random.random() < 0.1:
        amounts["ephemeral-storage"] = random.choice(_STORAGE)
    if random.random() < 0.12:
        name = random.choice(EXTENDED)
        amounts[name] = random.choice(("0", "2Mi", "4Mi")) if name.startswith("huge") else random.choice("0123")
    return amounts


def pod_level_requests(random: Random) -> dict[str, Any]:
    """What a pod requests as a whole: only cpu, memory and huge pages may be.

    Memory is whole here. The API server writes 1.5Gi as 1536Mi; given the former, kube-scheduler adds a pod's overhead
    to the specification itself, once more each time it looks.
    """
    amounts: dict[str, Any] = {}
    if random.random() < 0.6:
        amounts["cpu"] = random.choice((*_CPU, "0", "1n", "2e3"))
    if random.random() < 0.6:
        amounts["memory"] = random.choice(("0", "64Mi", "1Gi", "1536Mi", "2e9", "1500m"))
    if random.random() < 0.1 or not amounts:
        amounts["hugepages-2Mi"] = random.choice(("0", "2Mi", "4Mi"))
    return amounts


def small_requests(random: Random) -> dict[str, Any]:
    """What a pod's sandbox takes on top, or a kubelet has allocated."""
    amounts: dict[str, Any] = {}
    if random.random() < 0.8:
        amounts["cpu"] = random.choice(("10m", "250m", "1", "0", "3"))
    if random.random() < 0.8:
        amounts["memory"] = random.choice(("16Mi", "120Mi", "1Gi", "0", "1500m"))
    return amounts


def allocatable(random: Random) -> dict[str, Any]:
    """What a node offers."""
    amounts: dict[str, Any] = {
        "cpu": random.choice(_NODE_CPU if random.random() < 0.9 else _ODD_NODE_CPU),
        "memory": random.choice(_NODE_MEMORY if random.random() < 0.9 else _ODD_NODE_MEMORY),
        "pods": "110" if random.random() < 0.7 else random.choice(_NODE_PODS),
    }
    for name in tuple(amounts):
        if random.random() < 0.03:
            del amounts[name]
    if random.random() < 0.4:
        amounts["ephemeral-storage"] = random.choice(_NODE_STORAGE)
    for name in EXTENDED:
        if random.random() < 0.3:
            amounts[name] = random.choice(("0", "4Mi", "64Mi")) if name.startswith("huge") else random.choice("0128")
    return amounts
