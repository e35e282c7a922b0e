"""Watches that break, fall silent or are too old, while the cluster changes in ways that must not be missed.

Each fault strikes twice: in the middle of a burst that fills the cluster, and again while pods are deleted and a node
is added. Pods beyond the capacity then get a node only if the operator has noticed every deletion and the new node.
"""

from collections.abc import Callable

import pytest

from hydatis.sandbox.faults.actions import Action, Answer, CutWatch, ExpireWatch, SilenceWatch, WithholdBookmarks
from hydatis.sandbox.faults.plan import Rule
from hydatis.sandbox.faults.proxy import FaultProxy
from hydatis.sandbox.faults.scene import Scene
from hydatis.sandbox.faults.verdict import complaints_after_settling
from hydatis.sandbox.operator_process import OperatorProcess

START = Callable[..., OperatorProcess]
DELETED = 12
TOO_MANY = 30
"""More pods than deletions and the new node make room for, so that the cluster is full to the last pod at the end."""
SHORT_SILENCE = ("--watch-silence", "2")
"""Quiet watches are resumed every 2 seconds, so a rule for new watches soon meets one."""


def strike(name: str, resource: str, action: Action, times: int) -> Rule:
    return Rule(f"{name} {resource}", action, verb="watch", resource=resource, times=times)


def fault(kind: str, after_lines: int) -> list[Action]:
    """What happens to one watch and to the attempts to resume it."""
    actions: dict[str, list[Action]] = {
        "cut": [CutWatch(after_lines)],
        "silent": [SilenceWatch(after_lines)],
        "410 as a status": [CutWatch(after_lines), Answer(410, reason="Expired")],
        "410 as an event": [ExpireWatch(after_lines)],
        "refused for a while": [CutWatch(after_lines), Answer(503), Answer(429, retry_after_seconds=1), Answer(500)],
    }
    return actions[kind]


@pytest.mark.parametrize("kind", ["cut", "silent", "410 as a status", "410 as an event", "refused for a while"])
def test_nothing_that_happens_while_a_watch_is_faulty_is_missed(
    kind: str, scene: Scene, proxy: FaultProxy, start_operator: START
) -> None:
    capacity = scene.shape.pods
    for number, action in enumerate(fault(kind, after_lines=40)):
        proxy.plan.add(strike(f"burst {number}", "pods", action, times=2))
    operator = start_operator(*SHORT_SILENCE, through=proxy)
    scene.burst(scene.pods_of_burst(capacity + TOO_MANY)).join()
    scene.wait_for_bound(capacity)
    assert all(proxy.plan.count(f"burst {number} pods") == 2 for number in range(len(fault(kind, 0))))

    proxy.plan.clear()
    for resource, after_lines in (("pods", 3), ("nodes", 0)):
        for number, action in enumerate(fault(kind, after_lines)):
            proxy.plan.add(strike(f"change {number}", resource, action, times=1))
    scene.wait_until(
        lambda: all(proxy.plan.taken(f"change 0 {resource}") for resource in ("pods", "nodes")),
        "watches of pods and nodes have met their fault",
        15.0,
    )
    scene.delete_bound_pods(DELETED)
    scene.create("/api/v1/nodes", [scene.node(scene.shape.nodes)])
    now_bound = capacity + scene.shape.slots
    assert complaints_after_settling(scene, operator, bound=now_bound) == []
    assert proxy.plan.count("change 0 pods") == proxy.plan.count("change 0 nodes") == 1


def test_a_quiet_watch_whose_bookmarks_are_withheld_is_resumed_and_the_operator_stays_ready(
    scene: Scene, proxy: FaultProxy, start_operator: START
) -> None:
    proxy.plan.add(Rule("bookmarks", WithholdBookmarks(), verb="watch"))
    operator = start_operator("--watch-silence", "1", through=proxy)
    watches = proxy.plan.calls("watch", "nodes")
    ready = True

    def resumed_again_and_again() -> bool:
        nonlocal ready
        ready = ready and operator.ready()
        return proxy.plan.calls("watch", "nodes") >= watches + 8

    # Each second one watch; a pause that grew with every one of them would take half a minute.
    scene.wait_until(resumed_again_and_again, "the watch of nodes is resumed eight times", 16.0)
    assert ready
    scene.burst(scene.pods_of_burst(scene.shape.slots)).join()
    assert complaints_after_settling(scene, operator, bound=scene.shape.slots) == []
