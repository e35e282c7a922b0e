"""Faults between a pod's node being chosen and its volumes being bound: kills, lost answers, provisioners that take
their time, claims and pods that go away meanwhile.
"""

import time
from collections.abc import Callable, Iterator

import pytest

from hydatis.sandbox.faults.actions import Action, Answer, Hang, LoseAnswer, Replace
from hydatis.sandbox.faults.plan import Rule
from hydatis.sandbox.faults.proxy import FaultProxy
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.faults.storage_scene import StorageScene
from hydatis.sandbox.faults.verdict import complaints_after_settling
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.sandbox.provisioner import Provisioner

START = Callable[..., OperatorProcess]
WAITING = "hydatis_pods_waiting_for_volumes"
NODES = 3


@pytest.fixture
def storage(make_scene: Callable[[Shape], Scene]) -> Iterator[StorageScene]:
    opened = StorageScene(make_scene(Shape(nodes=NODES, slots=10)), "hydatis")
    yield opened
    opened.clear()


@pytest.fixture
def held(storage: StorageScene) -> Iterator[Provisioner]:
    """A provisioner that does nothing until it is released."""
    with Provisioner(storage.scene.control_plane, f"{storage.scene.name}.example.com", held=True) as started:
        yield started
    assert started.failures == []


def wait_until_waiting(storage: StorageScene, operator: OperatorProcess, pods: int) -> None:
    storage.scene.wait_until(lambda: operator.metrics()[WAITING] == pods, f"{pods} pods wait for volumes", 30.0)


def claim_and_pod(storage: StorageScene, held: Provisioner, number: int = 0) -> str:
    """A claim to be provisioned and its pod; waits until a node is selected, and returns it."""
    if number == 0:
        storage.storage_class(held.driver)
    storage.claim(f"data-{number}", f"{storage.scene.name}-0")
    storage.pod(f"pod-{number}", f"data-{number}")
    selected = f"a node is selected for data-{number}"
    storage.scene.wait_until(lambda: bool(storage.selected_node(f"data-{number}")), selected, 30.0)
    return storage.selected_node(f"data-{number}")


def test_an_operator_killed_while_a_volume_is_provisioned_finds_it_and_binds_the_pod_there(
    storage: StorageScene, held: Provisioner, start_operator: START
) -> None:
    operator = start_operator()
    node = claim_and_pod(storage, held)
    operator.kill()
    operator = start_operator()
    wait_until_waiting(storage, operator, 1)
    assert storage.node_of("pod-0") == ""
    held.release()
    assert storage.wait_for_node("pod-0") == node == storage.selected_node("data-0")
    assert complaints_after_settling(storage.scene, operator, bound=1) == []


def test_a_volume_provisioned_while_no_operator_runs_is_used_by_the_next(
    storage: StorageScene, held: Provisioner, start_operator: START
) -> None:
    operator = start_operator()
    node = claim_and_pod(storage, held)
    operator.kill()
    held.release()
    storage.scene.wait_until(lambda: bool(storage.volume_of("data-0")), "the claim is bound", 30.0)
    operator = start_operator()
    assert storage.wait_for_node("pod-0") == node
    assert complaints_after_settling(storage.scene, operator, bound=1) == []


@pytest.mark.parametrize("resource", ["persistentvolumes", "persistentvolumeclaims"])
@pytest.mark.parametrize(
    "action",
    [
        pytest.param(LoseAnswer(), id="took effect but the answer was lost"),
        pytest.param(Replace(500), id="500 after it took effect"),
        pytest.param(Answer(500), id="500 before it took effect"),
        pytest.param(Answer(409), id="409 although nothing conflicts"),
        pytest.param(Answer(429, retry_after_seconds=1), id="429 with Retry-After"),
        pytest.param(Answer(403), id="403 once"),
    ],
)
def test_volumes_are_bound_once_whatever_writing_to_them_is_answered(
    action: Action, resource: str, storage: StorageScene, proxy: FaultProxy, start_operator: START
) -> None:
    proxy.plan.add(Rule("write", action, verb="patch", resource=resource, times=1))
    proxy.plan.add(Rule("read", Answer(500), verb="get", resource=resource, skip=1, times=1))
    operator = start_operator(through=proxy)
    driver = f"{storage.scene.name}.example.com"
    dynamic, local = storage.storage_class(driver), storage.storage_class()
    storage.volume(local, 1)
    storage.claim("data", dynamic)
    storage.claim("logs", local)
    storage.pod("pod", "data", "logs")
    with Provisioner(storage.scene.control_plane, driver) as provisioner:
        assert storage.wait_for_node("pod") == storage.node(1)
    assert provisioner.failures == []
    assert {storage.node_that_reaches(storage.volume_of(claim)) for claim in ("data", "logs")} == {storage.node(1)}
    assert proxy.plan.count("write") == 1
    assert complaints_after_settling(storage.scene, operator, bound=1) == []


