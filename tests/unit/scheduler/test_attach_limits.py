"""What NodeVolumeLimits may take for granted about a node without counting its volumes one by one."""

from collections.abc import Callable

import numpy as np
import pytest

from hydatis.scheduler.attach_limits import NO_LIMIT
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.events import StorageKind
from hydatis.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from hydatis.scheduler.testing import cluster_of, node, place, pod, requirements_of
from hydatis.scheduler.testing_storage import attachment, claim, csi_node, storage_class, store, using, volume

DRIVER = "disks"
PLUGIN = NodeVolumeLimits()


def cluster_with(limit: int | None) -> Cluster:
    cluster = cluster_of(node("a"), node("b"))
    store(cluster, storage_class("waiting", DRIVER), csi_node("a", {DRIVER: limit}), claim("new"))
    return cluster


def put(cluster: Cluster, name: str, *, at: str = "a", handle: str | None = None) -> None:
    """Let a pod with a volume of its own, or with the same as another's, run on a node."""
    bound = claim(name, bound_to=f"volume-of-{name}", phase="Bound")
    made = volume(f"volume-of-{name}", kept_for=bound, csi={"driver": DRIVER, "volumeHandle": handle or name})
    store(cluster, bound, made)
    place(cluster, using(pod(f"pod-of-{name}"), name), at)


def left(cluster: Cluster, name: str = "a") -> int:
    row = cluster.row_of(name)
    assert row is not None
    return int(cluster.attach_limits.left(DRIVER, cluster.capacity, cluster.node_changes.position)[row])


def passes(cluster: Cluster) -> list[bool]:
    verdicts: list[bool] = PLUGIN.filter(
        requirements_of(cluster, using(pod(), "new")), cluster, cluster.rows()
    ).tolist()
    return verdicts


def test_a_limit_is_the_csi_nodes_and_a_node_without_one_has_none() -> None:
    cluster = cluster_with(3)
    assert (left(cluster, "a"), left(cluster, "b")) == (3, NO_LIMIT)


def test_attachments_count_against_the_limit() -> None:
    cluster = cluster_with(3)
    store(cluster, attachment("one", "a", "volume-1", DRIVER), attachment("two", "a", "volume-2", "another"))
    assert left(cluster) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda cluster: store(cluster, csi_node("a", {DRIVER: 7})), 7),
        (lambda cluster: cluster.storage.remove(StorageKind.CSI_NODE, "", "a"), NO_LIMIT),
        (lambda cluster: store(cluster, attachment("one", "a", "volume-1", DRIVER)), 2),
    ],
    ids=["another limit", "no CSINode any more", "an attachment"],
)
def test_what_changes_later_is_seen(change: Callable[[Cluster], None], expected: int) -> None:
    cluster = cluster_with(3)
    assert left(cluster) == 3
    change(cluster)
    assert left(cluster) == expected


def test_a_node_that_comes_after_its_csi_node_has_its_limit() -> None:
    cluster = cluster_with(3)
    store(cluster, csi_node("late", {DRIVER: 5}))
    assert left(cluster) == 3
    cluster.set_node(node("late").manifest())
    assert left(cluster, "late") == 5


def test_a_table_that_grows_keeps_the_limits() -> None:
    cluster = cluster_with(1)
    put(cluster, "first")
    for number in range(cluster.capacity):
        cluster.set_node(node(f"more-{number}").manifest())
    assert left(cluster) == 1
    assert passes(cluster)[:2] == [False, True]
    assert int(cluster.volumes_in_use.most_attached.sum()) == 1


def test_the_last_place_is_given_and_no_more() -> None:
    cluster = cluster_with(2)
    put(cluster, "first")
    assert passes(cluster) == [True, True]
    put(cluster, "second")
    assert passes(cluster) == [False, True]


def test_a_volume_that_two_pods_share_counts_once_although_the_quick_look_counts_it_twice() -> None:
    cluster = cluster_with(2)
    put(cluster, "first", handle="same")
    put(cluster, "second", handle="same")
    assert passes(cluster) == [True, True]


def test_a_pod_that_leaves_gives_its_volumes_place_back() -> None:
    cluster = cluster_with(1)
    put(cluster, "first")
    assert passes(cluster) == [False, True]
    (uid,) = cluster.pods_on(int(np.flatnonzero(cluster.volumes_in_use.most_attached)[0]))
    cluster.remove(uid, "a")
    assert passes(cluster) == [True, True]
