"""Volumes of pods: claims, ephemeral claims and disks; and the node labels that volumes ask for."""

from collections.abc import Collection, Iterable
from random import Random
from typing import Any

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating.priorities import NEVER_DISPLACED

CLAIMS = tuple(f"claim-{number}" for number in range(14))
"""Names of claims; what each of them is depends on the cluster's surroundings."""
EPHEMERAL = "scratch"
"""The name of every ephemeral volume."""
BETA_ZONE, BETA_REGION = "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"
ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
DRIVER_ZONES = ("topology.ebs.csi.aws.com/zone", "topology.gke.io/zone", "topology.cinder.csi.openstack.org/zone")
ZONES = ("a", "b", "c")

ONE_POD = "ReadWriteOncePod"
"""The access mode of a claim that only one pod at a time may use."""

_GONE = "claim-gone"


def zone_labels(random: Random, node: Manifest) -> None:
    """Put the node into zones and regions of old, of other kinds, and of CSI drivers."""
    labels = node["metadata"]["labels"]
    for key in (BETA_ZONE, *DRIVER_ZONES):
        if random.random() < 0.4:
            labels[key] = random.choice(ZONES)
    for key in (BETA_REGION, REGION):
        if random.random() < 0.3:
            labels[key] = random.choice(("east", "west"))


def claims(random: Random, pod: Manifest) -> None:
    """Let the pod use claims, one of them twice now and then."""
    for _ in range(random.choice((1, 1, 2, 3))):
        name = _GONE if random.random() < 0.03 else random.choice(CLAIMS)
        _add(pod, {"persistentVolumeClaim": {"claimName": name}})


def ephemeral(_: Random, pod: Manifest) -> None:
    """Give the pod an ephemeral volume with a claim of its own."""
    template = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    _add(pod, {"ephemeral": {"volumeClaimTemplate": template}}, EPHEMERAL)


def disks(random: Random, pod: Manifest) -> None:
    """Let the pod name disks itself."""
    for _ in range(random.choice((1, 1, 2))):
        _add(pod, random.choice(_DISKS)(random))


def plain(random: Random, pod: Manifest) -> None:
    """Give the pod volumes that every node can give."""
    _add(pod, random.choice(({"emptyDir": {}}, {"secret": {"secretName": "s"}}, {"csi": {"driver": "inline"}})))


def keep_claims_for_one(placed: Iterable[Manifest], nominated: Iterable[Manifest], objects: Iterable[Manifest]) -> None:
    """Leave each ReadWriteOncePod claim to the first placed pod that uses it, or one of that name in another namespace,
    which then never makes way.

    kube-scheduler never lets a second pod in, and counts on that when preemption takes the first away, or any that uses
    a claim of the same name, even if the pod that is to fit waits for another one of its claims. It may overlook that
    nominated pods use such a claim.
    """
    namespaces: dict[str, set[str]] = {}
    for claim in objects:
        if claim["kind"] == "PersistentVolumeClaim" and ONE_POD in claim["spec"]["accessModes"]:
            namespaces.setdefault(claim["metadata"]["name"], set()).add(claim["metadata"]["namespace"])
    taken: set[str] = set()
    for pod in placed:
        used = namespaces.keys() & _leave_out(pod, taken)
        if any(namespaces[name] != {pod["metadata"]["namespace"]} for name in used):
            pod["spec"]["priority"] = NEVER_DISPLACED
        taken |= used
    for pod in nominated:
        _leave_out(pod, namespaces)


def _leave_out(pod: Manifest, claims: Collection[str]) -> list[str]:
    """Take the volumes with claims of these names from the pod; return the names of those that it uses."""
    volumes = pod["spec"].get("volumes") or []
    used = [_claim_name(volume) for volume in volumes]
    if volumes:
        pod["spec"]["volumes"] = [v for v, claim in zip(volumes, used, strict=True) if claim not in claims]
    return used


def _claim_name(volume: Manifest) -> str:
    name: str = volume.get("persistentVolumeClaim", {}).get("claimName", "")
    return name


def _add(pod: Manifest, source: Manifest, name: str | None = None) -> None:
    volumes = pod["spec"].setdefault("volumes", [])
    volumes.append({"name": name or f"volume-{len(volumes)}", **source})


def _gce(random: Random) -> dict[str, Any]:
    disk = {"pdName": random.choice("xy"), "readOnly": random.random() < 0.5}
    return {"gcePersistentDisk": disk}


def _ebs(random: Random) -> dict[str, Any]:
    disk = {"volumeID": random.choice(("vol-1", "aws://a/vol-1", "vol-2")), "readOnly": random.random() < 0.5}
    return {"awsElasticBlockStore": disk}


def _iscsi(random: Random) -> dict[str, Any]:
    target = {"targetPortal": "10.0.0.1", "iqn": random.choice(("iqn.x", "iqn.y")), "lun": random.choice((0, 1))}
    return {"iscsi": {**target, "readOnly": random.random() < 0.5}}


def _rbd(random: Random) -> dict[str, Any]:
    image = {"pool": random.choice(("rbd", "ssd")), "image": random.choice(("i", "j"))}
    monitors = random.sample(("m1", "m2", "m3"), random.randint(1, 2))
    return {"rbd": {"monitors": monitors, **image, "readOnly": random.random() < 0.5}}


def _taken_over(random: Random) -> dict[str, Any]:
    name = random.choice("xyz")
    return random.choice(
        (
            {"azureDisk": {"diskName": name, "diskURI": f"/disks/{name}", "kind": "Managed"}},
            {"cinder": {"volumeID": name}},
            {"portworxVolume": {"volumeID": name}},
            {"azureFile": {"secretName": "s", "shareName": name}},
            {"vsphereVolume": {"volumePath": f"[d] {name}"}},
        )
    )


_DISKS = (_gce, _gce, _ebs, _ebs, _iscsi, _rbd, _rbd, _taken_over)
