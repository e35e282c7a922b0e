"""What is left of a run: how every node and every pod fared. Nothing of the machine that ran it is in it.

Written by `recording`, read by the measures. The bytes of two runs with the same scenario, workload, policy and seed
are the same.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hydatis.scheduler.arrays import Float64Array, Int32Array, Int64Array
from hydatis.simulations.traces.forms import Float32Array

Int8Array = NDArray[np.int8]


class PodOutcome(IntEnum):
    """How a pod stands when the run ends. Every pod that was created has exactly one.

    A pod whose owner made it again counts as one pod, by its last state.
    """

    RUNNING = 0
    PENDING = 1
    """Waits for a node, or for being made again after it was evicted."""
    FINISHED = 2
    GAVE_UP = 3
    """Its owner gave up waiting for a node."""
    KILLED = 4
    """Killed because its node ran out of memory, and not made again so far."""
    LOST = 5
    """Its node failed, and it has not been made again so far."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. Arrays are not to be written.

    Arrays of samples have one entry a minute (the scenario's `sample_seconds`), taken at the start of the sample; a
    node that is not there, because it failed or has not joined, is NaN, with 0 pods.
    """

    times_seconds: Float64Array
    """(samples,) start of each sample, from 0."""
    nodes: tuple[str, ...]
    cpu_capacity_millicores: Float64Array
    """(nodes,) what pods together can use."""
    memory_capacity_mib: Float64Array
    """(nodes,) the same."""
    cpu_demand_percent: Float32Array
    """(samples, nodes) what the node's pods want, percent of capacity; may exceed 100."""
    memory_used_percent: Float32Array
    """(samples, nodes) percent of capacity, after kills."""
    cpu_requested_percent: Float32Array
    """(samples, nodes) percent of capacity."""
    memory_requested_percent: Float32Array
    """(samples, nodes) percent of capacity."""
    gpu_used_percent: Float32Array
    """(samples, nodes) duty, percent of the node's GPUs; 0 without any."""
    network_kib_s: Float32Array
    """(samples, nodes) received and sent."""
    disk_kib_s: Float32Array
    """(samples, nodes) read and written."""
    pods_on_node: Int32Array
    """(samples, nodes) running pods."""
    pending_pods: Int64Array
    """(samples,) pods that wait for a node."""
    throttled_core_seconds: Float64Array
    """(samples,) CPU wanted and not given during the sample, all nodes together."""
    cpu_request_millicores: Float64Array
    """(pods,)"""
    memory_request_mib: Float64Array
    """(pods,)"""
    created_seconds: Float64Array
    """(pods,) when the pod came first; 0 for those that are there from the beginning."""
    placed_seconds: Float64Array
    """(pods,) when it was first bound to a node; NaN: never."""
    ended_seconds: Float64Array
    """(pods,) when it finished, was given up, killed or lost, whatever its outcome says; NaN: it has not ended."""
    node_of_pod: Int64Array
    """(pods,) its last node, an index into `nodes`; -1: it was never on one."""
    outcome: Int8Array
    """(pods,) values of `PodOutcome`."""
    restarts: Int32Array
    """(pods,) how often its owner made it again: after it was killed, lost or evicted."""
    stretched_seconds: Float64Array
    """(pods,) how much longer than undisturbed it has run for what it has done."""
    decisions: int
    """Scheduling cycles of the core, failed ones included."""
    measured_from_seconds: float
    """End of the warm-up: measures count from here."""

    def parts(self) -> Iterator[bytes]:
        """Yield all that is in the record, field by field, in a form that is the same on every machine."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                little_endian = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
                yield f"{field.name} {little_endian.dtype.str} {value.shape}\n".encode()
                yield little_endian.tobytes()
            else:
                yield f"{field.name} {value!r}\n".encode()

    def digest(self) -> str:
        """Return the SHA-256 of the record: equal for equal runs."""
        digest = hashlib.sha256()
        for part in self.parts():
            digest.update(part)
        return digest.hexdigest()
