"""VolumeRestrictions."""

from typing import Any

import pytest

from hydatis.scheduler.plugins import Everywhere, Nowhere
from hydatis.scheduler.plugins.volume_restrictions import VolumeRestrictions
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, node, place, pod, requirements_of
from hydatis.scheduler.testing_storage import claim, store, using

_PLUGIN = VolumeRestrictions()
_ONE_POD = ("ReadWriteOncePod",)


def _with(kind: str, **source: Any) -> PodBuilder:
    return pod().set_spec(volumes=[{"name": "disk", kind: source}])


def _rbd(*monitors: str, image: str = "i", **fields: Any) -> PodBuilder:
    return _with("rbd", monitors=list(monitors), pool="rbd", image=image, **fields)


@pytest.mark.parametrize(
    ("running", "wanted", "passes"),
    [
        (_with("gcePersistentDisk", pdName="x"), _with("gcePersistentDisk", pdName="x"), False),
        (_with("gcePersistentDisk", pdName="x"), _with("gcePersistentDisk", pdName="y"), True),
        (
            _with("gcePersistentDisk", pdName="x", readOnly=True),
            _with("gcePersistentDisk", pdName="x", readOnly=True),
            True,
        ),
        (_with("gcePersistentDisk", pdName="x", readOnly=True), _with("gcePersistentDisk", pdName="x"), False),
        (
            _with("awsElasticBlockStore", volumeID="v", readOnly=True),
            _with("awsElasticBlockStore", volumeID="v", readOnly=True),
            False,
        ),
        (_with("awsElasticBlockStore", volumeID="x"), _with("gcePersistentDisk", pdName="x"), True),
        (_with("iscsi", iqn="iqn.x", lun=0), _with("iscsi", iqn="iqn.x", lun=1), False),
        (_with("iscsi", iqn="iqn.x", readOnly=True), _with("iscsi", iqn="iqn.x", readOnly=True), True),
        (_rbd("m1", "m2"), _rbd("m2", "m3"), False),
        (_rbd("m1"), _rbd("m2"), True),
        (_rbd("m1"), _rbd("m1", image="j"), True),
        (_rbd("m1", readOnly=True), _rbd("m1", readOnly=True), True),
    ],
)
def test_a_node_has_a_disk_twice_only_where_both_pods_just_read_it(
    running: PodBuilder, wanted: PodBuilder, passes: bool
) -> None:
    cluster = cluster_of(node("busy"), node("free"))
    place(cluster, running, "busy")
    requirements = requirements_of(cluster, wanted)
    assert by_node(cluster, _PLUGIN.filter(requirements, cluster, cluster.rows())) == {"busy": passes, "free": True}


def test_a_claim_for_a_single_pod_is_taken_on_every_node_until_that_pod_is_gone() -> None:
    cluster = cluster_of(node("a"), node("b"))
    store(cluster, claim("data", modes=_ONE_POD), claim("shared"))
    holder, wanted = using(pod("holder"), "data", "shared"), requirements_of(cluster, using(pod("p"), "data"))
    place(cluster, holder, "a")
    rows = cluster.rows()
    assert by_node(cluster, _PLUGIN.filter(wanted, cluster, rows)) == {"a": False, "b": False}
    (reason,) = _PLUGIN.reasons(wanted, cluster, rows)
    assert reason.startswith("node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode")
    others = requirements_of(cluster, using(pod("q"), "shared"))
    assert by_node(cluster, _PLUGIN.filter(others, cluster, rows)) == {"a": True, "b": True}
    cluster.remove(holder.uid, "a")
    assert by_node(cluster, _PLUGIN.filter(wanted, cluster, rows)) == {"a": True, "b": True}


def test_a_claim_of_the_same_name_in_another_namespace_is_another_claim() -> None:
    cluster = cluster_of(node("a"))
    store(cluster, claim("data", modes=_ONE_POD), claim("data", modes=_ONE_POD, namespace="team"))
    place(cluster, using(pod("holder", "team"), "data"), "a")
    wanted = requirements_of(cluster, using(pod("p"), "data"))
    assert by_node(cluster, _PLUGIN.filter(wanted, cluster, cluster.rows())) == {"a": True}


def test_prefilter_refuses_while_a_claim_that_the_pod_names_does_not_exist() -> None:
    cluster = cluster_of(node("a"))
    wanted = requirements_of(cluster, using(pod(), "data"))
    assert _PLUGIN.prefilter(wanted, cluster) == Nowhere('persistentvolumeclaim "data" not found')
    store(cluster, claim("data"))
    assert _PLUGIN.prefilter(wanted, cluster) == Everywhere()


def test_a_pod_with_neither_claims_nor_disks_is_not_asked_about() -> None:
    assert not _PLUGIN.applies(requirements_of(cluster_of(), _with("emptyDir")))
