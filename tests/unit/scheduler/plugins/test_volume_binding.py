"""VolumeBinding."""

from typing import Any

import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.instructions import ClaimReference, VolumeForClaim, VolumesToBind
from hydatis.scheduler.plugins import Everywhere, Nowhere
from hydatis.scheduler.plugins.volume_binding import VolumeBinding
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, node, pod, requirements_of
from hydatis.scheduler.testing_storage import (
    Manifest,
    capacity,
    claim,
    csi_driver,
    csi_node,
    reached_from,
    storage_class,
    store,
    using,
    volume,
)

_PLUGIN = VolumeBinding()
_DRIVER = "csi.example.com"
_WAITING = storage_class("waiting")
_MADE = storage_class("made", _DRIVER)
_NO_MATCH = "node(s) didn't find available persistent volumes to bind"
_OUT_OF_REACH = "node(s) didn't match PersistentVolume's node affinity"
_NO_ROOM = "node(s) did not have enough free storage"
_DATA = ClaimReference("default", "data", "uid-of-data")
_LOGS = ClaimReference("default", "logs", "uid-of-logs")


def _zones() -> Cluster:
    return cluster_of(node("a").label("zone", "a"), node("b").label("zone", "b"))


def _reasons(cluster: Cluster, wanted: PodBuilder) -> dict[str, int]:
    requirements = requirements_of(cluster, wanted)
    rows = cluster.rows()[~_PLUGIN.filter(requirements, cluster, cluster.rows())]
    return dict(_PLUGIN.reasons(requirements, cluster, rows))


def _verdicts(cluster: Cluster, wanted: PodBuilder) -> dict[str, bool]:
    return by_node(cluster, _PLUGIN.filter(requirements_of(cluster, wanted), cluster, cluster.rows()))


def _reserved(cluster: Cluster, wanted: PodBuilder, name: str) -> VolumesToBind:
    row = cluster.row_of(name)
    assert row is not None
    return _PLUGIN.reserve(requirements_of(cluster, wanted), cluster, row)


def _ephemeral(builder: PodBuilder) -> PodBuilder:
    return builder.set_spec(volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}])


_EPHEMERAL = _ephemeral(pod("p"))
_UNBOUND = "pod has unbound immediate PersistentVolumeClaims"


@pytest.mark.parametrize(
    ("wanted", "objects", "expected"),
    [
        (using(pod(), "data"), [], Nowhere('persistentvolumeclaim "data" not found')),
        (
            using(pod(), "data"),
            [claim(phase="Lost", bound_to="v")],
            Nowhere('persistentvolumeclaim "data" bound to non-existent persistentvolume "v"'),
        ),
        (using(pod(), "data"), [claim("data", "now"), storage_class("now", waits=False)], Nowhere(_UNBOUND)),
        (using(pod(), "data"), [claim("data", None)], Nowhere(_UNBOUND)),
        (using(pod(), "data"), [claim("data", "gone")], Nowhere(_UNBOUND)),
        (using(pod(), "data"), [claim(volumeName="v"), _WAITING], Nowhere(_UNBOUND)),
        (using(pod(), "data"), [claim(), _WAITING], Everywhere()),
        (using(pod(), "data"), [claim(bound_to="gone")], Everywhere()),
        (
            _EPHEMERAL,
            [],
            Nowhere('waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"'),
        ),
        (
            _EPHEMERAL,
            [claim("p-scratch", bound_to="v", owner="another")],
            Nowhere("PVC default/p-scratch was not created for pod default/p (pod is not owner)"),
        ),
        (_EPHEMERAL, [claim("p-scratch", bound_to="v", owner=_EPHEMERAL.uid)], Everywhere()),
    ],
)
def test_prefilter_refuses_what_no_node_can_help(wanted: PodBuilder, objects: list[Manifest], expected: object) -> None:
    cluster = cluster_of()
    store(cluster, *objects)
    assert _PLUGIN.prefilter(requirements_of(cluster, wanted), cluster) == expected


def test_prefilter_refuses_a_claim_that_is_being_deleted() -> None:
    cluster = cluster_of()
    going = claim(bound_to="v")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    store(cluster, going)
    refused = _PLUGIN.prefilter(requirements_of(cluster, using(pod(), "data")), cluster)
    assert refused == Nowhere('persistentvolumeclaim "data" is being deleted')


def test_a_bound_claim_needs_a_node_that_reaches_its_volume() -> None:
    cluster = _zones()
    store(cluster, claim(bound_to="volume"), volume(terms=reached_from("zone", "a")))
    assert _verdicts(cluster, using(pod(), "data")) == {"a": True, "b": False}
    assert _reasons(cluster, using(pod(), "data")) == {_OUT_OF_REACH: 1}
    assert _reserved(cluster, using(pod(), "data"), "a") == VolumesToBind()


