"""Processes that die: SIGKILL to the operator and to the API server in the middle of a burst."""

import json
from collections.abc import Callable

from hydatis.operator.watching import PAGE_SIZE
from hydatis.sandbox.controlplane import Component
from hydatis.sandbox.faults.actions import Delay, SilenceWatch
from hydatis.sandbox.faults.compacting import compact_history
from hydatis.sandbox.faults.plan import Rule
from hydatis.sandbox.faults.proxy import FaultProxy
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.faults.verdict import complaints_after_settling
from hydatis.sandbox.operator_process import OperatorProcess

START = Callable[..., OperatorProcess]
TOO_MANY = 8
"""Pods beyond what the scene can hold."""
SLOW_BINDS = Rule("slow", Delay(0.15), resource="pods/binding")
"""Keeps a burst going for seconds, with bindings on their way at every moment: they reach the API server even when the
operator that sent them is dead."""


def test_an_operator_killed_three_times_during_a_burst_loses_no_pod_and_binds_none_twice(
    scene: Scene, proxy: FaultProxy, start_operator: START
) -> None:
    proxy.plan.add(SLOW_BINDS)
    capacity = scene.shape.pods
    operator = start_operator("--bind-concurrency", "8", through=proxy)
    burst = scene.burst(scene.pods_of_burst(capacity + TOO_MANY))
    for moment in (10, 90, 170):
        scene.wait_for_bound(moment)
        operator.kill()
        assert moment <= scene.bound() < capacity, "the kill did not fall into the burst"
        operator = start_operator("--bind-concurrency", "8", through=proxy)
    burst.join()
    assert complaints_after_settling(scene, operator, bound=capacity) == []


def test_an_api_server_killed_during_a_burst_finds_the_same_operator_at_work_again(
    scene: Scene, proxy: FaultProxy, start_operator: START
) -> None:
    proxy.plan.add(SLOW_BINDS)
    capacity = scene.shape.pods
    operator = start_operator("--bind-concurrency", "8", through=proxy)
    burst = scene.burst(scene.pods_of_burst(capacity + TOO_MANY))
    scene.wait_for_bound(60)
    scene.control_plane.restart_component(Component.APISERVER, kill=True)
    assert scene.bound() < capacity, "the kill did not fall into the burst"
    burst.join()
    assert complaints_after_settling(scene, operator, bound=capacity) == []
    assert operator.metrics()['hydatis_watch_faults_total{resource="pods"}'] > 0
    # Sooner than the list that is made once a minute: the watch of policies has come back, too.
    policy = {"apiVersion": "hydatis.io/v1alpha1", "kind": "MLSchedulerPolicy", "metadata": {"name": scene.name}}
    scene.control_plane.kubectl("apply", "-f", "-", stdin=json.dumps({**policy, "spec": {}}))
    try:
        in_force = f'hydatis_policy_in_force{{generation="1",heuristic="KubeScheduler",policy="{scene.name}"}}'
        scene.wait_until(lambda: operator.metrics().get(in_force) == 1, "the policy is in force", 20.0)
    finally:
        scene.control_plane.kubectl("delete", "mlsp", scene.name)


def test_history_that_is_really_gone_makes_the_operator_list_again(
    scene: Scene, proxy: FaultProxy, start_operator: START
) -> None:
    # A watch that is behind when the API server ends; where it wants to resume, there is no history any more.
    behind = Rule("behind", SilenceWatch(after_lines=60), verb="watch", resource="pods", times=1)
    proxy.plan.add(SLOW_BINDS, behind)
    capacity = scene.shape.pods
    operator = start_operator("--bind-concurrency", "8", "--watch-silence", "5", through=proxy)
    burst = scene.burst(scene.pods_of_burst(capacity + TOO_MANY))
    scene.wait_until(lambda: proxy.plan.count("behind") == 1 and len(scene.pods()) > 100, "the watch is behind", 20.0)
    scene.control_plane.stop_component(Component.APISERVER, kill=True)
    compact_history(scene.control_plane)
    scene.control_plane.restart_component(Component.APISERVER)
    burst.join()
    assert complaints_after_settling(scene, operator, bound=capacity) == []
    assert operator.metrics()['hydatis_watch_relists_total{resource="pods"}'] > 0


def test_an_operator_that_starts_decides_nothing_before_it_knows_every_pod(
    make_scene: Callable[[Shape], Scene], proxy: FaultProxy, start_operator: START
) -> None:
    scene = make_scene(Shape(nodes=10, slots=6))
    capacity = scene.shape.pods
    # In the order of their names the waiting pods fill the list's first page, and the placed ones come on the second.
    waiting = scene.pods_of_burst(PAGE_SIZE, prefix="a")
    placed = [
        scene.pod(f"z-{number:04}", nodeName=scene.node(number % scene.shape.nodes)["metadata"]["name"])
        for number in range(capacity)
    ]
    scene.burst(waiting + placed).join()
    proxy.plan.add(Rule("second page", Delay(1.5), verb="list", resource="pods", skip=1, times=1))
    operator = start_operator(through=proxy)
    assert proxy.plan.count("second page") == 1
    assert complaints_after_settling(scene, operator, bound=capacity, seconds=30.0) == []
