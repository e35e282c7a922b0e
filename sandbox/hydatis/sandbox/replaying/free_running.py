"""The history simulated by itself: the core's own queue, its own placements, its own ties."""

from hydatis.sandbox.replaying.core import scheduler_for
from hydatis.sandbox.replaying.fill import Fill
from hydatis.sandbox.replaying.history import History, Step
from hydatis.scheduler import events
from hydatis.scheduler.instructions import Bind


def simulate(history: History, seed: int) -> Fill:
    """Play the history; `seed` decides how ties fall. What is returned has seen every step."""
    run = _FreeRun(history, seed)
    for step in history.steps:
        run.take(step)
    return run.fill


class _FreeRun:
    def __init__(self, history: History, seed: int) -> None:
        self._history = history
        self._scheduler = scheduler_for(history, seed)
        self._now = 0.0
        self.fill = Fill(history)

    def take(self, step: Step) -> None:
        """Let happen what happens until then, and then the step."""
        while (wake := self._scheduler.next_wake()) is not None and self._now < wake < step.seconds:
            self._now = wake
            self._decide()
        self._now = step.seconds
        if step.comes:
            self._scheduler.handle(events.PodSeen(self._history.manifest(step.pod)), self._now)
        else:
            self._scheduler.handle(events.PodGone(self._history.name(step.pod)), self._now)
            self.fill.remove(step.pod)
        self._decide()
        self.fill.sample()

    def _decide(self) -> None:
        while (instruction := self._scheduler.schedule_next(self._now)) is not None:
            reference = instruction.pod
            pod = self._history.pod_of(f"{reference.namespace}/{reference.name}")
            assert pod is not None, f"{reference} is not of this history"  # noqa: S101  only its pods were sent
            if isinstance(instruction, Bind):
                self._scheduler.handle(events.BindSucceeded(reference.uid), self._now)
                self._scheduler.handle(events.PodSeen(self._history.manifest(pod, instruction.node)), self._now)
                self.fill.place(pod, instruction.node)
            else:
                self.fill.refuse(pod)
