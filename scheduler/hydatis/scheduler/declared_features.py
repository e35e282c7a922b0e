"""Features that a pod needs of the node's kubelet, and that a node declares in `status.declaredFeatures`.

The registry is that of Kubernetes' component-helpers `nodedeclaredfeatures/features`, as far as a pod that waits can
need a feature at all: the other features there matter only when a running pod is changed, and no scheduler looks at
them. A set of features is a whole number with one bit for each, so that a column of them can be compared at once.
"""

from collections.abc import Iterable, Mapping
from enum import IntFlag
from typing import Any


class DeclaredFeatures(IntFlag):
    """The features that pods can need, by the names under which nodes declare them."""

    RestartAllContainersOnContainerExits = 1
    UserNamespacesHostNetworkSupport = 2
    VolumeBindMountOptions = 4


NO_FEATURES = DeclaredFeatures(0)
_KINDS_OF_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def needed_features(spec: Mapping[str, Any]) -> DeclaredFeatures:
    """Return what a pod needs (framework.go, InferForPodScheduling)."""
    needed = NO_FEATURES
    if spec.get("hostUsers") is False and spec.get("hostNetwork"):
        needed |= DeclaredFeatures.UserNamespacesHostNetworkSupport
    # This runs for every pod that is seen, so it looks only at what is there.
    for kind in _KINDS_OF_CONTAINERS:
        if kind in spec:
            for container in spec[kind] or ():
                if "volumeMounts" in container or "restartPolicyRules" in container:
                    found = _needed_by(container)
                    needed = needed | found if found else needed
    return needed


def _needed_by(container: Mapping[str, Any]) -> DeclaredFeatures:
    needed = NO_FEATURES
    for mount in container.get("volumeMounts") or ():
        if mount.get("bindMountOptions"):
            needed = DeclaredFeatures.VolumeBindMountOptions
    for rule in container.get("restartPolicyRules") or ():
        if rule.get("action") == "RestartAllContainers":
            needed |= DeclaredFeatures.RestartAllContainersOnContainerExits
    return needed


def declared_features(names: Iterable[str]) -> DeclaredFeatures:
    """Return what a node declares, but for features that no pod can need."""
    declared = NO_FEATURES
    for name in names:
        declared |= DeclaredFeatures.__members__.get(name, NO_FEATURES)
    return declared
