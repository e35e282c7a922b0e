"""NodeDeclaredFeatures."""

import numpy as np
import pytest

from hydatis.scheduler.events import NodeSeen, PodSeen
from hydatis.scheduler.instructions import Bind, ReportUnschedulable
from hydatis.scheduler.plugins.node_declared_features import NodeDeclaredFeatures
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, node, pod, requirements_of

RESTARTS = "RestartAllContainersOnContainerExits"
USERS = "UserNamespacesHostNetworkSupport"
MOUNTS = "VolumeBindMountOptions"

RESTART_ALL = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}]
NO_EXEC = [{"name": "data", "mountPath": "/data", "bindMountOptions": ["noexec"]}]


@pytest.mark.parametrize(
    ("wanted", "passing"),
    [
        (pod().set_spec(hostNetwork=True, hostUsers=False), {"users", "all"}),
        (pod().container(name="c", restartPolicyRules=RESTART_ALL), {"restarts", "all"}),
        (pod().init_container(name="i", restartPolicyRules=RESTART_ALL), {"restarts", "all"}),
        (pod().container(name="c", volumeMounts=NO_EXEC), {"mounts", "all"}),
        (pod().init_container(name="i", volumeMounts=NO_EXEC), {"mounts", "all"}),
        (pod().set_spec(ephemeralContainers=[{"name": "e", "volumeMounts": NO_EXEC}]), {"mounts", "all"}),
        (pod().container(name="c", volumeMounts=NO_EXEC, restartPolicyRules=RESTART_ALL), {"all"}),
        (pod().container(name="c", volumeMounts=NO_EXEC).container(name="d", volumeMounts=NO_EXEC), {"mounts", "all"}),
    ],
)
def test_a_node_must_declare_every_feature_that_the_pod_needs(wanted: PodBuilder, passing: set[str]) -> None:
    cluster = cluster_of(
        node("none"),
        node("restarts").declared_features(RESTARTS),
        node("users").declared_features(USERS),
        node("mounts").declared_features("OfAnotherVersion", MOUNTS),
        node("all").declared_features(RESTARTS, USERS, MOUNTS),
    )
    requirements = requirements_of(cluster, wanted)
    verdicts = by_node(cluster, NodeDeclaredFeatures().filter(requirements, cluster, cluster.rows()))
    assert {name for name, passed in verdicts.items() if passed} == passing


@pytest.mark.parametrize(
    "wanted",
    [
        pod(),
        pod().set_spec(hostNetwork=True),
        pod().set_spec(hostNetwork=True, hostUsers=True),
        pod().set_spec(hostNetwork=False, hostUsers=False),
        pod().container(name="c", restartPolicyRules=[{"action": "Restart"}]),
        pod().container(name="c", volumeMounts=[{"name": "data", "mountPath": "/data", "bindMountOptions": []}]),
    ],
)
def test_a_pod_that_needs_no_feature_is_not_asked_about(wanted: PodBuilder) -> None:
    assert not NodeDeclaredFeatures().applies(requirements_of(cluster_of(), wanted))


def test_a_pod_waits_until_a_node_declares_what_it_needs() -> None:
    scheduler = Scheduler(random=np.random.default_rng(0))
    scheduler.handle(NodeSeen(node("n").manifest()), 0.0)
    scheduler.handle(PodSeen(pod().set_spec(hostNetwork=True, hostUsers=False).manifest()), 0.0)
    refused = scheduler.schedule_next(0.0)
    assert isinstance(refused, ReportUnschedulable)
    assert refused.message == (
        "0/1 nodes are available: 1 node(s) didn't match Pod's required features. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )
    scheduler.handle(NodeSeen(node("n").declared_features(MOUNTS).manifest()), 10.0)
    assert scheduler.schedule_next(20.0) is None
    scheduler.handle(NodeSeen(node("n").declared_features(USERS).manifest()), 30.0)
    bound = scheduler.schedule_next(40.0)
    assert isinstance(bound, Bind)
    assert bound.node == "n"


def test_a_node_that_left_declares_nothing_when_it_comes_back_without_features() -> None:
    cluster = cluster_of(node("n").declared_features(USERS))
    wanted = requirements_of(cluster, pod().set_spec(hostNetwork=True, hostUsers=False))
    cluster.remove_node("n")
    cluster.set_node(node("other").manifest())
    assert by_node(cluster, NodeDeclaredFeatures().filter(wanted, cluster, cluster.rows())) == {"other": False}


def test_what_a_pod_needs_is_told_after_the_faults_that_other_plugins_find() -> None:
    scheduler = Scheduler(random=np.random.default_rng(0))
    scheduler.handle(NodeSeen(node("n").manifest()), 0.0)
    zone = {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    wanted = pod().set_spec(hostNetwork=True, hostUsers=False, topologySpreadConstraints=[zone])
    scheduler.handle(PodSeen(wanted.manifest()), 0.0)
    refused = scheduler.schedule_next(0.0)
    assert isinstance(refused, ReportUnschedulable)
    assert "missing required label" in refused.message
    assert "required features" not in refused.message
