"""Every text with which kube-scheduler's volume plugins turn pods away comes up in the cases that are compared."""

import re

from hydatis.sandbox.verifying.answers import from_oracle
from hydatis.sandbox.verifying.generating.clusters import make_cluster
from hydatis.sandbox.verifying.oracle import Oracle

SEED = 99
CLUSTERS = 400
A_FEW = 40
_PLUGINS = ("VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone")
_BEFORE = {
    "pod has unbound immediate PersistentVolumeClaims",
    'persistentvolumeclaim "" not found',
    'persistentvolumeclaim "" is being deleted',
    'persistentvolumeclaim "" bound to non-existent persistentvolume ""',
    'persistentvolume "" not found',
    'waiting for ephemeral volume controller to create the persistentvolumeclaim ""',
    "PVC was not created for pod (pod is not owner)",
}
_ON_NODES = {
    "node(s) had no available disk",
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
    "node(s) exceed max volume count",
    "CSI driver is not installed on the node",
    "node(s) didn't find available persistent volumes to bind",
    "node(s) didn't match PersistentVolume's node affinity",
    "node(s) did not have enough free storage",
    "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
    "node(s) had no available volume zone",
}


def _without_names(text: str) -> str:
    text = re.sub(r'"[^"]*"', '""', text)
    text = re.sub(r"^\S+ (?=CSI driver)", "", text)
    return re.sub(r"(?<=PVC)( \S+)|(?<=for pod)( \S+)", "", text)


def test_every_text_of_the_volume_plugins_comes_up(oracle: Oracle) -> None:
    before: set[str] = set()
    on_nodes: set[str] = set()
    for first in range(0, CLUSTERS, A_FEW):
        oracle.ask([make_cluster(SEED, number).request(()) for number in range(first, first + A_FEW)])
        for answer in oracle.answers(A_FEW):
            for said in map(from_oracle, answer["answers"]):
                before.add(_without_names(said.prefilter or ""))
                for plugin in _PLUGINS:
                    on_nodes |= {
                        _without_names(r) for reasons in said.rejections.get(plugin, {}).values() for r in reasons
                    }
        if before >= _BEFORE and on_nodes == _ON_NODES:
            return
    assert before >= _BEFORE
    assert on_nodes == _ON_NODES
