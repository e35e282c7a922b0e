"""The verdict over a scene: everything that is wrong with it, as sentences.

The end-to-end tests call `complaints_after_settling`; an empty list is what they ask for. All is read from the API
server's objects and its audit log, but for what the operator says about itself.
"""

import time
from collections.abc import Iterator

from hydatis.sandbox.faults.scene import Manifest, Scene
from hydatis.sandbox.operator_process import OperatorProcess

_POLL_SECONDS = 0.3
_MUST_STAY_ZERO = (
    "scheduler_pod_scheduled_after_flush_total",
    "hydatis_core_faults_total",
    "hydatis_outbox_faults_total",
)


def complaints_after_settling(
    scene: Scene, operator: OperatorProcess, *, bound: int, seconds: float = 60.0
) -> list[str]:
    """Wait until nothing is wrong, and return what still is after `seconds`.

    `bound` pods shall have a node, every other one a condition and an Event that say why it has none.
    """
    deadline = time.monotonic() + seconds
    while True:
        complaints = [*_about_the_scene(scene, bound), *_about_the_operator(operator)]
        if not complaints or time.monotonic() >= deadline:
            return complaints
        time.sleep(_POLL_SECONDS)


def settled(scene: Scene, seconds: float = 60.0) -> list[Manifest]:
    """The scene's pods, once each has a node, or a condition and an Event that say why it has none.

    Raises `SandboxError` after `seconds`.
    """

    def every_pod() -> bool:
        waiting = [pod for pod in scene.pods() if not pod["spec"].get("nodeName")]
        told = _told(scene) if waiting else set()
        return all(is_unschedulable(pod) and pod["metadata"]["uid"] in told for pod in waiting)

    scene.wait_until(every_pod, "every pod is placed, or told why it is not", seconds)
    return scene.pods()


def _told(scene: Scene) -> set[str]:
    """Of which pods, by uid, an Event says that they could not be placed."""
    return {event["regarding"]["uid"] for event in scene.events(reason="FailedScheduling")}


def _about_the_scene(scene: Scene, bound: int) -> Iterator[str]:
    pods = scene.pods()
    placed = sum(1 for pod in pods if pod["spec"].get("nodeName"))
    if placed != bound:
        yield f"{placed} of {len(pods)} pods are bound instead of {bound}"
    for overcommitment in scene.overcommitments():
        yield f"overcommitted node: {overcommitment}"
    for bindings in scene.bound_more_than_once().values():
        nodes = ", ".join(binding.node for binding in bindings)
        yield f"pod {bindings[0].pod} was bound {len(bindings)} times: {nodes}"
    for name in scene.told_more_than_once():
        yield f"pod {name} has more than one Scheduled Event"
    yield from _about_waiting_pods(scene, pods)


def _about_waiting_pods(scene: Scene, pods: list[Manifest]) -> Iterator[str]:
    told = _told(scene)
    for pod in pods:
        if pod["spec"].get("nodeName") or pod["spec"]["schedulerName"] != "hydatis":
            continue
        name = pod["metadata"]["name"]
        if pod["metadata"]["uid"] not in told:
            yield f"pod {name} waits and has no FailedScheduling Event"
        if not is_unschedulable(pod):
            yield f"pod {name} waits and lacks the condition PodScheduled=False, reason Unschedulable"


def _about_the_operator(operator: OperatorProcess) -> Iterator[str]:
    if not operator.alive():
        yield f"the operator has ended; see {operator.log}"
        return
    if not operator.ready():
        yield "the operator is not ready"
    for name, value in operator.metrics().items():
        if name.startswith(_MUST_STAY_ZERO) and not name.partition("{")[0].endswith("_created") and value:
            yield f"{name} is {value:g} and must stay 0"


def is_unschedulable(pod: Manifest) -> bool:
    """Whether the pod has the condition by which cluster autoscalers act."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(
        (condition["type"], condition["status"], condition.get("reason")) == ("PodScheduled", "False", "Unschedulable")
        for condition in conditions
    )