def test_a_claim_whose_volume_is_gone_is_told() -> None:
    cluster = _zones()
    store(cluster, claim(bound_to="gone"))
    assert _reasons(cluster, using(pod(), "data")) == {
        "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)": 2
    }


def test_a_node_that_handed_in_tree_volumes_over_reaches_them_by_the_drivers_label() -> None:
    cluster = cluster_of(
        node("old").label("topology.kubernetes.io/zone", "a"),
        node("new").label("topology.gke.io/zone", "a"),
        node("neither").label("topology.kubernetes.io/zone", "a"),
    )
    terms = reached_from("topology.kubernetes.io/zone", "a")
    store(cluster, claim(bound_to="volume"), volume(terms=terms, gcePersistentDisk={"pdName": "d"}))
    for name in ("new", "neither"):
        store(cluster, csi_node(name, migrated="kubernetes.io/gce-pd,kubernetes.io/cinder"))
    assert _verdicts(cluster, using(pod(), "data")) == {"old": True, "new": True, "neither": False}


def test_a_waiting_claim_gets_the_smallest_volume_that_fits_within_reach() -> None:
    cluster = _zones()
    store(
        cluster,
        _WAITING,
        claim(size="2Gi"),
        volume("small", size="1Gi"),
        volume("large", size="9Gi"),
        volume("right", size="3Gi", terms=reached_from("zone", "a")),
    )
    wanted = using(pod(), "data")
    assert _reserved(cluster, wanted, "a") == VolumesToBind(bind=(VolumeForClaim("right", _DATA),))
    assert _reserved(cluster, wanted, "b") == VolumesToBind(bind=(VolumeForClaim("large", _DATA),))


_UNSUITABLE: dict[str, Manifest] = {
    "too small": volume(size="1Gi"),
    "of another class": volume(storage_class="other", size="5Gi"),
    "another claim's": volume(size="5Gi", kept_for=claim("other")),
    "a claim's of the same name that is gone": volume(
        size="5Gi", kept_for={"metadata": {"namespace": "default", "name": "data", "uid": "gone"}}
    ),
    "not available yet": volume(size="5Gi", phase="Pending"),
    "of another mode": volume(size="5Gi", volumeMode="Block"),
    "of another attributes class": volume(size="5Gi", volumeAttributesClassName="gold"),
    "without the access mode": volume(size="5Gi", modes=("ReadOnlyMany",)),
    "without the label": volume(size="5Gi", labels={"tier": "slow"}),
    "out of reach": volume(size="5Gi", labels={"tier": "fast"}, terms=reached_from("zone", "c")),
}


@pytest.mark.parametrize("unsuitable", _UNSUITABLE.values(), ids=_UNSUITABLE.keys())
def test_a_volume_that_does_not_suit_is_not_taken(unsuitable: Manifest) -> None:
    cluster = _zones()
    if not unsuitable["metadata"]["labels"]:
        unsuitable["metadata"]["labels"] = {"tier": "fast"}
    store(cluster, _WAITING, unsuitable, claim(size="2Gi", selector={"matchLabels": {"tier": "fast"}}))
    assert _reasons(cluster, using(pod(), "data")) == {_NO_MATCH: 2}


def test_a_volume_that_an_administrator_kept_for_the_claim_is_the_only_one_for_it() -> None:
    cluster = _zones()
    kept: dict[str, Any] = {"metadata": {"namespace": "default", "name": "data"}}
    store(
        cluster,
        _WAITING,
        claim(),
        volume("free"),
        volume("kept", size="9Gi", phase="Pending", kept_for=kept, terms=reached_from("zone", "a")),
    )
    assert _verdicts(cluster, using(pod(), "data")) == {"a": True, "b": False}
    assert _reserved(cluster, using(pod(), "data"), "a").bind == (VolumeForClaim("kept", _DATA),)


def test_two_claims_of_a_pod_get_two_volumes_and_the_smaller_claim_chooses_first() -> None:
    cluster = cluster_of(node("n"))
    store(cluster, _WAITING, claim("data", size="2Gi"), claim("logs", size="1Gi"))
    store(cluster, volume("small", size="2Gi"), volume("large", size="3Gi"))
    wanted = using(pod(), "data", "logs")
    bound = {VolumeForClaim("small", _LOGS), VolumeForClaim("large", _DATA)}
    assert set(_reserved(cluster, wanted, "n").bind) == bound
    store(cluster, volume("small", size="500Mi"))
    assert _reasons(cluster, wanted) == {_NO_MATCH: 1}


