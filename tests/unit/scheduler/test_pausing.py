"""Pods of a paused policy wait, say why, and go on when the mode changes."""

from typing import Any

import pytest

from hydatis.scheduler import events
from hydatis.scheduler.policy import POLICY_ANNOTATION, parse_policy
from hydatis.scheduler.testing import PodBuilder, node, pod
from hydatis.scheduler.testing_driver import DrivenScheduler as Cluster


def policy(mode: str, name: str = "batch", **spec: Any) -> events.PolicyInForce:
    manifest = {"apiVersion": "hydatis.io/v1alpha1", "kind": "MLSchedulerPolicy", "metadata": {"name": name}}
    return events.PolicyInForce(parse_policy({**manifest, "spec": {"mode": mode, **spec}}))


def annotated(builder: PodBuilder, name: str) -> dict[str, Any]:
    manifest = builder.manifest()
    manifest["metadata"]["annotations"] = {POLICY_ANNOTATION: name}
    return manifest


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster(node("n").allocatable(cpu="4"))
    cluster.tell(policy("Paused"))
    return cluster


def test_a_paused_pod_is_reported_with_the_policy_and_the_remedy_and_no_node_is_looked_at(cluster: Cluster) -> None:
    cluster.see(pod("web").requests(cpu="1"))
    report = cluster.report()
    assert report.paused
    assert report.message == (
        "Scheduling is paused by the policy batch. It goes on when spec.mode of the policy is no longer Paused."
    )
    assert (report.decision.policy, report.preemption, report.nominated_node) == ("batch", None, "")


@pytest.mark.parametrize("change", [policy("Auto"), policy("Fallback"), events.PolicyGone("batch")], ids=str)
def test_it_goes_on_at_once_when_the_policy_does(cluster: Cluster, change: events.Event) -> None:
    cluster.see(*(pod(f"web{number}").requests(cpu="1") for number in range(3)))
    assert len(cluster.run()) == 3
    cluster.tell(change)
    assert len(cluster.placements()) == 3


def test_what_happens_in_the_cluster_does_not_wake_a_paused_pod(cluster: Cluster) -> None:
    cluster.see(pod("web").requests(cpu="1"))
    cluster.run()
    cluster.see(node("m"))
    cluster.tell(policy("Paused", priority=5))
    cluster.now = 200.0
    assert cluster.run() == []
    cluster.now = 400.0
    assert cluster.report().paused, "the flush looks again"
    cluster.tell(policy("Auto"))
    assert len(cluster.placements()) == 1
    assert cluster.scheduler.statistics.scheduled_after_flush == 0


def test_a_pod_that_is_moved_to_another_policy_goes_on(cluster: Cluster) -> None:
    cluster.tell(policy("Auto", "other", selector={"podSelector": {"matchLabels": {"a": "b"}}}))
    builder = pod("web").requests(cpu="1")
    cluster.see(builder)
    assert cluster.report().paused
    cluster.tell(events.PodSeen(annotated(builder, "other")))
    assert cluster.placements() == {"web": "n"}


def test_only_the_pods_of_the_policy_wait() -> None:
    cluster = Cluster(node("n").allocatable(cpu="4"))
    cluster.tell(policy("Paused", selector={"podSelector": {"matchLabels": {"tier": "batch"}}}))
    cluster.see(pod("web").requests(cpu="1"), pod("job").requests(cpu="1").labels(tier="batch"))
    assert cluster.placements() == {"web": "n"}
    assert cluster.scheduler.pending()["unschedulable"] == 1


def test_a_like_pod_that_waits_for_room_is_woken_beside_the_paused_one(cluster: Cluster) -> None:
    cluster.tell(policy("Auto", "other", selector={"podSelector": {"matchLabels": {"a": "b"}}}))
    paused, waiting = pod("paused").requests(cpu="8"), pod("waiting").requests(cpu="8")
    cluster.see(paused)
    cluster.tell(events.PodSeen(annotated(waiting, "other")))
    assert len(cluster.run()) == 2
    cluster.see(node("large").allocatable(cpu="16"))
    assert cluster.placements() == {"waiting": "large"}
    cluster.see(node("larger").allocatable(cpu="16"))
    cluster.run()
    cluster.tell(policy("Auto"))
    assert cluster.placements() == {"paused": "larger"}


def test_a_pod_that_fits_nowhere_after_the_pause_waits_for_room_like_any_other(cluster: Cluster) -> None:
    cluster.see(pod("large").requests(cpu="8"))
    assert cluster.report().paused
    cluster.tell(policy("Auto"))
    report = cluster.report()
    assert not report.paused
    assert "Insufficient cpu" in report.message
    cluster.now = 30.0
    cluster.see(node("larger").allocatable(cpu="16"))
    assert cluster.placements() == {"large": "larger"}
