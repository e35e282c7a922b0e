"""Pods with volumes: real claims and volumes, bound by the real PersistentVolume controller, on nodes that HYDATIS
chooses. Every test runs under kube-scheduler, too: what holds there has to hold here.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hydatis.sandbox.controlplane import Component
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.faults.storage_scene import StorageScene, claim_spec
from hydatis.sandbox.provisioner import Provisioner

NODES = 3
SHAPE = Shape(nodes=NODES, slots=10)
NO_VOLUME = "node(s) didn't find available persistent volumes to bind"


@pytest.fixture(scope="module", params=["hydatis", "default-scheduler"], ids=["hydatis", "kube-scheduler"])
def scheduler(request: pytest.FixtureRequest, stage: Any, start_module_operator: Any) -> Iterator[str]:
    """The schedulerName of the scheduler that runs."""
    if request.param == "hydatis":
        start_module_operator()
        yield request.param
        return
    stage.control_plane.start_component(Component.SCHEDULER)
    yield request.param
    stage.control_plane.stop_component(Component.SCHEDULER)


@pytest.fixture
def storage(make_scene: Callable[[Shape], Scene], scheduler: str) -> Iterator[StorageScene]:
    opened = StorageScene(make_scene(SHAPE), scheduler)
    yield opened
    opened.clear()


@pytest.fixture
def provisioner(storage: StorageScene) -> Iterator[Provisioner]:
    with Provisioner(storage.scene.control_plane, f"{storage.scene.name}.example.com") as started:
        yield started
    assert started.failures == []


def test_claims_that_wait_for_their_pod_get_volumes_where_the_pod_can_run_and_no_two_the_same(
    storage: StorageScene,
) -> None:
    local = storage.storage_class()
    volumes = [storage.volume(local, number) for number in range(NODES)]
    for number in range(NODES + 1):
        storage.claim(f"data-{number}", local)
        storage.pod(f"pod-{number}", f"data-{number}")
    storage.scene.wait_for_bound(NODES)
    storage.scene.wait_until(
        lambda: sum(bool(storage.volume_of(f"data-{number}")) for number in range(NODES + 1)) == NODES,
        "the claims of the bound pods are bound",
        30.0,
    )
    given = {}
    for number in range(NODES + 1):
        node, volume = storage.node_of(f"pod-{number}"), storage.volume_of(f"data-{number}")
        assert bool(node) == bool(volume)
        if node:
            assert storage.node_that_reaches(volume) == node
            given[volume] = node
        else:
            left_over = f"pod-{number}"
    assert sorted(given) == sorted(volumes)

    storage.wait_for_message(left_over, NO_VOLUME)
    storage.volume(local, 1)
    assert storage.wait_for_node(left_over) == storage.node(1), "the new volume wakes the pod"


def test_a_pod_goes_only_where_one_volume_for_each_of_its_claims_can_be_reached(storage: StorageScene) -> None:
    local = storage.storage_class()
    for number in (0, 1, 1, 2):
        storage.volume(local, number)
    storage.claim("data", local)
    storage.claim("logs", local)
    storage.pod("both", "data", "logs")
    assert storage.wait_for_node("both") == storage.node(1)
    assert {storage.node_that_reaches(storage.volume_of(name)) for name in ("data", "logs")} == {storage.node(1)}


def test_a_pod_whose_claim_is_bound_already_follows_the_volume(storage: StorageScene) -> None:
    local = storage.storage_class(mode="Immediate")
    storage.volume(local, 2)
    storage.claim("data", local)
    storage.scene.wait_until(lambda: bool(storage.volume_of("data")), "the claim is bound", 30.0)
    storage.pod("first", "data")
    storage.pod("second", "data")
    assert {storage.wait_for_node("first"), storage.wait_for_node("second")} == {storage.node(2)}
    storage.pod("elsewhere", "data", nodeSelector={"kubernetes.io/hostname": storage.node(0)})
    storage.wait_for_message("elsewhere", "node(s) didn't match PersistentVolume's node affinity")


def test_claims_are_provisioned_for_the_node_of_their_pod(storage: StorageScene, provisioner: Provisioner) -> None:
    dynamic = storage.storage_class(provisioner.driver)
    for number in range(4):
        storage.claim(f"data-{number}", dynamic)
        storage.claim(f"logs-{number}", dynamic)
        storage.pod(f"pod-{number}", f"data-{number}", f"logs-{number}")
    for number in range(4):
        node = storage.wait_for_node(f"pod-{number}")
        for claim in (f"data-{number}", f"logs-{number}"):
            assert storage.selected_node(claim) == node
            assert storage.node_that_reaches(storage.volume_of(claim)) == node


def test_two_pods_with_one_claim_go_to_one_node(storage: StorageScene, provisioner: Provisioner) -> None:
    storage.claim("data", storage.storage_class(provisioner.driver))
    storage.pod("first", "data")
    storage.pod("second", "data")
    assert storage.wait_for_node("first") == storage.wait_for_node("second") == storage.selected_node("data")


def test_a_provisioner_that_cannot_serve_the_node_gets_another_one(storage: StorageScene) -> None:
    driver = f"{storage.scene.name}.example.com"
    with Provisioner(storage.scene.control_plane, driver, refusals=2) as provisioner:
        dynamic = storage.storage_class(driver)
        storage.driver(driver, dynamic)
        storage.claim("data", dynamic)
        storage.pod("pod", "data")
        node = storage.wait_for_node("pod")
    assert provisioner.failures == []
    assert len({*provisioner.refused, node}) == NODES, "each node was tried once"
    assert storage.node_that_reaches(storage.volume_of("data")) == node
    storage.wait_for_message("pod", 'provisioning failed for PVC "data"')


def test_a_pod_waits_where_no_driver_has_room(storage: StorageScene, provisioner: Provisioner) -> None:
    dynamic = storage.storage_class(provisioner.driver)
    storage.driver(provisioner.driver, f"{dynamic}-other")
    storage.claim("data", dynamic)
    storage.pod("pod", "data")
    storage.wait_for_message("pod", "node(s) did not have enough free storage")
    assert storage.selected_node("data") == ""


def test_a_pod_waits_for_an_immediate_claim_and_is_bound_when_its_volume_comes(storage: StorageScene) -> None:
    immediate = storage.storage_class(mode="Immediate")
    storage.claim("data", immediate)
    storage.pod("pod", "data")
    storage.wait_for_message("pod", "pod has unbound immediate PersistentVolumeClaims")
    storage.volume(immediate, 1)
    assert storage.wait_for_node("pod") == storage.node(1)


def test_a_pod_waits_for_a_claim_that_does_not_exist_and_is_bound_when_it_does(storage: StorageScene) -> None:
    local = storage.storage_class()
    storage.volume(local, 0)
    storage.pod("pod", "data")
    storage.wait_for_message("pod", 'persistentvolumeclaim "data" not found')
    storage.claim("data", local)
    assert storage.wait_for_node("pod") == storage.node(0)


def test_one_pod_at_a_time_uses_a_claim_that_only_one_may(storage: StorageScene) -> None:
    local = storage.storage_class()
    storage.volume(local, 0, "ReadWriteOncePod")
    storage.claim("data", local, "ReadWriteOncePod")
    storage.pod("first", "data")
    assert storage.wait_for_node("first") == storage.node(0)
    storage.pod("second", "data")
    storage.wait_for_message(
        "second", "PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another"
    )
    storage.scene.delete_pod("first")
    assert storage.wait_for_node("second") == storage.node(0)


def test_an_ephemeral_volume_is_made_for_its_pod(storage: StorageScene, provisioner: Provisioner) -> None:
    dynamic = storage.storage_class(provisioner.driver)
    template = {"spec": claim_spec(dynamic)}
    storage.pod("pod", volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}])
    node = storage.wait_for_node("pod")
    claim = storage.claim_named("pod-scratch")
    assert claim["metadata"]["ownerReferences"][0]["uid"] == storage.scene.pod_named("pod")["metadata"]["uid"]
    assert storage.node_that_reaches(storage.volume_of("pod-scratch")) == node


def test_an_ephemeral_volume_is_not_taken_from_a_claim_of_somebody_else(storage: StorageScene) -> None:
    local = storage.storage_class()
    storage.volume(local, 0)
    storage.claim("pod-scratch", local)
    template = {"spec": claim_spec(local)}
    storage.pod("pod", volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}])
    storage.wait_for_message("pod", "was not created for pod")
