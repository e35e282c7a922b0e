"""VolumeZone."""

from typing import Any

import pytest

from hydatis.scheduler.plugins import Everywhere, Nowhere
from hydatis.scheduler.plugins.volume_zone import VolumeZone
from hydatis.scheduler.testing import NodeBuilder, by_node, cluster_of, node, pod, requirements_of
from hydatis.scheduler.testing_storage import claim, storage_class, store, using, volume

_PLUGIN = VolumeZone()
_ZONE, _BETA = "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"
_REGION = "topology.kubernetes.io/region"


@pytest.mark.parametrize(
    ("labels", "machine", "passes"),
    [
        ({_ZONE: "a"}, node().label(_ZONE, "a"), True),
        ({_ZONE: "a"}, node().label(_ZONE, "b"), False),
        ({_ZONE: "a__b"}, node().label(_ZONE, "b"), True),
        ({_ZONE: "a__ b"}, node().label(_ZONE, "b"), True),
        ({_ZONE: "a__"}, node().label(_ZONE, "b"), True),
        ({_ZONE: "a"}, node(), True),
        ({_ZONE: "a"}, node().label(_REGION, "east"), False),
        ({_ZONE: "a"}, node().label(_BETA, "a"), False),
        ({_BETA: "a"}, node().label(_ZONE, "a"), True),
        ({_BETA: "a"}, node().label(_BETA, "b").label(_ZONE, "a"), False),
        ({_ZONE: "a", _REGION: "east"}, node().label(_ZONE, "a").label(_REGION, "west"), False),
        ({}, node().label(_ZONE, "a"), True),
    ],
)
def test_a_node_in_some_zone_must_be_in_one_of_the_volumes(
    labels: dict[str, str], machine: NodeBuilder, passes: bool
) -> None:
    cluster = cluster_of(machine)
    store(cluster, claim("data", bound_to="volume"), volume(labels=labels))
    wanted = requirements_of(cluster, using(pod(), "data"))
    assert by_node(cluster, _PLUGIN.filter(wanted, cluster, cluster.rows())) == {"node": passes}


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([], Nowhere('persistentvolumeclaim "data" not found')),
        ([claim("data", bound_to="gone")], Nowhere('persistentvolume "gone" not found')),
        ([claim("data", None)], Nowhere("PersistentVolumeClaim had no pv name and storageClass name")),
        ([claim("data", "gone")], Nowhere('storageclass.storage.k8s.io "gone" not found')),
        ([claim("data", "now"), storage_class("now", waits=False)], Nowhere("PersistentVolume had no name")),
        ([claim("data", "waiting"), storage_class("waiting")], Everywhere()),
        ([claim("data", bound_to="volume"), volume()], Everywhere()),
    ],
)
def test_prefilter_refuses_while_nothing_is_known_of_the_claims_zone(objects: list[Any], expected: object) -> None:
    cluster = cluster_of()
    store(cluster, *objects)
    assert _PLUGIN.prefilter(requirements_of(cluster, using(pod(), "data")), cluster) == expected
