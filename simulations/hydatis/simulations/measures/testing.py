"""Builds what runs leave behind by hand, for tests of whatever reads it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.record import PodOutcome, RunRecord

SAMPLE_SECONDS = 60.0
NOT_THERE = float("nan")
"""As CPU of a node in a sample in which it is not there."""
NEVER = float("nan")


@dataclass(frozen=True, slots=True)
class PodFate:
    """One pod of a record."""

    created: float
    placed: float = NEVER
    ended: float = NEVER
    outcome: PodOutcome = PodOutcome.RUNNING
    restarts: int = 0
    stretched: float = 0.0
    cpu_millicores: float = 1000.0
    memory_mib: float = 1024.0


def record(
    cpu_percent: Sequence[Sequence[float]],
    pods: Sequence[PodFate] = (),
    *,
    cores: Sequence[float] | None = None,
    gib: Sequence[float] | None = None,
    measured_from: float = 0.0,
) -> RunRecord:
    """Return the record of a run with these CPU percents by sample and node, nothing else used and one pod a node."""
    cpu = np.array(cpu_percent, dtype=np.float32)
    samples, nodes = cpu.shape
    nothing = np.where(np.isnan(cpu), cpu, np.float32(0))
    return RunRecord(
        times_seconds=SAMPLE_SECONDS * np.arange(samples, dtype=np.float64),
        nodes=tuple(f"node-{number}" for number in range(nodes)),
        cpu_capacity_millicores=1000 * np.array(cores if cores is not None else [1.0] * nodes),
        memory_capacity_mib=1024 * np.array(gib if gib is not None else [1.0] * nodes),
        cpu_demand_percent=cpu,
        memory_used_percent=nothing,
        cpu_requested_percent=nothing,
        memory_requested_percent=nothing,
        gpu_used_percent=nothing,
        network_kib_s=nothing,
        disk_kib_s=nothing,
        pods_on_node=np.where(np.isnan(cpu), 0, 1).astype(np.int32),
        pending_pods=np.zeros(samples, dtype=np.int64),
        throttled_core_seconds=np.zeros(samples),
        cpu_request_millicores=np.array([pod.cpu_millicores for pod in pods]),
        memory_request_mib=np.array([pod.memory_mib for pod in pods]),
        created_seconds=np.array([pod.created for pod in pods], dtype=np.float64),
        placed_seconds=np.array([pod.placed for pod in pods], dtype=np.float64),
        ended_seconds=np.array([pod.ended for pod in pods], dtype=np.float64),
        node_of_pod=np.array([-1 if np.isnan(pod.placed) else 0 for pod in pods], dtype=np.int64),
        outcome=np.array([pod.outcome for pod in pods], dtype=np.int8),
        restarts=np.array([pod.restarts for pod in pods], dtype=np.int32),
        stretched_seconds=np.array([pod.stretched for pod in pods], dtype=np.float64),
        decisions=len(pods),
        measured_from_seconds=measured_from,
    )


def with_tables(
    base: RunRecord,
    *,
    memory: Sequence[Sequence[float]] | None = None,
    requested_cpu: Sequence[Sequence[float]] | None = None,
    requested_memory: Sequence[Sequence[float]] | None = None,
    pods: Sequence[Sequence[int]] | None = None,
) -> RunRecord:
    """Return the record with other percents or numbers of pods by sample and node."""
    return replace(
        base,
        memory_used_percent=_table(memory, base.memory_used_percent),
        cpu_requested_percent=_table(requested_cpu, base.cpu_requested_percent),
        memory_requested_percent=_table(requested_memory, base.memory_requested_percent),
        pods_on_node=base.pods_on_node if pods is None else np.array(pods, dtype=np.int32),
    )


def _table(given: Sequence[Sequence[float]] | None, otherwise: Float32Array) -> Float32Array:
    return otherwise if given is None else np.array(given, dtype=np.float32)
