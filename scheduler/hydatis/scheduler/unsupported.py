"""What a pod may ask for that no plugin here honours yet.

Such a pod is left Pending and told so; it is never bound as if it had not asked.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# Volume kinds that bind to nothing but the node the pod runs on; every other kind needs a volume plugin to judge nodes.
_VOLUMES_WITHOUT_PLACEMENT = frozenset(
    {
        "configMap",
        "downwardAPI",
        "emptyDir",
        "flexVolume",
        "gitRepo",
        "hostPath",
        "image",
        "nfs",
        "projected",
        "secret",
    }
)

_PLUGIN_BY_VOLUME = {
    "persistentVolumeClaim": "VolumeBinding",
    "ephemeral": "VolumeBinding",
    "csi": "NodeVolumeLimits",
}


def unsupported_features(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return, for each such field, its path and the plugin that would honour it."""
    return tuple(dict.fromkeys(_unsupported(spec)))


def _unsupported(spec: Mapping[str, Any]) -> Iterator[str]:
    for number, volume in enumerate(spec.get("volumes") or ()):
        for kind in volume:
            if kind != "name" and kind not in _VOLUMES_WITHOUT_PLACEMENT:
                plugin = _PLUGIN_BY_VOLUME.get(kind, "VolumeRestrictions")
                yield f"spec.volumes[{number}].{kind} (plugin {plugin})"
    if spec.get("resourceClaims"):
        yield "spec.resourceClaims (plugin DynamicResources)"
    if spec.get("schedulingGroup") or spec.get("workloadRef"):
        yield "spec.schedulingGroup (plugin GangScheduling)"
