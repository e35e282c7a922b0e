"""A scheduler for tests that drive it by hand: events in, instructions out, as a driver would.

Called by tests alone.
"""

import numpy as np

from hydatis.scheduler import events
from hydatis.scheduler.instructions import Bind, Instruction, ReportUnschedulable
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.queueing import QueueSettings
from hydatis.scheduler.scheduler import Scheduler, Settings
from hydatis.scheduler.testing import NodeBuilder, PodBuilder


class DrivenScheduler:
    """Drives a scheduler by hand, with a clock of its own."""

    def __init__(
        self,
        *objects: NodeBuilder | PodBuilder,
        profile: Profile | None = None,
        names: frozenset[str] = frozenset({"hydatis"}),
    ) -> None:
        """Start with nodes and pods that it has seen."""
        settings = Settings(names, QueueSettings(backoff_initial_seconds=1.0, backoff_max_seconds=10.0))
        self.scheduler = Scheduler(settings, random=np.random.default_rng(1), profile=profile)
        self.now = 0.0
        self.see(*objects)

    def see(self, *objects: PodBuilder | NodeBuilder) -> None:
        """Let the scheduler see pods and nodes as they are now."""
        for builder in objects:
            manifest = builder.manifest()
            seen = events.PodSeen(manifest) if isinstance(builder, PodBuilder) else events.NodeSeen(manifest)
            self.tell(seen)

    def tell(self, event: events.Event) -> None:
        """Tell the scheduler of an event."""
        self.scheduler.handle(event, self.now)

    def run(self) -> list[Instruction]:
        """Run cycles until no pod is ready."""
        instructions = []
        while (instruction := self.scheduler.schedule_next(self.now)) is not None:
            instructions.append(instruction)
        for name, kept, recounted in self.scheduler.recounted():
            assert kept == recounted, name  # noqa: S101  only tests call it
        return instructions

    def only(self) -> Instruction:
        """Run cycles and expect one instruction."""
        (instruction,) = self.run()
        return instruction

    def placements(self) -> dict[str, str]:
        """Run cycles and return pod name to node name of what was bound."""
        return {i.pod.name: i.node for i in self.run() if isinstance(i, Bind)}

    def report(self) -> ReportUnschedulable:
        """Run one cycle and expect the pod to be unschedulable."""
        instruction = self.only()
        assert isinstance(instruction, ReportUnschedulable)  # noqa: S101  only tests call it
        return instruction
