"""Times what an ensemble is made of, and whole decisions under one, on a cluster in the core's memory.

Called by the command. Times are processor time of the one thread that decides, so that other programs on the machine
count less; ONNX Runtime computes in that thread, too.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from hydatis.benchmarks.core.timing import collecting_garbage_as_the_operator_does
from hydatis.benchmarks.models.scene import NOW, OWNERS, build, of_owner
from hydatis.scheduler.ensemble_weights import MODEL_FIELDS
from hydatis.scheduler.events import PodGone, PodSeen
from hydatis.scheduler.features.columns import SCHEMAS
from hydatis.scheduler.features.placement import placement_features
from hydatis.scheduler.instructions import Bind
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.plugins.expected_overload import ExpectedOverload
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import requirements_of

Result = TypeVar("Result")

CLOSED_FORM = "closed form"
FEATURES = "features"
FIRST = "first decision"
LIKE = "next like pod"
LIKES = 20
"""Like pods decided about after each first one."""
_MILLISECONDS = 1000.0
_PERCENTILES = (50, 95, 99)


@dataclass(slots=True)
class Samples:
    """Milliseconds by what was measured, in order."""

    by_name: dict[str, list[float]] = field(default_factory=dict)

    def timed(self, name: str, work: Callable[[], Result]) -> Result:
        """Do the work and note how long it took."""
        started = time.thread_time()
        result = work()
        self.by_name.setdefault(name, []).append((time.thread_time() - started) * _MILLISECONDS)
        return result


def measure_latency(
    models: Mapping[ModelKind, Model],
    *,
    nodes: int,
    repeats: int,
    seed: int,
    tell: Callable[[str], None] = lambda text: None,
) -> list[dict[str, Any]]:
    """Return an entry for each thing measured: its name, p50, p95, p99 and maximum in milliseconds, and every sample.

    Each of the repeats is for pods of another owner: nothing is known of them from the one before. `closed form`,
    `features` and each model are for all nodes at once; `first decision` is a whole scheduling cycle for the first pod
    of its kind, `next like pod` one for a pod like the one placed just before.

    Raises:
        BenchError: two models have one name.

    """
    tell(f"measuring {nodes} nodes")
    scheduler = build(nodes, dict(models), seed)
    samples = Samples()
    with collecting_garbage_as_the_operator_does():
        # The first round pays for what every process pays for once.
        for number in range(repeats + 1):
            into = samples if number else Samples()
            _measure_parts(scheduler, models, OWNERS + number, into)
            _measure_decisions(scheduler, OWNERS + number, into)
    return list(_entries(samples))


def _measure_parts(scheduler: Scheduler, models: Mapping[ModelKind, Model], number: int, samples: Samples) -> None:
    cluster = scheduler.cluster
    requirements, rows = requirements_of(cluster, of_owner("parts", number)), cluster.rows()
    owner = Owner("default", "ReplicaSet", f"app-{number}")
    closed_form = ExpectedOverload().for_owner(owner)
    added = samples.timed(CLOSED_FORM, lambda: closed_form.added_overload(requirements, cluster, rows))
    features = samples.timed(FEATURES, lambda: placement_features(requirements, owner, cluster, rows, added))
    for kind, model in models.items():
        table = features[:, : SCHEMAS[kind].width]
        samples.timed(name_of(model), lambda model=model, table=table: model.predict(table))  # type: ignore[misc]


def _measure_decisions(scheduler: Scheduler, number: int, samples: Samples) -> None:
    decided = []
    for index in range(1 + LIKES):
        builder = of_owner(f"new-{number}-{index}", number)
        scheduler.handle(PodSeen(builder.manifest()), NOW)
        instruction = samples.timed(LIKE if index else FIRST, lambda: scheduler.schedule_next(NOW))
        if not isinstance(instruction, Bind):
            raise RuntimeError(f"the core places no pod of app-{number}: {instruction}")  # noqa: TRY004  no argument's type
        scheduler.handle(PodSeen(builder.on(instruction.node).manifest()), NOW)
        decided.append(builder.uid)
    for uid in decided:
        scheduler.handle(PodGone(uid), NOW)


def name_of(model: Model) -> str:
    """Return what a model's own line is called."""
    return f"{MODEL_FIELDS[model.kind]} model {model.name}"


def _entries(samples: Samples) -> Iterator[dict[str, Any]]:
    for name, values in samples.by_name.items():
        numbers = np.percentile(values, _PERCENTILES)
        summary = {f"p{rank}": float(number) for rank, number in zip(_PERCENTILES, numbers, strict=True)}
        yield {
            "what": name,
            "count": len(values),
            "milliseconds": {**summary, "max": max(values)},
            "samples_milliseconds": values,
        }
