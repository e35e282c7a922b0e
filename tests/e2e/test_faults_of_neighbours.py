"""Others who act on the same cluster during a burst: a second scheduler, a deleted namespace, pods created anew."""

from collections import Counter
from collections.abc import Callable

from hydatis.sandbox.faults.actions import Delay
from hydatis.sandbox.faults.contest import onto_full_nodes
from hydatis.sandbox.faults.plan import Rule
from hydatis.sandbox.faults.proxy import FaultProxy
from hydatis.sandbox.faults.rival import NAME as RIVAL
from hydatis.sandbox.faults.rival import Rival
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.faults.verdict import complaints_after_settling
from hydatis.sandbox.operator_process import OperatorProcess

START = Callable[..., OperatorProcess]
TOO_MANY = 8
SLOW_BINDS = Rule("slow", Delay(0.1), resource="pods/binding")
"""Keeps a burst going for seconds, with decisions that have not reached the API server yet at every moment."""


def test_beside_another_scheduler_no_pod_goes_to_a_node_that_is_seen_to_be_full(
    scene: Scene, proxy: FaultProxy, start_operator: START
) -> None:
    proxy.plan.add(SLOW_BINDS)
    operator = start_operator("--bind-concurrency", "8", through=proxy)
    theirs = 60
    pods = scene.pods_of_burst(scene.shape.pods - theirs)
    rivals = [scene.pod(f"rival-{number:04}", scheduler=RIVAL) for number in range(theirs)]
    rival = Rival(scene)
    rival.start()
    burst = scene.burst([pod for pair in zip(pods, rivals, strict=False) for pod in pair] + pods[theirs:])
    burst.join()
    scene.wait_for_bound(scene.shape.pods)
    rival.stop()

    bindings = scene.audit.bindings(scene.name)
    users = Counter("hydatis" if "ml-scheduler-sa" in binding.user else RIVAL for binding in bindings)
    assert users[RIVAL] >= theirs
    accepted = [binding for binding in bindings if binding.accepted]
    owners = {pod["metadata"]["uid"]: pod["spec"]["schedulerName"] for pod in scene.pods()}
    assert onto_full_nodes(accepted, owners, "hydatis", scene.shape.slots) == []
    # Two schedulers that fill the same node in the same instant cannot be kept apart by either of them.
    complaints = complaints_after_settling(scene, operator, bound=scene.shape.pods, seconds=2.0)
    assert [complaint for complaint in complaints if "overcommitted" not in complaint] == []


def test_what_another_scheduler_has_filled_before_stays_as_it_is(
    make_scene: Callable[[Shape], Scene], start_operator: START
) -> None:
    scene = make_scene(Shape(nodes=10, slots=6))
    theirs = 40
    operator = start_operator()
    rival = Rival(scene)
    scene.burst([scene.pod(f"rival-{number:04}", scheduler=RIVAL) for number in range(theirs)]).join()
    rival.start()
    scene.wait_for_bound(theirs)
    rival.stop()
    scene.burst(scene.pods_of_burst(scene.shape.pods - theirs + TOO_MANY)).join()
    assert complaints_after_settling(scene, operator, bound=scene.shape.pods) == []


def test_a_namespace_deleted_during_a_burst_gives_its_nodes_to_the_pods_that_wait(
    scene: Scene, proxy: FaultProxy, start_operator: START
) -> None:
    proxy.plan.add(SLOW_BINDS)
    operator = start_operator("--bind-concurrency", "8", through=proxy)
    doomed = Scene(scene.control_plane, scene.audit, f"{scene.name[:50]}-doomed", scene.shape)
    doomed.make_namespace()
    half = scene.shape.pods // 2
    tenants = [{**pod, "metadata": {**pod["metadata"], "namespace": doomed.name}} for pod in scene.pods_of_burst(half)]
    doomed.burst(tenants).join()
    doomed.wait_for_bound(20)
    scene.control_plane.api.call("DELETE", f"/api/v1/namespaces/{doomed.name}")
    assert doomed.bound() < half, "the deletion did not fall into the burst"
    scene.burst(scene.pods_of_burst(scene.shape.pods + TOO_MANY)).join()
    assert complaints_after_settling(scene, operator, bound=scene.shape.pods) == []
    assert doomed.pods() == []


def test_pods_created_anew_under_their_old_names_during_a_burst_are_bound_once_each(
    scene: Scene, proxy: FaultProxy, start_operator: START
) -> None:
    proxy.plan.add(SLOW_BINDS)
    capacity = scene.shape.pods
    operator = start_operator("--bind-concurrency", "8", through=proxy)
    burst = scene.burst(scene.pods_of_burst(capacity + TOO_MANY))
    scene.wait_for_bound(40)
    # The first names are bound by now, the later ones are waiting or on their way.
    anew = scene.pods_of_burst(120)
    before = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in scene.pods()}
    burst.join()
    for pod in anew:
        scene.delete_pod(pod["metadata"]["name"])
        scene.burst([pod]).join()
    after = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in scene.pods()}
    assert all(after[pod["metadata"]["name"]] != before.get(pod["metadata"]["name"]) for pod in anew)
    assert complaints_after_settling(scene, operator, bound=capacity) == []
