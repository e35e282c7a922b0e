"""Times decisions of each shape on a scene: the first of its kind, the next like it, and one after the cluster changed.

Called by the command. Totals come from a scheduler as it ships, shares of plugins from a second one whose plugins are
timed; both see the same pods. A decision is one scheduling cycle (`Scheduler.schedule_next`), from the pod that is
taken off the queue to the instruction for the driver.
"""

import gc
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from hydatis.benchmarks.core import claims
from hydatis.benchmarks.core.plugin_clock import PluginClock
from hydatis.benchmarks.core.scene import NOW, Scene
from hydatis.benchmarks.core.shapes import Shape
from hydatis.benchmarks.core.victims import Victims
from hydatis.benchmarks.statistics import percentiles
from hydatis.operator.running import GARBAGE_THRESHOLD
from hydatis.scheduler.events import Event, PodGone, PodSeen
from hydatis.scheduler.instructions import Bind, Instruction
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import PodBuilder

CORE = "the core itself"
"""What a decision costs besides its plugins."""
_CHANGES = 20
_MILLISECONDS = 1000.0


class Occasion(StrEnum):
    """What came before a decision."""

    FIRST = "first"
    """No like pod has been decided about: every node is looked at."""
    LIKE = "like"
    """A like pod was decided about just before."""
    CHANGED = "changed"
    """The same, and since then `_CHANGES` other pods have gone and come on other nodes."""


@dataclass(slots=True)
class _Samples:
    seconds: dict[Occasion, list[float]] = field(default_factory=lambda: {occasion: [] for occasion in Occasion})
    plugins: dict[Occasion, dict[str, float]] = field(default_factory=lambda: {occasion: {} for occasion in Occasion})

    def add(self, occasion: Occasion, seconds: float, by_plugin: Mapping[str, float]) -> None:
        """Note one decision."""
        self.seconds[occasion].append(seconds)
        sums = self.plugins[occasion]
        for name, spent in by_plugin.items():
            sums[name] = sums.get(name, 0.0) + spent


def measure(
    scene: Scene, shapes: Sequence[Shape], *, kinds: int, likes: int, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Give one entry for each shape: milliseconds a decision, and each plugin's part of them.

    `kinds` apps of each shape are decided about, one after the other: a first pod, `likes` more, and `likes` more with
    changes in between.
    """
    victims = Victims(scene)
    clock = PluginClock()
    plain, timed = scene.scheduler(), scene.scheduler(clock.profile(Profile()))
    results = []
    with collecting_garbage_as_the_operator_does():
        for shape in shapes:
            progress(f"measuring: {shape.name}")
            totals, parts = _Samples(), _Samples()
            for scheduler, samples in ((plain, totals), (timed, parts)):
                subject, bystanders = _Subject(scheduler, clock, samples, victims), _bystanders(scene)
                subject.tell(victims.come() if shape.preempts else ())
                for kind in range(kinds):
                    _measure_kind(subject, shape, kind, likes, bystanders)
                subject.tell(victims.go() if shape.preempts else ())
            results.append(_entry(shape, totals, parts))
    return results


@dataclass(slots=True)
class _Subject:
    """A scheduler under measurement."""

    scheduler: Scheduler
    clock: PluginClock
    samples: _Samples
    victims: Victims

    def decide(self, shape: Shape, kind: int, occasion: Occasion) -> tuple[PodBuilder, Instruction]:
        """Bring one pod and time the decision about it."""
        builder = shape.pod(kind)
        self.tell([*claims.unbound(shape, builder), PodSeen(builder.manifest())])
        self.clock.take()
        # A decision waits for nothing, so its processor time is its time on a processor that nobody else wants.
        started = time.thread_time()
        instruction = self.scheduler.schedule_next(NOW)
        self.samples.add(occasion, time.thread_time() - started, self.clock.take())
        if instruction is None:
            raise RuntimeError(f"the core has nothing to decide although a pod of {shape.app(kind)} waits")
        return builder, instruction

    def tell(self, happened: Iterable[Event]) -> None:
        """Let the scheduler hear of events."""
        for event in happened:
            self.scheduler.handle(event, NOW)


def _measure_kind(subject: _Subject, shape: Shape, kind: int, likes: int, bystanders: "_Bystanders") -> None:
    occasions = (Occasion.FIRST, *itertools.repeat(Occasion.LIKE, likes), *itertools.repeat(Occasion.CHANGED, likes))
    decided = []
    for occasion in occasions:
        if occasion is Occasion.CHANGED:
            bystanders.change(subject.scheduler)
        builder, instruction = subject.decide(shape, kind, occasion)
        decided.append(builder)
        if isinstance(instruction, Bind):
            node = instruction.node
            subject.tell([*claims.bound(shape, builder, node), PodSeen(builder.on(node).manifest())])
        elif shape.preempts:
            subject.tell(subject.victims.restored(builder.uid, instruction))
    for builder in decided:
        subject.tell([PodGone(builder.uid), *claims.gone(shape, builder)])
    # Each pod that waits in vain would be looked at again before the next shape's decisions.
    while subject.scheduler.schedule_next(NOW) is not None:
        pass


class _Bystanders:
    """Running pods of the scene that are taken away and put back, to change rows that a decision did not touch."""

    def __init__(self, manifests: Sequence[Mapping[str, Any]], seed: int) -> None:
        self._manifests = manifests
        self._random = np.random.default_rng(seed)

    def change(self, scheduler: Scheduler) -> None:
        """Let `_CHANGES` pods go and come back to their nodes."""
        for index in self._random.choice(len(self._manifests), size=min(_CHANGES, len(self._manifests)), replace=False):
            manifest = self._manifests[index]
            scheduler.handle(PodGone(manifest["metadata"]["uid"]), NOW)
            scheduler.handle(PodSeen(manifest), NOW)


def _bystanders(scene: Scene) -> _Bystanders:
    return _Bystanders([event.manifest for event in scene.events if isinstance(event, PodSeen)], scene.seed)


def _entry(shape: Shape, totals: _Samples, parts: _Samples) -> dict[str, Any]:
    entry: dict[str, Any] = {"shape": shape.name}
    for occasion in Occasion:
        seconds = totals.seconds[occasion]
        count, timed = len(seconds), sum(parts.seconds[occasion])
        by_plugin = parts.plugins[occasion]
        by_plugin[CORE] = timed - sum(by_plugin.values())
        entry[occasion.value] = {
            "decisions": count,
            "milliseconds": percentiles([each * _MILLISECONDS for each in seconds]),
            "plugin_milliseconds": {name: spent * _MILLISECONDS / count for name, spent in by_plugin.items()},
        }
    return entry


@contextmanager
def collecting_garbage_as_the_operator_does() -> Iterator[None]:
    """See `hydatis.operator.running`: what exists before the first decision is not looked at again."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
