"""The core follows kube-scheduler: it is asked about each decision on the state that kube-scheduler's own decisions
have made, and then told what kube-scheduler did.

So one tie that falls otherwise does not make all later decisions incomparable. The core's own queue is passed by: it
knows a pod only while it decides about it, in kube-scheduler's order.
"""

from dataclasses import dataclass

from hydatis.sandbox.replaying.comparing import Comparison, Opinion, compare
from hydatis.sandbox.replaying.core import scheduler_for
from hydatis.sandbox.replaying.fill import Fill
from hydatis.sandbox.replaying.history import History
from hydatis.sandbox.replaying.scheduler_log import Attempt
from hydatis.scheduler import events
from hydatis.scheduler.instructions import Bind


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of kube-scheduler, compared."""

    pod: str
    """NAMESPACE/NAME."""
    kube_scheduler: str | None
    """The node; None: unschedulable."""
    simulation: str | None
    """The node that the core took; None: unschedulable."""
    best: int
    """How many nodes have the core's highest score."""
    comparison: Comparison


class Following:
    """A core beside a kube-scheduler, and how full kube-scheduler's nodes are."""

    def __init__(self, history: History, seed: int) -> None:
        self._history = history
        self._scheduler = scheduler_for(history, seed)
        self.fill = Fill(history)

    def decided(self, pod: int, attempt: Attempt, now: float) -> Decision:
        """Decide about the same pod, compare, and take over what kube-scheduler did."""
        opinion = self._opinion(pod, now)
        comparison = compare(attempt, opinion)
        if attempt.node is None:
            self._scheduler.handle(events.PodGone(self._history.name(pod)), now)
            self.fill.refuse(pod)
        else:
            # On whichever node the core assumed it, what the API server says holds.
            self._scheduler.handle(events.PodSeen(self._history.manifest(pod, attempt.node)), now)
            self.fill.place(pod, attempt.node)
        return Decision(attempt.pod, attempt.node, opinion.node, len(opinion.best), comparison)

    def removed(self, pod: int, now: float) -> None:
        """Take note that a pod is gone."""
        self._scheduler.handle(events.PodGone(self._history.name(pod)), now)
        self.fill.remove(pod)

    def overdue(self) -> list[int]:
        """Return the waiting pods that some node would hold."""
        return [
            pod for pod in sorted(self.fill.waiting) if self._scheduler.inspect(self._history.manifest(pod)).feasible
        ]

    def _opinion(self, pod: int, now: float) -> Opinion:
        manifest = self._history.manifest(pod)
        self._scheduler.handle(events.PodSeen(manifest), now)
        inspection = self._scheduler.inspect(manifest)
        instruction = self._scheduler.schedule_next(now)
        return Opinion(
            node=instruction.node if isinstance(instruction, Bind) else None,
            message=inspection.message,
            nodes=self._scheduler.node_count,
            parts={
                plugin: {node: score.weighted for node, score in by_node.items()}
                for plugin, by_node in inspection.scores.items()
            },
            totals=inspection.totals,
            best=inspection.best,
        )