def test_a_write_without_an_answer_is_looked_up_after_a_while(
    storage: StorageScene, held: Provisioner, proxy: FaultProxy, start_operator: START
) -> None:
    proxy.plan.add(Rule("silence", Hang(), verb="patch", resource="persistentvolumeclaims", times=1))
    operator = start_operator(through=proxy)
    held.release()
    node = claim_and_pod(storage, held)
    assert storage.wait_for_node("pod-0") == node
    assert proxy.plan.count("silence") == 1
    assert complaints_after_settling(storage.scene, operator, bound=1) == []


def test_pods_that_wait_for_volumes_hold_up_no_others_and_not_the_end(
    storage: StorageScene, held: Provisioner, start_operator: START
) -> None:
    operator = start_operator("--bind-concurrency", "2")
    for number in range(6):
        claim_and_pod(storage, held, number)
    wait_until_waiting(storage, operator, 6)
    storage.pod("plain")
    storage.wait_for_node("plain")
    started = time.monotonic()
    operator.stop()
    assert time.monotonic() - started < 8, "the end waits for no volume"
    operator = start_operator()
    held.release()
    storage.scene.wait_for_bound(7)
    assert complaints_after_settling(storage.scene, operator, bound=7) == []


def test_a_pod_whose_volume_takes_too_long_is_told_and_tried_again(
    storage: StorageScene, held: Provisioner, start_operator: START
) -> None:
    operator = start_operator("--volume-bind-timeout", "1")
    node = claim_and_pod(storage, held)
    storage.wait_for_message(
        "pod-0", 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'
    )
    held.release()
    assert storage.wait_for_node("pod-0") == node, "the claim stays the node's"
    assert complaints_after_settling(storage.scene, operator, bound=1) == []


def test_a_claim_deleted_and_created_anew_while_its_pod_waits_is_provisioned_anew(
    storage: StorageScene, held: Provisioner, start_operator: START
) -> None:
    operator = start_operator()
    claim_and_pod(storage, held)
    wait_until_waiting(storage, operator, 1)
    storage.delete_claim("data-0")
    storage.wait_for_message("pod-0", 'persistentvolumeclaims "')
    storage.scene.wait_until(lambda: operator.metrics()[WAITING] == 0, "no pod waits for volumes", 30.0)
    storage.wait_for_message("pod-0", 'persistentvolumeclaim "data-0" not found')
    storage.claim("data-0", f"{storage.scene.name}-0")
    held.release()
    node = storage.wait_for_node("pod-0")
    assert storage.node_that_reaches(storage.volume_of("data-0")) == node
    assert complaints_after_settling(storage.scene, operator, bound=1) == []


def test_a_pod_deleted_while_it_waits_leaves_its_place_and_its_claim_to_the_next(
    storage: StorageScene, held: Provisioner, start_operator: START
) -> None:
    operator = start_operator()
    node = claim_and_pod(storage, held)
    wait_until_waiting(storage, operator, 1)
    storage.scene.delete_pod("pod-0")
    wait_until_waiting(storage, operator, 0)
    storage.pod("next", "data-0")
    held.release()
    assert storage.wait_for_node("next") == node
    assert complaints_after_settling(storage.scene, operator, bound=1) == []
