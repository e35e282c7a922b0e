"""Two schedulers bind a burst to the same nodes until they are full, and what became of it.

Called by the end-to-end tests and by `hydatis bench rivals`. Kubernetes' API has no check before the kubelet that keeps
two schedulers from giving the last place of a node away twice. So the question is how often that happened, and whether
a scheduler ever bound to a node that it could see to be full. All is read from the API server's objects and its audit
log.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.faults.audit import Binding
from hydatis.sandbox.faults.scene import Manifest, Scene
from hydatis.sandbox.faults.verdict import is_unschedulable

VISIBLE_AFTER = timedelta(seconds=2)
"""A binding this old has reached every watch, and every decision that did not know of it has been sent."""
_QUIET_SECONDS = 3.0
"""Longer than the backoff of a pod that was tried once."""
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one contest."""

    pods: int
    """Pods created; both schedulers got equal parts."""
    places: int
    """Pods that the nodes hold."""
    bound: dict[str, int]
    """Scheduler to pods of it that have a node."""
    overcommitted_nodes: int
    too_many: int
    """Pods beyond what their nodes hold, over all nodes."""
    lost: int
    """Pods that have vanished, or have neither a node nor a word about why."""
    bound_twice: int
    """Pods for which the API server accepted more than one binding."""
    onto_full_nodes: dict[str, int]
    """Scheduler to its bindings to nodes that it could see to be full: `VISIBLE_AFTER` before it asked for them, or
    by its own earlier bindings.
    """
    seconds: float
    """From the first create request to the last binding that was accepted."""


def contest(scene: Scene, schedulers: Sequence[str], *, extra: int, deadline_seconds: float = 180.0) -> Outcome:
    """Create a burst that fills the nodes and `extra` pods more, for each scheduler in turn, and wait until all is
    quiet.

    Raises:
        SandboxError: pods are still neither bound nor reported after `deadline_seconds`.

    """
    count = scene.shape.pods + extra
    pods = [scene.pod(f"p-{number:05}", scheduler=schedulers[number % len(schedulers)]) for number in range(count)]
    started = time.time()
    scene.burst(pods).join()
    found = _settled(scene, count, deadline_seconds)
    bindings = [binding for binding in scene.audit.bindings(scene.name) if binding.accepted]
    owners = {pod["metadata"]["uid"]: pod["spec"]["schedulerName"] for pod in found}
    per_node = Counter(pod["spec"]["nodeName"] for pod in found if pod["spec"].get("nodeName"))
    over = [held - scene.shape.slots for held in per_node.values() if held > scene.shape.slots]
    bound = Counter(pod["spec"]["schedulerName"] for pod in found if pod["spec"].get("nodeName"))
    last = max((binding.answered_at.timestamp() for binding in bindings), default=started)
    return Outcome(
        pods=count,
        places=scene.shape.pods,
        bound={name: bound[name] for name in schedulers},
        overcommitted_nodes=len(over),
        too_many=sum(over),
        lost=count - len(found) + sum(not _accounted_for(pod) for pod in found),
        bound_twice=len(scene.bound_more_than_once()),
        onto_full_nodes={name: len(onto_full_nodes(bindings, owners, name, scene.shape.slots)) for name in schedulers},
        seconds=last - started,
    )


def onto_full_nodes(bindings: Sequence[Binding], owners: dict[str, str], scheduler: str, slots: int) -> list[Binding]:
    """The scheduler's bindings to nodes that it could see to be full. `owners` has the scheduler of each pod's uid."""
    mistaken = []
    for binding in bindings:
        if owners.get(binding.uid) != scheduler:
            continue
        seen = sum(
            other.node == binding.node
            and (
                other.answered_at < binding.asked_at - VISIBLE_AFTER
                or (owners.get(other.uid) == scheduler and other.answered_at < binding.asked_at)
            )
            for other in bindings
        )
        if seen >= slots:
            mistaken.append(binding)
    return mistaken


def _settled(scene: Scene, count: int, deadline_seconds: float) -> list[Manifest]:
    """The pods, once all are accounted for and none has been bound for a while."""
    deadline = time.monotonic() + deadline_seconds
    bound, quiet_since = -1, time.monotonic()
    while True:
        pods = scene.pods()
        now = time.monotonic()
        placed = sum(1 for pod in pods if pod["spec"].get("nodeName"))
        if placed != bound:
            bound, quiet_since = placed, now
        done = len(pods) == count and all(map(_accounted_for, pods))
        if done and now - quiet_since >= _QUIET_SECONDS:
            return pods
        if now >= deadline:
            waiting = sum(not _accounted_for(pod) for pod in pods)
            raise SandboxError(
                f"after {deadline_seconds:.0f} s {waiting} of {len(pods)} pods have neither a node nor a condition"
            )
        time.sleep(_POLL_SECONDS)


def _accounted_for(pod: Manifest) -> bool:
    return bool(pod["spec"].get("nodeName")) or is_unschedulable(pod)
