"""Bindings that are refused, unanswered, or done without the operator hearing of it; Events and conditions that are
turned away. One operator lives through all of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from hydatis.sandbox.faults.actions import Action, Answer, Delay, Hang, LoseAnswer, Replace
from hydatis.sandbox.faults.plan import Rule
from hydatis.sandbox.faults.proxy import FaultProxy
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.faults.verdict import complaints_after_settling
from hydatis.sandbox.operator_process import OperatorProcess

START = Callable[..., OperatorProcess]
TOO_MANY = 8


@contextmanager
def spoiled(proxy: FaultProxy, *rules: Rule) -> Iterator[None]:
    """The rules, for a while; each must have struck."""
    before = {rule.name: proxy.plan.count(rule.name) for rule in rules}
    proxy.plan.add(*rules)
    try:
        yield
    finally:
        proxy.plan.clear()
    for name, count in before.items():
        assert proxy.plan.count(name) > count, f"the fault {name!r} never happened"


def of_binds(name: str, action: Action, *, times: int | None = None, probability: float = 1.0, skip: int = 30) -> Rule:
    return Rule(name, action, verb="create", resource="pods/binding", skip=skip, times=times, probability=probability)


@pytest.fixture(scope="module")
def operator(module_proxy: FaultProxy, start_module_operator: START) -> OperatorProcess:
    return start_module_operator(through=module_proxy)


@pytest.mark.parametrize(
    ("action", "times"),
    [
        pytest.param(Answer(409), 40, id="409 although nothing conflicts"),
        pytest.param(Answer(404), 40, id="404 although the pod exists"),
        pytest.param(Answer(429, retry_after_seconds=1), 80, id="429 with Retry-After"),
        pytest.param(Answer(500), 40, id="500 before it took effect"),
        pytest.param(Answer(403), 40, id="403 for a while"),
        pytest.param(Replace(500), 40, id="500 after it took effect"),
        pytest.param(Replace(504), 40, id="504 after it took effect"),
        pytest.param(LoseAnswer(), 40, id="took effect but the answer was lost"),
        pytest.param(Hang(), 20, id="no answer and no effect"),
        pytest.param(Delay(10.5), 20, id="takes effect after the operator gave up waiting"),
    ],
)
def test_a_burst_fills_the_cluster_exactly_whatever_binds_are_answered(
    action: Action, times: int, scene: Scene, module_proxy: FaultProxy, operator: OperatorProcess
) -> None:
    capacity = scene.shape.pods
    with spoiled(module_proxy, of_binds(f"{scene.name}", action, times=times)):
        scene.burst(scene.pods_of_burst(capacity + TOO_MANY)).join()
        assert complaints_after_settling(scene, operator, bound=capacity) == []


def test_all_faults_of_binds_mixed_at_random_leave_the_cluster_exactly_full(
    scene: Scene, module_proxy: FaultProxy, operator: OperatorProcess
) -> None:
    capacity = scene.shape.pods
    mixed: dict[str, Action] = {
        "conflict": Answer(409),
        "gone": Answer(404),
        "busy": Answer(429, retry_after_seconds=1),
        "failed": Answer(500),
        "failed late": Replace(500),
        "lost": LoseAnswer(),
        "slow": Delay(0.3),
    }
    rules = [of_binds(f"mixed {name}", action, probability=0.08, skip=0) for name, action in mixed.items()]
    reads = Rule("mixed reads", Answer(500), verb="get", resource="pods", probability=0.3)
    with spoiled(module_proxy, *rules, reads):
        scene.burst(scene.pods_of_burst(capacity + TOO_MANY)).join()
        assert complaints_after_settling(scene, operator, bound=capacity) == []


@pytest.mark.parametrize(
    "action", [Answer(500), Answer(429, retry_after_seconds=1), LoseAnswer()], ids=["500", "429", "answer lost"]
)
def test_scheduling_goes_on_and_every_waiting_pod_is_told_why_although_much_of_what_is_told_fails(
    action: Action, scene: Scene, module_proxy: FaultProxy, operator: OperatorProcess
) -> None:
    capacity = scene.shape.pods
    events = Rule(f"{scene.name} events", action, resource="events", probability=0.3)
    # As few conditions are written as pods wait, so that chance alone might spare every one of them.
    conditions = Rule(f"{scene.name} conditions", action, resource="pods/status", times=TOO_MANY)
    with spoiled(module_proxy, events, conditions):
        scene.burst(scene.pods_of_burst(capacity + TOO_MANY)).join()
        assert complaints_after_settling(scene, operator, bound=capacity) == []


def test_the_last_failed_scheduling_of_a_pod_outlives_a_long_refusal_of_all_events(
    make_scene: Callable[[Shape], Scene], module_proxy: FaultProxy, operator: OperatorProcess
) -> None:
    scene = make_scene(Shape(nodes=2, slots=2))
    capacity = scene.shape.pods
    events = Rule("all events", Answer(500), resource="events")
    dropped = 'hydatis_api_requests_total{code="500",resource="events",verb="create"}'
    with spoiled(module_proxy, events):
        scene.burst(scene.pods_of_burst(capacity + TOO_MANY)).join()
        scene.wait_for_bound(capacity)
        # Longer than any one Event is tried in a row: the refusals come ever more rarely, and then stop.
        scene.wait_until(
            lambda: module_proxy.plan.count("all events") >= 6 * (capacity + TOO_MANY), "Events are given up", 40.0
        )
        assert operator.metrics()[dropped] > 0
    assert complaints_after_settling(scene, operator, bound=capacity, seconds=30.0) == []
