"""The running pods that make way for pods of the shape that preempts, and that come back after each decision.

Called by the measurement. What is measured is the decision who has to go. The scene is then as it was before, so that
every decision finds all pods in their places and none of the other shapes notices. Nodes that the scene leaves idle,
where nobody would have to go, get a pod each for as long as the shape is measured.
"""

from hydatis.benchmarks.core.scene import Scene
from hydatis.benchmarks.core.shapes import NAMESPACE
from hydatis.scheduler.events import Event, NodeSeen, PodGone, PodSeen
from hydatis.scheduler.instructions import Instruction, ReportUnschedulable
from hydatis.scheduler.testing import pod


class Victims:
    """The pods that run when pods of the shape come: those of the scene, and one on each node that would be idle."""

    def __init__(self, scene: Scene) -> None:
        running = [event for event in scene.events if isinstance(event, PodSeen)]
        nodes = [event.manifest["metadata"]["name"] for event in scene.events if isinstance(event, NodeSeen)]
        used = {event.manifest["spec"]["nodeName"] for event in running}
        self._added = [PodSeen(_alone_on(node)) for node in nodes if node not in used]
        self._running = {_uid(event): event for event in (*running, *self._added)}

    def come(self) -> list[Event]:
        """Tell of the pods that the scene does not have."""
        return list(self._added)

    def go(self) -> list[Event]:
        """Tell that they are gone."""
        return [PodGone(_uid(event)) for event in self._added]

    def restored(self, uid: str, decided: Instruction) -> list[Event]:
        """Tell that a pod is gone after the decision about it, and that its victims have ended and come again.

        Raises:
            RuntimeError: nobody was to make way, a fault of the scene.

        """
        if not isinstance(decided, ReportUnschedulable) or decided.preemption is None:
            raise RuntimeError(f"a pod that should displace others displaces nobody: {decided}")
        going = [victim.uid for victim in decided.preemption.victims]
        return [PodGone(uid), *map(PodGone, going), *(self._running[victim] for victim in going)]


def _alone_on(node: str) -> dict[str, object]:
    return pod(f"alone-on-{node}", NAMESPACE).requests(cpu="100m", memory="128Mi").on(node).manifest()


def _uid(event: PodSeen) -> str:
    return str(event.manifest["metadata"]["uid"])
