"""All runs of a benchmark, one after the other, and their order.

Called by the command line. The schedulers take turns: the one that goes first in a repeat goes second in the next, so
that a machine that grows slower with time favours neither. Every run starts from an empty etcd.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydatis.benchmarks.catalogue import default_modes, default_nodes, workload
from hydatis.benchmarks.contenders import Contender
from hydatis.benchmarks.modes import mode_named
from hydatis.benchmarks.run import Plan, execute
from hydatis.sandbox.api_session import ApiError
from hydatis.sandbox.errors import SandboxError


@dataclass(frozen=True, slots=True)
class Series:
    """What a whole benchmark is to measure."""

    contenders: Sequence[Contender]
    workloads: Sequence[str]
    nodes: Sequence[int] | None
    """None: the sizes that each workload is usually measured at."""
    modes: Sequence[str] | None
    """None: the modes that each workload is usually measured in."""
    pods: int | None
    """None: as many as each workload usually has."""
    repeats: int
    seed: int
    deadline_seconds: float

    def plans(self) -> Iterator[Plan]:
        """Yield every run in its order."""
        for name in self.workloads:
            for nodes in self.nodes or default_nodes(name):
                for mode in map(mode_named, self.modes or default_modes(name)):
                    load = workload(name, nodes, mode, self.pods, self.seed)
                    for repeat in range(self.repeats):
                        turns = self.contenders if repeat % 2 == 0 else tuple(reversed(self.contenders))
                        for contender in turns:
                            yield Plan(contender, mode, nodes, load, self.deadline_seconds, repeat)

    def check(self) -> None:
        """Find out before anything starts whether every workload fits its nodes.

        Raises:
            BenchError: one does not.

        """
        for plan in self.plans():
            plan.workload.node_manifests(plan.nodes)


def run_series(series: Series, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Carry out every run; a run that fails is recorded with its reason and the series goes on."""
    plans = list(series.plans())
    records = []
    start = time.monotonic()
    for number, plan in enumerate(plans, start=1):
        progress(f"[{number}/{len(plans)}, {time.monotonic() - start:.0f} s] {plan}")
        with tempfile.TemporaryDirectory(prefix="hydatis-bench-") as directory:
            try:
                record = execute(plan, Path(directory) / "controlplane")
            except (SandboxError, ApiError) as error:
                record = _failed(plan, str(error))
        records.append(record)
        progress(f"    {_outcome(record)}")
    return records


def _failed(plan: Plan, reason: str) -> dict[str, Any]:
    return {
        "scheduler": plan.contender.name,
        "workload": plan.workload.kind,
        "nodes": plan.nodes,
        "mode": plan.mode.name,
        "repeat": plan.repeat,
        "measurements": None,
        "pods": plan.workload.pods,
        "bound": 0,
        "valid": False,
        "problems": [reason],
    }


def _outcome(record: dict[str, Any]) -> str:
    if record["measurements"] is None or not record["valid"]:
        return "not valid: " + "; ".join(record["problems"])
    measured = record["measurements"]
    return (
        f"{record['bound']} bound, {measured['pods_per_second']:.0f} pods/s, "
        f"p99 {measured['latency_ms']['p99']:.0f} ms, ready in {measured['ready_seconds']:.1f} s, "
        f"{measured['rss_mib']:.0f} MiB"
    )
