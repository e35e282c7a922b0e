"""What a pod may ask for that no plugin here honours yet.

Such a pod is left Pending and told so; it is never bound as if it had not asked.
"""

from collections.abc import Iterator, Mapping
from typing import Any

KNOWN_VOLUMES = frozenset(
    {
        "awsElasticBlockStore",
        "azureDisk",
        "azureFile",
        "cephfs",
        "cinder",
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "fc",
        "flexVolume",
        "flocker",
        "gcePersistentDisk",
        "gitRepo",
        "glusterfs",
        "hostPath",
        "image",
        "iscsi",
        "nfs",
        "persistentVolumeClaim",
        "photonPersistentDisk",
        "portworxVolume",
        "projected",
        "quobyte",
        "rbd",
        "scaleIO",
        "secret",
        "storageos",
        "vsphereVolume",
    }
)
"""The kinds of volumes that Kubernetes 1.37 has. What another one would ask of nodes is not known."""


def unsupported_features(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return, for each such field, its path and the plugin that would honour it."""
    return tuple(dict.fromkeys(_unsupported(spec)))


def _unsupported(spec: Mapping[str, Any]) -> Iterator[str]:
    for number, volume in enumerate(spec.get("volumes") or ()):
        for kind in volume.keys() - KNOWN_VOLUMES - {"name"}:
            yield f"spec.volumes[{number}].{kind} (plugin VolumeRestrictions)"
    if spec.get("resourceClaims"):
        yield "spec.resourceClaims (plugin DynamicResources)"
    if spec.get("schedulingGroup") or spec.get("workloadRef"):
        yield "spec.schedulingGroup (plugin GangScheduling)"
