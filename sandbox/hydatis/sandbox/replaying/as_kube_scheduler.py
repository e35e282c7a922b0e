"""The history simulated with two habits of kube-scheduler that the core does not share: which of equal nodes it takes,
and whom it tries again.

What is left between this and the real cluster is neither scores nor filters, ties nor queue.
"""

from hydatis.sandbox.replaying.core import scheduler_for
from hydatis.sandbox.replaying.fill import Fill
from hydatis.sandbox.replaying.history import History
from hydatis.scheduler import events
from hydatis.scheduler.open_decision import OpenDecision


def simulate_as_kube_scheduler(history: History, seed: int) -> Fill:
    """Play the history. What is returned has seen every step.

    - Of equal nodes the first is taken. kube-scheduler draws the number that tells equals apart only where it has
      extenders (kubernetes v1.37 pkg/scheduler/schedule_one.go, prioritizeNodes); without, they stay in the order in
      which they passed the filters, as far as a heap keeps it (framework/sorted_nodes.go): with few nodes, always.
    - Whenever a placed pod goes, all pods that wait are tried again, in the order in which they came. The core comes to
      the same, but for its flush: the one pod that it tries for its class after five minutes waits behind the others
      from then on.
    """
    run = _Run(history, seed)
    for step in history.steps:
        if step.comes:
            run.comes(step.pod)
        else:
            run.goes(step.pod)
        run.fill.sample()
    return run.fill


class _Run:
    def __init__(self, history: History, seed: int) -> None:
        self._history = history
        self._scheduler = scheduler_for(history, seed)
        self.fill = Fill(history)

    def comes(self, pod: int) -> None:
        self._try(pod)

    def goes(self, pod: int) -> None:
        placed = self.fill.node_of(pod) is not None
        self._scheduler.handle(events.PodGone(self._history.name(pod)), 0.0)
        self.fill.remove(pod)
        if placed:
            for waiting in sorted(self.fill.waiting):
                self._try(waiting)

    def _try(self, pod: int) -> None:
        """Decide about the pod; the core knows it no longer if it has to wait."""
        scheduler, manifest = self._scheduler, self._history.manifest(pod)
        scheduler.handle(events.PodSeen(manifest), 0.0)
        best = scheduler.inspect(manifest).best
        if isinstance(scheduler.open_decision(0.0), OpenDecision):
            node = min(best, key=self._history.machines.number_of)
            scheduler.decide(node, 0.0)
            scheduler.handle(events.PodSeen(self._history.manifest(pod, node)), 0.0)
            self.fill.place(pod, node)
        else:
            scheduler.handle(events.PodGone(self._history.name(pod)), 0.0)
            self.fill.refuse(pod)
