"""NodeVolumeLimits."""

from typing import Any

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, node, place, pod, requirements_of
from hydatis.scheduler.testing_storage import (
    attachment,
    claim,
    csi_driver,
    csi_node,
    storage_class,
    store,
    using,
    volume,
)

_PLUGIN = NodeVolumeLimits()
_DRIVER = "csi.example.com"
_TOO_MANY = "node(s) exceed max volume count"


def _bound(name: str, driver: str = _DRIVER) -> list[Any]:
    """A claim and its volume, both of that name."""
    return [claim(name, bound_to=name), volume(name, csi={"driver": driver, "volumeHandle": name})]


def _verdicts(cluster: Cluster, wanted: PodBuilder) -> dict[str, bool]:
    return by_node(cluster, _PLUGIN.filter(requirements_of(cluster, wanted), cluster, cluster.rows()))


def _cluster(limit: int | None, *names: str) -> Cluster:
    cluster = cluster_of(node("n"), node("unlimited"))
    store(cluster, csi_node("n", {_DRIVER: limit}), *(entry for name in names for entry in _bound(name)))
    return cluster


def test_a_node_takes_no_more_volumes_than_its_driver_can_attach() -> None:
    cluster = _cluster(2, "a", "b", "c")
    place(cluster, using(pod("first"), "a"), "n")
    assert _verdicts(cluster, using(pod(), "b")) == {"n": True, "unlimited": True}
    assert _verdicts(cluster, using(pod(), "b", "c")) == {"n": False, "unlimited": True}
    wanted = requirements_of(cluster, using(pod(), "b", "c"))
    assert _PLUGIN.reasons(wanted, cluster, cluster.rows()) == {_TOO_MANY: 1}


def test_a_volume_that_two_pods_share_counts_once() -> None:
    cluster = _cluster(1, "a")
    place(cluster, using(pod("first"), "a"), "n")
    assert _verdicts(cluster, using(pod(), "a"))["n"]


def test_a_driver_without_a_limit_and_another_drivers_volumes_do_not_count() -> None:
    cluster = _cluster(None, "a")
    store(cluster, *_bound("other", "other.example.com"))
    assert _verdicts(cluster, using(pod(), "a", "other"))["n"]
    cluster = _cluster(1, "a")
    store(cluster, *_bound("other", "other.example.com"))
    place(cluster, using(pod("first"), "other"), "n")
    assert _verdicts(cluster, using(pod(), "a"))["n"]


def test_volumes_that_are_attached_count_although_no_pod_uses_them() -> None:
    cluster = _cluster(1, "a", "left-over")
    store(cluster, attachment("one", "n", "left-over", _DRIVER))
    assert not _verdicts(cluster, using(pod(), "a"))["n"]


def test_an_attachment_of_a_volume_that_a_pod_uses_is_not_counted_again() -> None:
    cluster = _cluster(2, "a", "b")
    place(cluster, using(pod("first"), "a"), "n")
    store(cluster, attachment("one", "n", "a", _DRIVER))
    assert _verdicts(cluster, using(pod(), "b"))["n"]


def test_a_volume_still_to_be_provisioned_counts_by_its_class() -> None:
    cluster = _cluster(1, "a")
    store(cluster, claim("new", "waiting"), storage_class("waiting", _DRIVER))
    place(cluster, using(pod("first"), "a"), "n")
    assert not _verdicts(cluster, using(pod(), "new"))["n"]


def test_in_tree_disks_count_as_the_driver_that_took_them_over() -> None:
    cluster = cluster_of(node("n"))
    store(cluster, csi_node("n", {"pd.csi.storage.gke.io": 1}))
    disks = [pod(name).set_spec(volumes=[{"name": "d", "gcePersistentDisk": {"pdName": name}}]) for name in "xy"]
    place(cluster, disks[0], "n")
    assert not _verdicts(cluster, disks[1])["n"]
    in_tree = [claim("c", bound_to="v"), volume("v", gcePersistentDisk={"pdName": "z"})]
    store(cluster, *in_tree)
    assert not _verdicts(cluster, using(pod(), "c"))["n"]


def test_a_driver_that_must_be_on_the_node_keeps_pods_from_nodes_without_it() -> None:
    cluster = cluster_of(node("with"), node("without"), node("untold"))
    store(cluster, csi_node("with", {_DRIVER: None}), csi_node("without"), *_bound("a"))
    assert _verdicts(cluster, using(pod(), "a")) == {"with": True, "without": True, "untold": True}
    store(cluster, csi_driver(_DRIVER, must_be_on_node=True))
    assert _verdicts(cluster, using(pod(), "a")) == {"with": True, "without": False, "untold": False}
    wanted = requirements_of(cluster, using(pod(), "a"))
    reasons = _PLUGIN.reasons(wanted, cluster, cluster.rows())
    assert reasons == {"csi.example.com CSI driver is not installed on the node": 2}


def test_a_claim_that_does_not_exist_is_told_and_no_pod_that_leaves_helps() -> None:
    cluster = _cluster(1)
    wanted = requirements_of(cluster, using(pod(), "gone"))
    reason = 'looking up PVC default/gone: persistentvolumeclaim "gone" not found'
    assert _PLUGIN.reasons(wanted, cluster, cluster.rows()) == {reason: 2}
    assert _PLUGIN.unresolvable(wanted, cluster, cluster.rows()).all()


def test_a_pod_without_claims_is_not_asked_about() -> None:
    assert not _PLUGIN.applies(requirements_of(cluster_of(), pod()))
