"""The storage around a cluster: classes, volumes, claims, CSI drivers, and the room and attachments they tell of.

Where kube-scheduler's choice depends on the order in which it happens to list objects, there is no right answer to
compare with. So no two volumes of a class are equally large, at most one volume is kept for a claim, no node shares the
room of two capacities of a class, and at most one driver has to run on a pod's node.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating.volumes import (
    BETA_REGION,
    BETA_ZONE,
    CLAIMS,
    DRIVER_ZONES,
    EPHEMERAL,
    ONE_POD,
    REGION,
    ZONE,
    ZONES,
)

_DRIVER, _OTHER_DRIVER, _EBS = "csi.example.com", "other.example.com", "ebs.csi.aws.com"
_PROVISIONERS = {
    "immediate": _DRIVER,
    "waiting": _DRIVER,
    "zonal": _OTHER_DRIVER,
    "in-tree": "kubernetes.io/aws-ebs",
    "file": "kubernetes.io/azure-file",
    "by-hand": "kubernetes.io/no-provisioner",
}
_CLASSES_OF_CLAIMS = (
    *("waiting",) * 7,
    *("by-hand",) * 9,
    *("zonal",) * 4,
    *("in-tree", "in-tree", "file", "immediate", "gone", ""),
)
_NODES = tuple(f"n{number}" for number in range(8))
_SIZES = ("500Mi", "1Gi", "1Gi", "2Gi", "3000M", "5Gi", "1.5Ti")
_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany")
_MIGRATED = ("kubernetes.io/aws-ebs", "kubernetes.io/gce-pd", "kubernetes.io/azure-disk", "kubernetes.io/cinder")
_SELECTED = ("n0", "n0", "n1", "n2", "gone", "")


def storage(random: Random, namespaces: tuple[str, ...], pods: tuple[str, ...], running: tuple[str, ...]) -> list[Any]:
    """Make everything around the clusters whose pods have these uids; those `running` have the claims they made."""
    claims = [_claim(random, namespace, name) for namespace in namespaces for name in CLAIMS]
    ephemeral = [_claim_of(random, namespace, uid, random.random() < 0.9) for namespace in namespaces for uid in pods]
    claims += [claim for claim in ephemeral if random.random() < 0.9]
    claims += [_claim_of(random, namespaces[0], uid, owned=True) for uid in running]
    return [
        *_classes(random),
        *_drivers(random),
        *(_csi_node(random, name) for name in _NODES if random.random() < 0.75),
        *_capacities(random),
        *claims,
        *_volumes_of(random, claims),
        *_free_volumes(random, claims),
        *(_attachment(random, number) for number in range(random.randint(0, 10))),
    ]


def _object(kind: str, name: str, api: str = "v1", **fields: Any) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **fields}


def _classes(random: Random) -> Iterator[Manifest]:
    for name, provisioner in _PROVISIONERS.items():
        mode = "Immediate" if name == "immediate" else "WaitForFirstConsumer"
        made = _object("StorageClass", name, "storage.k8s.io/v1", provisioner=provisioner, volumeBindingMode=mode)
        if name == "zonal" or random.random() < 0.1:
            made["allowedTopologies"] = [_topology(random) for _ in range(random.randint(1, 2))]
        if random.random() < 0.95:
            yield made


def _topology(random: Random) -> Manifest:
    if random.random() < 0.05:
        return {}
    expressions = [{"key": random.choice((ZONE, "disk")), "values": random.sample(("a", "b", "ssd", ""), 2)}]
    if random.random() < 0.3:
        expressions.append({"key": ZONE, "values": [random.choice(ZONES)]})
    return {"matchLabelExpressions": expressions}


def _drivers(random: Random) -> Iterator[Manifest]:
    must_be_there = random.choice((None, _DRIVER, _OTHER_DRIVER, _EBS))
    for name in (_DRIVER, _OTHER_DRIVER, _EBS):
        spec: Manifest = {"storageCapacity": random.random() < 0.6}
        if name == must_be_there:
            spec["preventPodSchedulingIfMissing"] = True
        if random.random() < 0.8:
            yield _object("CSIDriver", name, "storage.k8s.io/v1", spec=spec)


def _csi_node(random: Random, name: str) -> Manifest:
    drivers = []
    for driver in (_DRIVER, _OTHER_DRIVER, _EBS, "pd.csi.storage.gke.io", "disk.csi.azure.com"):
        if random.random() < 0.7:
            entry: Manifest = {"name": driver, "nodeID": name, "topologyKeys": []}
            if random.random() < 0.8:
                entry["allocatable"] = {"count": random.choice((0, 1, 1, 2, 2, 3))}
            elif random.random() < 0.5:
                entry["allocatable"] = {}
            drivers.append(entry)
    made = _object("CSINode", name, "storage.k8s.io/v1", spec={"drivers": drivers})
    if random.random() < 0.7:
        migrated = random.sample(_MIGRATED, random.randint(0, len(_MIGRATED)))
        made["metadata"]["annotations"] = {"storage.alpha.kubernetes.io/migrated-plugins": ",".join(migrated)}
    return made


def _capacities(random: Random) -> Iterator[Manifest]:
    for name in ("waiting", "zonal", "in-tree"):
        topologies: list[Any] = [{"matchLabels": {ZONE: zone}} for zone in ZONES]
        if random.random() < 0.2:
            topologies = [{}]
        elif random.random() < 0.3:
            operator = random.choice(("NotIn", "In"))
            topologies = [{"matchExpressions": [{"key": "disk", "operator": operator, "values": ["ssd", ""]}]}]
        for number, topology in enumerate([*topologies, None]):
            made = _object("CSIStorageCapacity", f"{name}-{number}", "storage.k8s.io/v1", storageClassName=name)
            made["metadata"]["namespace"] = "kube-system"
            made["capacity"] = random.choice(("0", "1Gi", "3Gi", "10Gi", "2Ti"))
            if topology is not None:
                made["nodeTopology"] = topology
            if random.random() < 0.3:
                made["maximumVolumeSize"] = random.choice(("1Gi", "4Gi"))
            if random.random() < 0.8:
                yield made


# Claims


def _claim(random: Random, namespace: str, name: str) -> Manifest:
    made = _object("PersistentVolumeClaim", name)
    made["metadata"] |= {"namespace": namespace, "uid": f"{namespace}-{name}", "annotations": {}}
    modes = [ONE_POD] if random.random() < 0.15 else random.sample(_MODES, random.randint(1, 2))
    spec = made["spec"] = {
        "accessModes": modes,
        "resources": {"requests": {"storage": random.choice(_SIZES)}},
        "storageClassName": random.choice(_CLASSES_OF_CLAIMS),
    }
    made["status"] = {"phase": "Pending"}
    if random.random() < 0.4:
        spec["volumeName"] = f"of-{namespace}-{name}"
        if random.random() < 0.93:
            made["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = "yes"
            made["status"]["phase"] = "Bound"
    elif random.random() < 0.15:
        made["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] = random.choice(_SELECTED)
    _oddities(random, made)
    return made


def _oddities(random: Random, claim: Manifest) -> None:
    if random.random() < 0.1:
        claim["spec"]["volumeMode"] = random.choice(("Block", "Filesystem"))
    if random.random() < 0.1:
        claim["spec"]["volumeAttributesClassName"] = random.choice(("gold", ""))
    if random.random() < 0.1:
        claim["spec"]["selector"] = random.choice(
            ({}, {"matchLabels": {"tier": "fast"}}, {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]})
        )
    if random.random() < 0.03:
        claim["status"]["phase"] = "Lost"
    if random.random() < 0.03:
        claim["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        claim["metadata"]["finalizers"] = ["kubernetes.io/pvc-protection"]


def _claim_of(random: Random, namespace: str, uid: str, owned: bool) -> Manifest:
    """Make the claim of a pod's ephemeral volume."""
    made = _claim(random, namespace, f"pod-{uid}-{EPHEMERAL}")
    owner = {"apiVersion": "v1", "kind": "Pod", "name": f"pod-{uid}", "uid": uid if owned else "another"}
    made["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    return made


# Volumes


def _volumes_of(random: Random, claims: list[Manifest]) -> Iterator[Manifest]:
    """Make the volumes that claims name, but for a few."""
    for claim in claims:
        name = claim["spec"].get("volumeName")
        if name and random.random() < 0.88:
            made = _volume(random, name, claim["spec"]["storageClassName"], claim["spec"]["resources"]["requests"])
            made["spec"]["claimRef"] = _reference(claim)
            made["status"]["phase"] = "Bound"
            yield made


def _free_volumes(random: Random, claims: list[Manifest]) -> Iterator[Manifest]:
    """Make volumes for claims that have none yet; some are kept for one of them."""
    unbound = [claim for claim in claims if "volumeName" not in claim["spec"]]
    random.shuffle(unbound)
    sizes = random.sample(range(1, 60), 40)
    for number, size in enumerate(sizes):
        storage_class = random.choice(("by-hand", "by-hand", "by-hand", "waiting", "zonal", ""))
        made = _volume(random, f"free-{number}", storage_class, {"storage": f"{size * 100}Mi"})
        if random.random() < 0.15 and unbound:
            claim = unbound.pop()
            made["spec"]["claimRef"] = _reference(claim)
            if random.random() < 0.8:
                made["spec"]["storageClassName"] = claim["spec"]["storageClassName"]
            if random.random() < 0.5:
                del made["spec"]["claimRef"]["uid"]
            elif random.random() < 0.2:
                made["spec"]["claimRef"]["uid"] = "deleted"
        yield made


def _reference(claim: Manifest) -> Manifest:
    metadata = claim["metadata"]
    return {"namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}


def _volume(random: Random, name: str, storage_class: str, capacity: Manifest) -> Manifest:
    made = _object("PersistentVolume", name)
    labels: dict[str, str] = {}
    if random.random() < 0.3:
        labels[random.choice((ZONE, BETA_ZONE))] = random.choice(("a", "b", "c", "a__b", "b__ c", "a__"))
    if random.random() < 0.15:
        labels[random.choice((REGION, BETA_REGION))] = random.choice(("east", "east__west"))
    source = _source(random, name)
    if "gcePersistentDisk" in source:
        # A disk of several zones has to name them as Google does.
        labels = {key: value for key, value in labels.items() if "__" not in value}
        if random.random() < 0.2:
            labels[ZONE] = "us-east1-a__us-east1-b"
    if random.random() < 0.4:
        labels["tier"] = random.choice(("fast", "slow"))
    made["metadata"]["labels"] = labels
    made["spec"] = {
        "capacity": capacity,
        "accessModes": random.choice((list(_MODES), list(_MODES), [ONE_POD, *_MODES], ["ReadWriteOnce"])),
        "storageClassName": storage_class,
        **source,
    }
    made["status"] = {"phase": "Pending" if random.random() < 0.05 else "Available"}
    if random.random() < 0.5:
        made["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": _terms(random)}}
    if random.random() < 0.06:
        made["spec"]["volumeMode"] = random.choice(("Block", "Filesystem"))
    if random.random() < 0.04:
        made["spec"]["volumeAttributesClassName"] = "gold"
    if random.random() < 0.03:
        made["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        made["metadata"]["finalizers"] = ["kubernetes.io/pv-protection"]
    return made


def _source(random: Random, name: str) -> Manifest:
    if random.random() < 0.6:
        driver = random.choice((_DRIVER, _DRIVER, _OTHER_DRIVER))
        return {"csi": {"driver": driver, "volumeHandle": random.choice((name, name, "shared"))}}
    disk = random.choice(("x", "y", name))
    return random.choice(
        (
            {"awsElasticBlockStore": {"volumeID": random.choice(("vol-1", f"aws://a/vol-{disk}"))}},
            {"awsElasticBlockStore": {"volumeID": f"vol-{disk}"}},
            {"gcePersistentDisk": {"pdName": disk}},
            {"azureDisk": {"diskName": disk, "diskURI": f"/disks/{disk}", "kind": "Managed"}},
            {"cinder": {"volumeID": disk}},
            {"portworxVolume": {"volumeID": disk}},
            {"azureFile": {"secretName": "s", "shareName": disk, "secretNamespace": "default"}},
            {"hostPath": {"path": "/data"}},
        )
    )


def _terms(random: Random) -> list[Manifest]:
    return [_term(random) for _ in range(random.choice((1, 1, 1, 2)))]


def _term(random: Random) -> Manifest:
    drawn = random.random()
    if drawn < 0.3:
        return _in("kubernetes.io/hostname", random.sample(_NODES[:4], random.randint(1, 2)))
    if drawn < 0.7:
        zones = random.sample(ZONES, random.randint(1, 2))
        return _in(random.choice((ZONE, ZONE, BETA_ZONE, *DRIVER_ZONES[:1])), zones)
    if drawn < 0.8:
        term = _in(BETA_ZONE, random.sample(ZONES, 2))
        term["matchExpressions"].append({"key": BETA_REGION, "operator": "In", "values": ["east"]})
        return term
    if drawn < 0.9:
        return {"matchExpressions": [{"key": "disk", "operator": random.choice(("Exists", "DoesNotExist"))}]}
    if drawn < 0.95:
        operator = random.choice(("In", "NotIn"))
        return {"matchFields": [{"key": "metadata.name", "operator": operator, "values": ["n0"]}]}
    return {"matchExpressions": [{"key": "disk", "operator": "NotIn", "values": ["ssd"]}]}


def _in(key: str, values: list[str]) -> Manifest:
    return {"matchExpressions": [{"key": key, "operator": "In", "values": values}]}


def _attachment(random: Random, number: int) -> Manifest:
    source = random.choice((f"of-default-{random.choice(CLAIMS)}", f"free-{random.randint(0, 39)}", "gone"))
    spec = {
        "nodeName": random.choice(_NODES),
        "attacher": random.choice((_DRIVER, _DRIVER, _EBS)),
        "source": {"persistentVolumeName": source},
    }
    return _object("VolumeAttachment", f"attachment-{number}", "storage.k8s.io/v1", spec=spec)
