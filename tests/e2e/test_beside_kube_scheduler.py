"""HYDATIS and the real kube-scheduler on the same nodes; two kube-schedulers are the control."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from hydatis.sandbox.faults.actions import Delay
from hydatis.sandbox.faults.contest import Outcome, contest
from hydatis.sandbox.faults.plan import Rule
from hydatis.sandbox.faults.proxy import FaultProxy
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.faults.verdict import complaints_after_settling
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.sandbox.scheduler_process import KubeSchedulerProcess

START = Callable[..., OperatorProcess]
TOO_MANY = 24
HELD_SECONDS = 4.0
_HOST = "kubernetes.io/hostname"


@pytest.fixture
def kube_scheduler(scene: Scene) -> Iterator[str]:
    """A real kube-scheduler; the name that pods ask for it by."""
    with KubeSchedulerProcess.start(scene.control_plane, "kube-scheduler"):
        yield "kube-scheduler"


@pytest.fixture
def second_kube_scheduler(scene: Scene) -> Iterator[str]:
    with KubeSchedulerProcess.start(scene.control_plane, "second-kube-scheduler"):
        yield "second-kube-scheduler"


def assert_no_node_was_overfilled_knowingly(scene: Scene, outcome: Outcome) -> None:
    """What holds for any two schedulers that heed each other's pods as soon as they see them."""
    assert outcome.lost == 0
    assert outcome.bound_twice == 0
    assert set(outcome.onto_full_nodes.values()) == {0}, outcome
    assert all(count > outcome.places // 4 for count in outcome.bound.values()), "one of the two did nearly nothing"
    # Only the last places can be given away twice in one instant: no node holds more than its places from either.
    held = Counter(
        (pod["spec"]["nodeName"], pod["spec"]["schedulerName"]) for pod in scene.pods() if pod["spec"].get("nodeName")
    )
    assert max(held.values()) <= scene.shape.slots


def test_beside_kube_scheduler_no_pod_is_lost_and_no_node_is_overfilled_knowingly(
    scene: Scene, start_operator: START, kube_scheduler: str
) -> None:
    operator = start_operator()
    outcome = contest(scene, ("hydatis", kube_scheduler), extra=TOO_MANY)
    assert_no_node_was_overfilled_knowingly(scene, outcome)
    complaints = complaints_after_settling(scene, operator, bound=sum(outcome.bound.values()), seconds=1.0)
    assert [complaint for complaint in complaints if "overcommitted" not in complaint] == []


def test_two_kube_schedulers_keep_the_same_rule(scene: Scene, kube_scheduler: str, second_kube_scheduler: str) -> None:
    outcome = contest(scene, (kube_scheduler, second_kube_scheduler), extra=TOO_MANY)
    assert_no_node_was_overfilled_knowingly(scene, outcome)


def test_a_binding_whose_node_others_fill_before_it_leaves_is_withdrawn_and_the_pod_goes_elsewhere(
    make_scene: Callable[[Shape], Scene], proxy: FaultProxy, start_operator: START
) -> None:
    scene = make_scene(Shape(nodes=3, slots=1))
    proxy.plan.add(Rule("held", Delay(HELD_SECONDS), resource="pods/binding", times=1))
    operator = start_operator("--bind-concurrency", "1", through=proxy)
    first, second, third = (scene.node(number)["metadata"]["name"] for number in range(3))

    # One binding is on its way for some seconds, and the next has to wait for it.
    scene.burst([scene.pod("held", nodeSelector={_HOST: first})]).join()
    scene.wait_until(lambda: proxy.plan.taken("held") == 1, "the first binding is held", 30.0)
    wanted = {"weight": 100, "preference": {"matchExpressions": [{"key": _HOST, "operator": "In", "values": [second]}]}}
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wanted]}}
    scene.burst([scene.pod("ours", affinity=affinity)]).join()
    waiting = 'hydatis_outbox_waiting{lane="bind"}'
    scene.wait_until(lambda: operator.metrics()[waiting] == 1, "the second binding waits", 30.0)
    scene.burst([scene.pod("theirs", scheduler="other", nodeName=second)]).join()

    scene.wait_for_bound(3)
    assert {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in scene.pods()} == {
        "held": first,
        "ours": third,
        "theirs": second,
    }
    assert operator.metrics()['hydatis_bind_outcomes_total{outcome="withdrawn"}'] == 1
    notes = [event["note"] for event in scene.events(reason="FailedScheduling", pod="ours")]
    withdrawn = f"Binding to node {second} was withdrawn and will be tried again"
    assert notes == [f"{withdrawn}: the node has been filled by others meanwhile"]
    assert complaints_after_settling(scene, operator, bound=3) == []
