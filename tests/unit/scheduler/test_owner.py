"""Whose pods use resources alike."""

from typing import Any

import pytest

from hydatis.scheduler.owner import Owner, controller_reference
from hydatis.scheduler.testing import PodBuilder, cluster_of, node, pod, pod_class_of


def owned(kind: str, name: str, **labels: str) -> dict[str, Any]:
    other = {"kind": "Node", "name": "n", "controller": False}
    return {"labels": labels, "ownerReferences": [other, {"kind": kind, "name": name, "controller": True}]}


@pytest.mark.parametrize(
    ("metadata", "reference"),
    [
        ({}, None),
        ({"ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": False}]}, None),
        (owned("StatefulSet", "db"), ("StatefulSet", "db")),
        (owned("ReplicaSet", "web-5d4f8", **{"pod-template-hash": "5d4f8"}), ("Deployment", "web")),
        (owned("ReplicaSet", "web-5d4f8"), ("ReplicaSet", "web-5d4f8")),
        (owned("ReplicaSet", "web-5d4f8", **{"pod-template-hash": "d4f8"}), ("ReplicaSet", "web-5d4f8")),
        (owned("Job", "report-29384715"), ("Job", "report")),
        (owned("Job", "train-2"), ("Job", "train-2")),
        (owned("DaemonSet", "agent-12345678"), ("DaemonSet", "agent-12345678")),
    ],
    ids=[
        "no owner",
        "an owner that does not control it",
        "a StatefulSet",
        "a Deployment's ReplicaSet",
        "a ReplicaSet of its own",
        "a hash that only ends alike",
        "a CronJob's Job",
        "a Job of its own",
        "a DaemonSet whose name looks like a CronJob's Job",
    ],
)
def test_rollouts_and_runs_share_an_owner(metadata: dict[str, Any], reference: tuple[str, str] | None) -> None:
    assert controller_reference(metadata) == reference


def owner_of(builder: PodBuilder) -> Owner:
    return pod_class_of(cluster_of(node()), builder).owner


def test_a_pod_without_controller_belongs_with_those_of_the_same_labels_and_requests() -> None:
    one = owner_of(pod("a").labels(app="x").requests(cpu="1"))
    assert one.kind == ""
    assert one == owner_of(pod("b").labels(app="x").requests(cpu="1000m").image("other"))
    assert one != owner_of(pod("a", "elsewhere").labels(app="x").requests(cpu="1"))
    assert one != owner_of(pod("a").labels(app="y").requests(cpu="1"))
    assert one != owner_of(pod("a").labels(app="x").requests(cpu="2"))


def test_pods_of_one_owner_may_ask_for_different_things() -> None:
    small, large = pod("a").requests(cpu="1"), pod("b").requests(cpu="2")
    for builder in (small, large):
        builder.owned_by("StatefulSet", "db")
    assert owner_of(small) == owner_of(large) == Owner("default", "StatefulSet", "db")