def test_a_claim_named_twice_is_bound_once() -> None:
    cluster = cluster_of(node("n"))
    store(cluster, _WAITING, claim(), volume("first"), volume("second", size="2Gi"))
    assert _reserved(cluster, using(pod(), "data", "data"), "n").bind == (VolumeForClaim("first", _DATA),)


def test_without_a_volume_one_is_provisioned_where_the_class_allows_it() -> None:
    cluster = _zones()
    topologies = [{"matchLabelExpressions": [{"key": "zone", "values": ["b", "c"]}]}]
    store(cluster, claim("data", "made"), storage_class("made", _DRIVER, topologies=topologies))
    assert _verdicts(cluster, using(pod(), "data")) == {"a": False, "b": True}
    assert _reasons(cluster, using(pod(), "data")) == {_NO_MATCH: 1}
    assert _reserved(cluster, using(pod(), "data"), "b") == VolumesToBind(provision=(_DATA,))


def test_a_claim_that_is_being_provisioned_for_a_node_holds_its_pods_to_that_node() -> None:
    cluster = _zones()
    store(cluster, _MADE, claim("data", "made", selected_node="b"), volume("free", "made"))
    assert _verdicts(cluster, using(pod(), "data")) == {"a": False, "b": True}
    assert _reserved(cluster, using(pod(), "data"), "b") == VolumesToBind(provision=(_DATA,))


def _with_room(**zones: str) -> Cluster:
    cluster = _zones()
    store(cluster, _MADE, claim("data", "made", size="2Gi"), csi_driver(_DRIVER, tracks_capacity=True))
    for zone, size in zones.items():
        store(cluster, capacity(zone, size, {"matchLabels": {"zone": zone}}, "made"))
    return cluster


def test_a_driver_that_tells_of_its_room_must_have_enough() -> None:
    cluster = _with_room(a="1Gi", b="5Gi")
    assert _verdicts(cluster, using(pod(), "data")) == {"a": False, "b": True}
    assert _reasons(cluster, using(pod(), "data")) == {_NO_ROOM: 1}
    store(cluster, csi_driver(_DRIVER))
    assert _verdicts(cluster, using(pod(), "data")) == {"a": True, "b": True}


def test_the_largest_volume_limits_more_than_the_room() -> None:
    cluster = _with_room(a="9Gi")
    store(cluster, capacity("a", "9Gi", {"matchLabels": {"zone": "a"}}, "made") | {"maximumVolumeSize": "1Gi"})
    assert _verdicts(cluster, using(pod(), "data"))["a"] is False


def _scores(cluster: Cluster, wanted: PodBuilder) -> dict[str, int]:
    return by_node(cluster, _PLUGIN.score(requirements_of(cluster, wanted), cluster, cluster.rows()))


def test_the_score_is_what_the_claims_leave_of_the_volumes_in_the_mean_of_the_classes() -> None:
    cluster = _zones()
    store(cluster, _WAITING, storage_class("other"), claim("data", size="1Gi"), claim("logs", "other", size="2Gi"))
    store(cluster, volume("v", size="4Gi"), volume("w", "other", size="3Gi"))
    assert _scores(cluster, using(pod(), "data")) == {"a": 75, "b": 75}
    # 75 and 34 (100 less 66 of 66.7) make 54.5, which is rounded up.
    assert _scores(cluster, using(pod(), "data", "logs")) == {"a": 55, "b": 55}


def test_the_score_of_claims_to_provision_is_by_the_room_that_all_of_them_draw_on() -> None:
    cluster = _with_room(a="8Gi", b="4Gi")
    assert _scores(cluster, using(pod(), "data")) == {"a": 75, "b": 50}
    store(cluster, claim("logs", "made", size="2Gi"))
    assert _scores(cluster, using(pod(), "data", "logs")) == {"a": 50, "b": 0}


def test_claims_to_provision_count_only_where_no_claim_takes_a_volume_that_is_there() -> None:
    cluster = _with_room(a="8Gi", b="4Gi")
    store(cluster, _WAITING, claim("logs", size="1Gi"), volume("v", size="4Gi"))
    assert _scores(cluster, using(pod(), "data", "logs")) == {"a": 75, "b": 75}


def test_a_driver_that_does_not_tell_of_its_room_does_not_count() -> None:
    cluster = _with_room(a="8Gi", b="4Gi")
    store(cluster, storage_class("untold", "other.example.com"), claim("logs", "untold", size="2Gi"))
    assert _scores(cluster, using(pod(), "data", "logs")) == {"a": 75, "b": 50}


def test_bound_claims_score_nothing() -> None:
    cluster = _zones()
    store(cluster, claim(bound_to="volume"), volume())
    assert _scores(cluster, using(pod(), "data")) == {"a": 0, "b": 0}
