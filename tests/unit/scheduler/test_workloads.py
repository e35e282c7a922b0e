"""Which pods belong together, by services and controllers, and how that spreads pods that state no constraint."""

from typing import Any

import pytest

from hydatis.scheduler.pod_identity import PodIdentity
from hydatis.scheduler.testing import cluster_of, node, place, pod, pod_class_of
from hydatis.scheduler.workloads import Workload, Workloads, controller_of

_WEB = PodIdentity("default", {"app": "web", "version": "1"}, terminating=False)
_SERVICE = Workload("Service", "default", "web")


def _spec(selector: Any) -> dict[str, Any]:
    return {"spec": {"selector": selector}}


def _selects(workloads: Workloads, controller: Workload | None = None, **labels: str) -> bool:
    selector = workloads.selector_for(_WEB, controller)
    return selector is not None and selector.matches(labels)


def test_a_pod_belongs_with_those_that_its_services_select() -> None:
    workloads = Workloads()
    assert workloads.selector_for(_WEB, None) is None
    workloads.set(_SERVICE, _spec({"app": "web"}))
    assert _selects(workloads, app="web", version="2")
    assert not _selects(workloads, app="db")
    workloads.set(Workload("Service", "default", "versioned"), _spec({"version": "1"}))
    assert not _selects(workloads, app="web", version="2")
    workloads.remove(_SERVICE)
    assert _selects(workloads, version="1")


@pytest.mark.parametrize("selector", [None, {}, {"app": "db"}, {"app": "web", "tier": "gold"}])
def test_a_service_that_does_not_select_the_pod_says_nothing(selector: dict[str, str] | None) -> None:
    workloads = Workloads()
    workloads.set(_SERVICE, _spec(selector))
    workloads.set(Workload("Service", "elsewhere", "web"), _spec({"app": "web"}))
    assert workloads.selector_for(_WEB, None) is None


def test_the_selector_of_the_controller_counts_besides() -> None:
    workloads = Workloads()
    owner = Workload("ReplicaSet", "default", "web-1")
    workloads.set(_SERVICE, _spec({"app": "web"}))
    workloads.set(owner, _spec({"matchLabels": {"version": "1"}}))
    assert _selects(workloads, owner, app="web", version="1")
    assert not _selects(workloads, owner, app="web", version="2")
    workloads.remove(owner)
    assert _selects(workloads, owner, app="web", version="2")


def test_labels_of_a_replication_controller_replace_those_of_a_service() -> None:
    workloads = Workloads()
    owner = Workload("ReplicationController", "default", "web")
    workloads.set(_SERVICE, _spec({"app": "web"}))
    workloads.set(owner, _spec({"app": "other"}))
    assert _selects(workloads, owner, app="other")


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ({"apiVersion": "apps/v1", "kind": "StatefulSet", "controller": True}, Workload("StatefulSet", "default", "o")),
        ({"apiVersion": "apps/v1", "kind": "StatefulSet"}, None),
        ({"apiVersion": "batch/v1", "kind": "Job", "controller": True}, None),
    ],
)
def test_only_some_controllers_count(owner: dict[str, Any], expected: Workload | None) -> None:
    assert controller_of({"namespace": "default", "ownerReferences": [{"name": "o", **owner}]}) == expected


def test_only_a_change_of_a_selector_makes_pods_look_again() -> None:
    workloads = Workloads()
    versions = []
    for selector in ({"app": "web"}, {"app": "web"}, {"app": "db"}):
        workloads.set(_SERVICE, _spec(selector))
        versions.append(workloads.version)
    assert versions == [1, 1, 2]


def test_pods_of_a_service_are_spread_over_hosts_and_zones_by_default_and_others_are_not() -> None:
    cluster = cluster_of(node("a").label("topology.kubernetes.io/zone", "a"), node("none"))
    cluster.workloads.set(_SERVICE, _spec({"app": "web"}))
    place(cluster, pod("first").labels(app="web"), "a")
    web = pod_class_of(cluster, pod("second").labels(app="web")).neighbours(cluster.placed, cluster.workloads)
    assert web.spread_by_default
    assert [s.constraint.topology_key for s in web.preferred_spread] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert not pod_class_of(cluster, pod("other")).neighbours(cluster.placed, cluster.workloads)
    own = (
        pod("third")
        .labels(app="web")
        .set_spec(
            topologySpreadConstraints=[{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]
        )
    )
    assert not pod_class_of(cluster, own).neighbours(cluster.placed, cluster.workloads).spread_by_default
