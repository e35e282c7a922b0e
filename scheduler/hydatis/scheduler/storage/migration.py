"""In-tree volumes that a CSI driver has taken over (k8s.io/csi-translation-lib).

Five in-tree plugins are migrated for good; the volumes of others are theirs alone. A volume is translated where a node
says that the driver has taken over there.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

_ZONE, _BETA_ZONE = "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"
_REGION, _BETA_REGION = "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"
_ZONES_SEPARATOR: Final = "__"
_AWS_VOLUME = re.compile(r"vol-[^/]*")


class AttachedVolume(NamedTuple):
    """A volume as a CSI driver attaches it."""

    driver: str
    handle: str


class _Plugin(NamedTuple):
    name: str
    driver: str
    topology_key: str | None
    """The driver's node label for the zone, which takes the place of Kubernetes' own in the volume's node affinity."""


_PLUGINS: Mapping[str, _Plugin] = {
    "awsElasticBlockStore": _Plugin("kubernetes.io/aws-ebs", "ebs.csi.aws.com", "topology.ebs.csi.aws.com/zone"),
    "gcePersistentDisk": _Plugin("kubernetes.io/gce-pd", "pd.csi.storage.gke.io", "topology.gke.io/zone"),
    "azureDisk": _Plugin("kubernetes.io/azure-disk", "disk.csi.azure.com", None),
    "cinder": _Plugin("kubernetes.io/cinder", "cinder.csi.openstack.org", "topology.cinder.csi.openstack.org/zone"),
    "portworxVolume": _Plugin("kubernetes.io/portworx-volume", "pxd.portworx.com", None),
}
"""Field of a volume to the plugin behind it."""

MIGRATED_FIELDS: Final = frozenset(_PLUGINS)

_DRIVERS: Mapping[str, str] = {plugin.name: plugin.driver for plugin in _PLUGINS.values()}

_NEVER_ON = frozenset({"kubernetes.io/azure-file", "kubernetes.io/vsphere-volume"})
"""Plugins that can be translated, but for which NodeVolumeLimits does not count the migration as on."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a CSI driver makes of an in-tree PersistentVolume."""

    plugin: str
    """The in-tree plugin."""
    attached: AttachedVolume | None
    """None where the volume cannot be translated."""
    terms: Sequence[Mapping[str, Any]] | None
    """Its node affinity in the driver's labels."""


def driver_of(provisioner: str, migrated: bool) -> str | None:
    """Return the CSI driver that provisions for a class (nodevolumelimits/csi.go, getCSIDriverInfoFromSC).

    `migrated` says whether the node has taken over in-tree volumes; None: no driver is known.
    """
    if provisioner in _NEVER_ON:
        return None
    if provisioner in _DRIVERS:
        return _DRIVERS[provisioner] if migrated else None
    return provisioner or None


def inline_volume(field: str, source: Mapping[str, Any]) -> AttachedVolume | None:
    """Return what a CSI driver makes of a volume that stands in a pod itself; None where it cannot be translated."""
    handle = _handle(field, source, {})
    return None if handle is None else AttachedVolume(_PLUGINS[field].driver, handle)


def migrated(
    spec: Mapping[str, Any], labels: Mapping[str, str], terms: Sequence[Mapping[str, Any]] | None
) -> Migrated | None:
    """Translate a PersistentVolume with these labels and terms of node affinity."""
    field = next((field for field in _PLUGINS if spec.get(field) is not None), None)
    if field is None:
        return None
    plugin = _PLUGINS[field]
    handle = _handle(field, spec[field], labels)
    attached = None if handle is None else AttachedVolume(plugin.driver, handle)
    if plugin.topology_key is not None:
        terms = _translated_terms(terms, labels, plugin.topology_key)
    return Migrated(plugin.name, attached, terms)


def _handle(field: str, source: Mapping[str, Any], labels: Mapping[str, str]) -> str | None:
    match field:
        case "awsElasticBlockStore":
            return _aws_volume(source.get("volumeID", ""))
        case "gcePersistentDisk":
            place = _gce_place(labels.get(_BETA_ZONE) or labels.get(_ZONE) or "")
            return None if place is None else f"projects/UNSPECIFIED/{place}/disks/{source.get('pdName', '')}"
        case "azureDisk":
            managed = (source.get("kind") or "Managed").lower() == "managed"
            return str(source.get("diskURI", "")) if managed else None
    return str(source.get("volumeID", ""))


def _aws_volume(volume_id: str) -> str | None:
    """Return the volume's own name of `aws://zone/vol-1` (aws_ebs.go, KubernetesVolumeIDToEBSVolumeID)."""
    if not volume_id.startswith("aws://"):
        return volume_id
    _, _, path = re.split(r"[?#]", volume_id.removeprefix("aws://"), maxsplit=1)[0].partition("/")
    name = path.strip("/")
    return name if _AWS_VOLUME.fullmatch(name) else None


def _gce_place(zones_label: str) -> str | None:
    """Return the middle of a disk's handle (gce_pd.go, TranslateInTreePVToCSI)."""
    zones = zones_label.split(_ZONES_SEPARATOR)
    if len(zones) == 1:
        return f"zones/{zones[0] or 'UNSPECIFIED'}"
    parts = [zone.split("-") for zone in zones]
    regions = {"-".join(part[:2]) for part in parts}
    if any(len(part) != 3 for part in parts) or len(regions) != 1:
        return None
    return f"regions/{regions.pop()}"


def _translated_terms(
    terms: Sequence[Mapping[str, Any]] | None, labels: Mapping[str, str], topology_key: str
) -> Sequence[Mapping[str, Any]] | None:
    """Write the driver's label in the place of Kubernetes' zone (in_tree_volume.go,
    translateTopologyFromInTreeToCSI).
    """
    zone, region = _labels_used(terms or (), labels)
    if _values(terms or (), zone):
        terms = _renamed(terms or (), zone, topology_key)
    elif zone in labels:
        zones = sorted({name.strip() for name in labels[zone].split(_ZONES_SEPARATOR)} - {""})
        if zones:
            added = {"key": topology_key, "operator": "In", "values": zones}
            terms = [
                {**term, "matchExpressions": [*(term.get("matchExpressions") or ()), added]} for term in terms or ({},)
            ]
    if region == _BETA_REGION and _values(terms or (), region):
        terms = _renamed(terms or (), region, _REGION)
    return terms


def _labels_used(terms: Iterable[Mapping[str, Any]], labels: Mapping[str, str]) -> tuple[str, str]:
    keys = {e.get("key") for term in terms for e in term.get("matchExpressions") or ()}
    for present in (keys, labels):
        if _ZONE in present:
            return _ZONE, _REGION
        if _BETA_ZONE in present:
            return _BETA_ZONE, _BETA_REGION
    return _ZONE, _REGION


def _values(terms: Iterable[Mapping[str, Any]], key: str) -> bool:
    expressions = (e for term in terms for e in term.get("matchExpressions") or ())
    return any(e.get("values") for e in expressions if e.get("key") == key)


def _renamed(terms: Iterable[Mapping[str, Any]], old: str, new: str) -> list[Mapping[str, Any]]:
    return [
        {
            **term,
            "matchExpressions": [
                {**e, "key": new} if e.get("key") == old else e for e in term.get("matchExpressions") or ()
            ],
        }
        for term in terms
    ]
